import type { State } from "../../netfilter/ruleset.ts";
import { type Alternatives, STATE_BITS, TCP_FLAGS } from "../alternatives.ts";
import { numberIn } from "../names.ts";
import { type Comparison, type FindSet, flatten } from "./comparison.ts";
import type { Value } from "./values.ts";

/** The bits of a state, by name or number. */
export function stateBit(text: string): number | null {
  return STATE_BITS.get(text as State) ?? numberIn(text, 0xff);
}

/** The bits of TCP's flags, by name or number. */
export function tcpBit(text: string): number | null {
  return TCP_FLAGS.get(text) ?? numberIn(text, 0xff);
}

/**
 * A test of a field of bits. With nothing between field and bits one of these has to be set, with `!` none; `==` and `!=`
 * compare the whole field, and so does a set (evaluate.c of nftables 1.0, and what `nft --debug=netlink` shows).
 */
export function bitsTest(
  { operator, mask, value }: Comparison,
  bit: (text: string) => number | null,
  find: FindSet,
  test: (holds: (field: number) => boolean) => Alternatives,
): Alternatives | null {
  if (value.kind === "named" || value.kind === "elements") {
    const values = flatten(value, find)?.map((one) => bitsOf(one, bit));
    if (mask !== null || !values?.every((one) => one !== null)) return null;
    if (operator !== "is" && operator !== "==" && operator !== "!=") return null;
    const wanted = new Set(values);
    return test((field) => wanted.has(field) !== (operator === "!="));
  }
  const looked = value.kind === "masked" ? value.mask : mask;
  const bits = bitsOf(value.kind === "masked" ? value.value : value, bit);
  if (bits === null || (value.kind === "masked" && mask !== null)) return null;
  if (looked !== null) {
    const under = bitsOf(looked, bit);
    if (under === null || !["is", "==", "!="].includes(operator)) return null;
    return test((field) => ((field & under) === bits) !== (operator === "!="));
  }
  switch (operator) {
    case "is":
      return test((field) => (field & bits) !== 0);
    case "!":
      return test((field) => (field & bits) === 0);
    case "==":
      return test((field) => field === bits);
    case "!=":
      return test((field) => field !== bits);
    default:
      return null;
  }
}

function bitsOf(value: Value, bit: (text: string) => number | null): number | null {
  if (value.kind === "atom") return bit(value.text);
  if (value.kind !== "bits") return null;
  let bits = 0;
  for (const part of value.parts) {
    // Parentheses stand one deep, so this ends soon.
    const more = bitsOf(part, bit);
    if (more === null) return null;
    bits |= more;
  }
  return bits;
}

/** `IPS_DST_NAT` of linux/netfilter/nf_conntrack_common.h. */
const DNAT_BIT = 0x20;

/** Of what is known about a connection the model has one bit; only a test that asks for just this one is understood. */
export function statusTest({ operator, mask, value }: Comparison): Alternatives | null {
  const bits = bitsOf(value, (text) => (text === "dnat" ? DNAT_BIT : numberIn(text, 0xffff)));
  return bits === DNAT_BIT && operator === "is" && mask === null ? [[{ kind: "dnat-status" }]] : null;
}

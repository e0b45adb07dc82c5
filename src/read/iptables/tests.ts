import { type Family, mergeRanges, type Range } from "../../address/ranges.ts";
import type { AddressType, LimitMatch, Side, State } from "../../netfilter/ruleset.ts";
import { type FamilyRange, prefixOf, rangeOf } from "../addresses.ts";
import {
  ALWAYS,
  type Alternatives,
  NEVER,
  STATE_BITS,
  stateTest,
  TCP_FLAGS,
  tcpFlagsTest,
  unknownTest,
} from "../alternatives.ts";
import { numberIn } from "../names.ts";
import { portRange } from "../ports.ts";

/** What the words of a test come to, or a sentence that says why the tool would refuse them. */
export type Tested = Alternatives | string;

/** `-s` and `-d`: addresses, prefixes and netmasks parted by commas. Host names are not looked up: unknown. */
export function addressTest(family: Family, side: Side, text: string, negated: boolean): Tested {
  const ranges: FamilyRange[] = [];
  for (const part of text.split(",")) {
    const range = prefixOf(part);
    if (range === null)
      return /^[A-Za-z0-9._:/-]+$/.test(part) ? unknownTest(text) : `\`${part}\` is no address`;
    if (range.family !== family) return `\`${part}\` is an address of the other family`;
    ranges.push(range);
  }
  if (negated && ranges.length > 1) return "`!` cannot stand before several addresses";
  return rangesTest(family, side, ranges, negated);
}

/** `--src-range` and `--dst-range`. */
export function addressRangeTest(family: Family, side: Side, text: string, negated: boolean): Tested {
  const range = rangeOf(text);
  if (range === null || range.family !== family || text.includes("/"))
    return `\`${text}\` is no range of IPv${family} addresses`;
  return rangesTest(family, side, [range], negated);
}

function rangesTest(
  family: Family,
  side: Side,
  ranges: readonly FamilyRange[],
  negated: boolean,
): Alternatives {
  const merged = mergeRanges(ranges.map(({ first, last }): Range<bigint> => ({ first, last })));
  const [only] = merged;
  const size = family === 4 ? 1n << 32n : 1n << 128n;
  if (only && only.last - only.first + 1n === size) return negated ? NEVER : ALWAYS;
  return [[{ kind: "address", side, family, ranges: merged, name: null, negated }]];
}

/** `-i` and `-o`: a device, or with a trailing `+` every device that starts so. */
export function interfaceTest(side: "in" | "out", text: string, negated: boolean): Tested {
  if (text === "") return "a device has a name";
  if (text === "+") return negated ? NEVER : ALWAYS;
  // Such a name is legal, but here a star stands for the rest of a name.
  if (text.includes("*")) return unknownTest(text);
  const device = text.endsWith("+") ? `${text.slice(0, -1)}*` : text;
  return [[{ kind: "interface", side, devices: [device], negated }]];
}

/** The ports of `multiport`. */
export function portList(text: string): readonly Range<number>[] | null {
  const ranges = text.split(",").map((part) => portRange(part, ":"));
  return ranges.every((range) => range !== null) ? ranges : null;
}

const ADDRESS_TYPES: ReadonlyMap<string, AddressType> = new Map([
  ["LOCAL", "local"],
  ["BROADCAST", "broadcast"],
  ["ANYCAST", "anycast"],
  ["MULTICAST", "multicast"],
]);

/** `--src-type` and `--dst-type`. The types that the model does not have are unknown. */
export function addressTypeTest(side: Side, text: string, negated: boolean): Alternatives {
  const types = text.split(",").map((part) => ADDRESS_TYPES.get(part.toUpperCase()));
  if (!types.every((type) => type !== undefined)) return unknownTest(text);
  return [[{ kind: "address-type", side, types, negated }]];
}

/**
 * `--ctstate` and `--state`. Beside the state of the packet conntrack may be asked for what NAT does to its connection; a
 * list holds where one of its words does (`conntrack_mt` in xt_conntrack.c).
 */
export function conntrackStateTest(text: string, negated: boolean): Tested {
  let wanted = 0;
  let translated = false;
  for (const part of text.toUpperCase().split(",")) {
    const bit = STATE_BITS.get(part.toLowerCase() as State);
    if (bit !== undefined) wanted |= bit;
    else if (part === "DNAT") translated = true;
    else if (part === "SNAT") return unknownTest(text);
    else return `\`${part}\` is no state of a connection`;
  }
  const states = stateTest((bits) => ((wanted & bits) !== 0) !== negated);
  if (!translated) return states;
  // "Not translated" is no test of the model.
  if (negated) return states.map((tests) => [...tests, { kind: "unknown", text: "! --ctstate DNAT" }]);
  const others = stateTest((bits) => (wanted & bits) === 0);
  return [
    ...(wanted === 0 ? [] : states),
    ...others.map((tests) => [...tests, { kind: "dnat-status" } as const]),
  ];
}

/** `--tcp-flags MASK SET`. */
export function tcpFlagsOptionTest(mask: string, set: string, negated: boolean): Tested {
  const looked = flagBits(mask);
  const wanted = flagBits(set);
  if (looked === null || wanted === null) return `\`${mask} ${set}\` are no flags of TCP`;
  return tcpFlagsTest((flags) => ((flags & looked) === wanted) !== negated, `--tcp-flags ${mask} ${set}`);
}

/** iptables knows six of the flags: it leaves those of congestion control alone. */
function flagBits(text: string): number | null {
  let bits = 0;
  for (const part of text.toLowerCase().split(",")) {
    if (part === "all") bits |= 0x3f;
    else if (part !== "none") {
      const bit = TCP_FLAGS.get(part);
      if (bit === undefined || bit > 0x3f) return null;
      bits |= bit;
    }
  }
  return bits;
}

const UNITS = ["second", "minute", "hour", "day"] as const;

/** `--limit RATE[/UNIT]`, the unit by any of its beginnings, with the burst of `--limit-burst`. */
export function limitTest(rate: string, burst: string | null): LimitMatch | string {
  const [number, word = "second"] = rate.split("/");
  const count = numberIn(number ?? "", 0xffff_ffff);
  const unit = UNITS.find((candidate) => word !== "" && candidate.startsWith(word.toLowerCase()));
  const packets = burst === null ? 5 : numberIn(burst, 0xffff_ffff);
  if (count === null || unit === undefined || packets === null || rate.split("/").length > 2)
    return `\`${rate}\` is no rate`;
  return { kind: "limit", count, unit, burst: packets };
}

import { ALWAYS, type Alternatives, icmpTest, NEVER } from "../alternatives.ts";
import { ICMP } from "../names.ts";

/** Where a u32 test looks: the words of its expression, each operator with its number. */
const BYTES = /^(0x[0-9a-f]+|[0-9]+)((?:(?:&|>>|<<|@)(?:0x[0-9a-f]+|[0-9]+))*)=(0x[0-9a-f]+|[0-9]+)$/;

/**
 * A test of raw bytes by `-m u32`, of IPv4 packets, where it asks for one value of the protocol, or beside `-p icmp`
 * (`protocol` 1) of ICMP's type and code; null where it asks for anything else. The expression is worked out, not
 * compared with known texts: a step loads four bytes at an offset, `&` masks, `>>` shifts, `@` moves on by what was
 * computed so far (xt_u32.c).
 */
export function u32Test(expression: string, negated: boolean, protocol: number | null): Alternatives | null {
  const parsed = BYTES.exec(expression.replace(/\s+/g, "").toLowerCase());
  if (!parsed) return null;
  const value = Number(parsed[3]);
  const field = fieldOf(Number(parsed[1]), operationsOf(parsed[2]!));
  if (field === "protocol") {
    if (value > 255) return negated ? ALWAYS : NEVER;
    return [[{ kind: "protocol", protocols: [value], negated }]];
  }
  if (field === null || protocol !== ICMP) return null;
  const [type, code] = field === "icmp-type" ? [value, null] : [value >> 8, value & 255];
  if (type > 255) return negated ? ALWAYS : NEVER;
  return icmpTest(4, [{ types: [type, type], codes: code === null ? null : [code, code] }], negated);
}

interface Operation {
  readonly operator: string;
  readonly number: number;
}

function operationsOf(text: string): readonly Operation[] {
  return [...text.matchAll(/(&|>>|<<|@)(0x[0-9a-f]+|[0-9]+)/g)].map((match) => ({
    operator: match[1]!,
    number: Number(match[2]),
  }));
}

/** The field of the packet that a location reads. */
function fieldOf(
  start: number,
  operations: readonly Operation[],
): "protocol" | "icmp-type" | "icmp-type-code" | null {
  const text = operations.map(({ operator, number }) => `${operator}${number}`).join("");
  // Bytes 6 to 9 of the IPv4 header, of which the last is the protocol; or bytes 8 to 11, the second of them.
  if ((start === 6 && text === "&255") || (start === 8 && text === ">>16&255")) return "protocol";
  // The header's length is the low half of its first byte, in words of four bytes: shifted by 22 it counts bytes.
  const behindHeader = ">>22&60@0";
  if (start !== 0 || !text.startsWith(behindHeader)) return null;
  const rest = text.slice(behindHeader.length);
  return rest === ">>24" ? "icmp-type" : rest === ">>16" ? "icmp-type-code" : null;
}

import { parseIpv6Address, parseQuad } from "../address/parse.ts";
import { type Family, lastAddress, type Range } from "../address/ranges.ts";

/** An address of either family without a prefix length; null for anything else. */
export function addressOf(text: string): { readonly family: Family; readonly value: bigint } | null {
  if (text.includes(":")) {
    const value = parseIpv6Address(text);
    return value === null ? null : { family: 6, value };
  }
  const value = parseQuad(text, 0, text.length);
  return value < 0 ? null : { family: 4, value: BigInt(value) };
}

/** Addresses of one family. */
export interface FamilyRange extends Range<bigint> {
  readonly family: Family;
}

/**
 * An address, or one with a prefix length or a netmask behind a slash. As in the kernel's tools bits behind the prefix do
 * not matter. Null for anything else, and for a mask whose ones do not all come first.
 */
export function prefixOf(text: string): FamilyRange | null {
  const slash = text.indexOf("/");
  const address = addressOf(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  const { family, value } = address;
  if (slash < 0) return { family, first: value, last: value };
  const length = maskLength(text.slice(slash + 1), family);
  if (length === null) return null;
  const hostBits = lastAddress(family) >> BigInt(length);
  return { family, first: value & ~hostBits, last: value | hostBits };
}

/** The addresses from one to another of the same family; null for anything else. */
export function addressSpan(firstText: string, lastText: string): FamilyRange | null {
  const first = addressOf(firstText);
  const last = addressOf(lastText);
  if (first === null || last === null || first.family !== last.family || first.value > last.value)
    return null;
  return { family: first.family, first: first.value, last: last.value };
}

/** `first-last`, or what `prefixOf` reads. */
export function rangeOf(text: string): FamilyRange | null {
  const dash = text.indexOf("-");
  return dash < 0 ? prefixOf(text) : addressSpan(text.slice(0, dash), text.slice(dash + 1));
}

/** How many ones a mask starts with, written as their number or as an address; null for anything else. */
function maskLength(text: string, family: Family): number | null {
  const bits = family === 4 ? 32 : 128;
  if (/^[0-9]{1,3}$/.test(text)) return Number(text) <= bits ? Number(text) : null;
  const mask = addressOf(text);
  if (mask === null || mask.family !== family) return null;
  const zeros = lastAddress(family) ^ mask.value;
  // The zeros of a mask are a power of two less one.
  if ((zeros & (zeros + 1n)) !== 0n) return null;
  return bits - (zeros === 0n ? 0 : zeros.toString(2).length);
}

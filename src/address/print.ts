import { type Family, lastAddress, type Range } from "./ranges.ts";

/** The addresses that share their first `length` bits with `address`; the others are zero. */
export interface Prefix {
  readonly address: bigint;
  /** 0 to 32 for IPv4, 0 to 128 for IPv6. */
  readonly length: number;
}

/** An address in its one canonical form: a dotted quad, or what RFC 5952 prescribes for IPv6. */
export function printAddress(family: Family, address: bigint): string {
  return family === 4 ? printIpv4(address) : printIpv6(address);
}

/** `192.0.2.0/24`; a prefix of full length is a plain address. */
export function printPrefix(family: Family, prefix: Prefix): string {
  const address = printAddress(family, prefix.address);
  return prefix.length === bitsOf(family) ? address : `${address}/${prefix.length}`;
}

/** A range as short as it can be written: an address, a CIDR, or `first-last`. */
export function printRange(family: Family, range: Range<bigint>): string {
  const length = prefixLength(family, range);
  if (length !== null) return printPrefix(family, { address: range.first, length });
  return `${printAddress(family, range.first)}-${printAddress(family, range.last)}`;
}

/** The length of the prefix that a range is; null where it is none. */
function prefixLength(family: Family, { first, last }: Range<bigint>): number | null {
  // Within a prefix the last bits are zero in the first address and one in the last one, and the others are equal.
  const hostBits = first ^ last;
  if ((hostBits & (hostBits + 1n)) !== 0n || (first & hostBits) !== 0n) return null;
  return bitsOf(family) - widthOf(hostBits);
}

/** Bits that a number has up to its highest one. */
function widthOf(number: bigint): number {
  if (number <= 0xffff_ffffn) return 32 - Math.clz32(Number(number));
  return number.toString(2).length;
}

/** The fewest prefixes that together are the range, ascending: at most 62 for IPv4, 254 for IPv6. */
export function prefixesOf(family: Family, range: Range<bigint>): readonly Prefix[] {
  const bits = bitsOf(family);
  const prefixes: Prefix[] = [];
  let first = range.first;
  while (first <= range.last) {
    let size = first === 0n ? lastAddress(family) + 1n : first & -first;
    while (first + size - 1n > range.last) size >>= 1n;
    prefixes.push({ address: first, length: bits - widthOf(size - 1n) });
    first += size;
  }
  return prefixes;
}

function bitsOf(family: Family): number {
  return family === 4 ? 32 : 128;
}

function printIpv4(address: bigint): string {
  const number = Number(address);
  return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;
}

/**
 * RFC 5952: lower case, no leading zeros, `::` for the first longest run of at least two zero groups. IPv4-mapped
 * addresses end in a dotted quad (section 5), as in the kernel's own output.
 */
function printIpv6(address: bigint): string {
  if (address >> 32n === 0xffffn) return `::ffff:${printIpv4(address & 0xffff_ffffn)}`;
  const groups: number[] = [];
  for (let shift = 96n; shift >= 0n; shift -= 32n) {
    const two = Number((address >> shift) & 0xffff_ffffn);
    groups.push(two >>> 16, two & 0xffff);
  }
  const { start, length } = longestZeroRun(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
    start = end;
  }
  return best;
}

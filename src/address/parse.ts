import { Address6 } from "ip-address";
import { explainAddress } from "./explain.ts";
import { type Family, lastAddress } from "./ranges.ts";

/** The addresses from `first` to `last`, both included, of one family. */
export interface AddressRange {
  readonly ok: true;
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** Why a text is no address, CIDR or range. */
export interface AddressFault {
  readonly ok: false;
  readonly reason: AddressFaultReason;
  /** One sentence in plain words, without a full stop; code in backquotes. */
  readonly message: string;
  /** What was probably meant, as it should be written; null where nobody can know. */
  readonly suggestion: string | null;
}

export type AddressFaultReason =
  /** `10.1.0.0/8`: bits are set that the prefix does not cover. */
  | "host-bits"
  /** `010.0.0.1`, `10.1`: programs disagree on what it means. */
  | "ambiguous"
  /** Anything else. */
  | "invalid";

/**
 * Reads an address, a CIDR or a range (`192.0.2.10-192.0.2.20`) of either family. Strict: whatever two programs might
 * read differently is refused, with the reason. IPv4 is four decimal numbers without leading zeros; what an IPv6
 * address is decides the `ip-address` package.
 */
export function parseAddress(text: string): AddressRange | AddressFault {
  return readRange(text) ?? explainAddress(text);
}

/** What `parseAddress` reads; null, and no reason, for everything else. */
export function readRange(text: string): AddressRange | null {
  return parseIpv4(text) ?? parseIpv6(text);
}

/** The number of a dotted quad that stands at `start` and fills the text up to `end`; −1 where none does. */
export function parseQuad(text: string, start: number, end: number): number {
  let address = 0;
  let octet = -1;
  let dots = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (octet < 0 || dots === 3) return -1;
      address = address * 256 + octet;
      octet = -1;
      dots++;
    } else {
      const digit = code - ZERO;
      if (digit < 0 || digit > 9 || octet === 0) return -1;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return -1;
    }
  }
  return dots === 3 && octet >= 0 ? address * 256 + octet : -1;
}

const DOT = 0x2e;
const ZERO = 0x30;

/** A prefix length without leading zeros, at most `longest`; −1 for anything else. */
export function parsePrefixLength(text: string, longest: number): number {
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(text)) return -1;
  const length = Number(text);
  return length <= longest ? length : -1;
}

function parseIpv4(text: string): AddressRange | null {
  const slash = text.indexOf("/");
  if (slash >= 0) {
    const first = parseQuad(text, 0, slash);
    const length = parsePrefixLength(text.slice(slash + 1), 32);
    if (first < 0 || length < 0) return null;
    const size = 2 ** (32 - length);
    return first % size === 0 ? rangeOf(4, BigInt(first), BigInt(first + size - 1)) : null;
  }
  const dash = text.indexOf("-");
  const first = parseQuad(text, 0, dash < 0 ? text.length : dash);
  const last = dash < 0 ? first : parseQuad(text, dash + 1, text.length);
  return first < 0 || last < first ? null : rangeOf(4, BigInt(first), BigInt(last));
}

function parseIpv6(text: string): AddressRange | null {
  if (!text.includes(":")) return null;
  const slash = text.indexOf("/");
  if (slash >= 0) {
    const first = parseIpv6Address(text.slice(0, slash));
    const length = parsePrefixLength(text.slice(slash + 1), 128);
    if (first === null || length < 0) return null;
    const hostBits = lastAddress(6) >> BigInt(length);
    return (first & hostBits) === 0n ? unmapped(first, first | hostBits) : null;
  }
  const dash = text.indexOf("-");
  const first = parseIpv6Address(dash < 0 ? text : text.slice(0, dash));
  const last = dash < 0 ? first : parseIpv6Address(text.slice(dash + 1));
  return first === null || last === null || last < first ? null : unmapped(first, last);
}

/** The number of an IPv6 address without zone and prefix length; null for anything else. */
export function parseIpv6Address(text: string): bigint | null {
  const plain = parsePlainIpv6(text);
  if (plain !== null) return plain;
  if (!IPV6_CHARACTERS.test(text)) return null;
  try {
    return new Address6(text).bigInt();
  } catch {
    return null;
  }
}

/**
 * The same of what nearly every address looks like: eight groups of hexadecimal digits, of which `::` stands for two or
 * more. Null for all else, valid or not: what to think of that is the package's affair, which takes ten times as long.
 */
function parsePlainIpv6(text: string): bigint | null {
  const groups: number[] = [];
  let gap = -1;
  let group = 0;
  let digits = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === COLON) {
      if (digits > 0) groups.push(group);
      const isDouble = text.charCodeAt(i + 1) === COLON;
      if (isDouble) {
        if (gap >= 0) return null;
        gap = groups.length;
        i++;
      } else if (digits === 0 || i === text.length - 1) return null;
      group = 0;
      digits = 0;
      continue;
    }
    const digit = hexDigit(code);
    if (digit < 0 || ++digits > 4) return null;
    group = group * 16 + digit;
  }
  if (digits > 0) groups.push(group);
  const missing = 8 - groups.length;
  if (gap < 0 ? missing !== 0 : missing < 2) return null;
  if (gap >= 0) groups.splice(gap, 0, ...Array<number>(missing).fill(0));
  // Numbers of 48 bits are exact.
  const [a, b, c, d, e, f, g, h] = groups as [number, number, number, number, number, number, number, number];
  const high = BigInt((a * 0x1_0000 + b) * 0x1_0000 + c);
  const middle = BigInt((d * 0x1_0000 + e) * 0x1_0000 + f);
  return (((high << 48n) | middle) << 32n) | BigInt(g * 0x1_0000 + h);
}

const COLON = 0x3a;

/** The value of a hexadecimal digit; −1 for other characters. */
function hexDigit(code: number): number {
  if (code >= ZERO && code <= 0x39) return code - ZERO;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** Keeps zones, prefix lengths and overlong texts from the package, which has its own idea of them. */
const IPV6_CHARACTERS = /^[0-9A-Fa-f:.]{2,45}$/;

/** `::ffff:0:0/96`, RFC 4291 section 2.5.5.2: IPv4 addresses in the clothes of IPv6, never seen in a packet. */
export function isIpv4Mapped(address: bigint): boolean {
  return address >> 32n === 0xffffn;
}

function unmapped(first: bigint, last: bigint): AddressRange | null {
  return isIpv4Mapped(first) && isIpv4Mapped(last) ? null : rangeOf(6, first, last);
}

function rangeOf(family: Family, first: bigint, last: bigint): AddressRange {
  return { ok: true, family, first, last };
}

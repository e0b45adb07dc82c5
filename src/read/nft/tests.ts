import { type Family, lastAddress, mergeRanges, type Range } from "../../address/ranges.ts";
import type { AddressType, State } from "../../netfilter/ruleset.ts";
import type { ScriptMatch } from "../../netfilter/script.ts";
import { addressOf, addressSpan, type FamilyRange, prefixOf } from "../addresses.ts";
import {
  ALWAYS,
  type Alternatives,
  type IcmpBlock,
  icmpTest,
  NEVER,
  STATE_BITS,
  stateTest,
  TCP_FLAGS,
  tcpFlagsTest,
} from "../alternatives.ts";
import { ICMP, ICMPV6, numberIn, portOf, protocolOf, TCP } from "../names.ts";
import { portTest } from "../ports.ts";
import { icmpNumber } from "./icmp.ts";
import type { Key } from "./keys.ts";
import type { Element, Value } from "./values.ts";

/** How a key is compared; `is` where the script has nothing between the two. */
export type Operator = "is" | "==" | "!=" | "!" | "<" | ">" | "<=" | ">=";

export interface Comparison {
  readonly operator: Operator;
  /** `& MASK` behind the key. */
  readonly mask: Value | null;
  readonly value: Value;
  /** The words of the whole test. */
  readonly text: string;
}

/** A set of the script, by its name. */
export interface NamedSet {
  readonly name: string;
  readonly elements: Element[];
  /** Nobody knows what it holds: elements come and go. */
  uncertain: boolean;
  /** What tests of it came to before, so that many rules share one array. */
  readonly known: Map<string, unknown>;
}

export type FindSet = (name: string) => NamedSet | undefined;

/** What a test comes to; null where that is not known. */
export function testOf(keys: readonly Key[], comparison: Comparison, find: FindSet): Alternatives | null {
  const [key] = keys;
  return keys.length === 1 ? singleTest(key!, comparison, find) : concatTest(keys, comparison, find);
}

/** What holds in any case where a test of this key passes: nft asks for it before it looks. */
export function implied(key: Key): readonly ScriptMatch[] {
  const family = (value: Family): ScriptMatch => ({ kind: "family", family: value });
  const protocol = (value: number): ScriptMatch => ({ kind: "protocol", protocols: [value], negated: false });
  switch (key.kind) {
    case "address":
      return [family(key.family)];
    case "protocol-4":
      return [family(4)];
    case "next-header":
      return [family(6)];
    case "icmp-type":
    case "icmp-code":
      return [family(key.family), protocol(key.family === 4 ? ICMP : ICMPV6)];
    case "tcp-flags":
      return [protocol(TCP)];
    case "port":
      return key.protocol === null ? [] : [protocol(key.protocol)];
    case "unknown":
      return [
        ...(key.family === null ? [] : [family(key.family)]),
        ...(key.protocol === null ? [] : [protocol(key.protocol)]),
      ];
    default:
      return [];
  }
}

function singleTest(key: Key, comparison: Comparison, find: FindSet): Alternatives | null {
  const { operator, mask, value } = comparison;
  switch (key.kind) {
    case "state":
      return bitsTest(comparison, stateBit, find, (holds) => stateTest(holds));
    case "tcp-flags":
      return bitsTest(comparison, tcpBit, find, (holds) => tcpFlagsTest(holds, comparison.text));
    case "status":
      return statusTest(comparison);
    case "address":
      return addressTest(key, comparison, find);
    case "unknown":
      return null;
  }
  if (mask !== null) return null;
  const negated = operator === "!=";
  const values = flatten(value, find);
  if (values === null || operator === "!") return null;
  switch (key.kind) {
    case "port":
      return andImplied(key, numbers(values, portOf, 65535, operator), (ranges) =>
        portTest(key.side, ranges, negated),
      );
    case "protocol":
    case "protocol-4":
    case "next-header":
      return protocolTest(key, numbers(values, protocolOf, 255, operator), negated);
    case "icmp-type":
    case "icmp-code": {
      const { family, kind } = key;
      const ranges = numbers(values, (text) => icmpNumber(text, family, kind), 255, operator);
      if (ranges === null) return null;
      return icmpTest(
        family,
        ranges.map((range) => icmpBlock(kind, range)),
        negated,
      );
    }
    case "family":
      return familyTest(values, negated, { ipv4: 4, ipv6: 6, "2": 4, "10": 6 });
    case "ether-type":
      return familyTest(values, negated, { ip: 4, ip6: 6, "0x0800": 4, "0x86dd": 6 });
    case "interface":
      return operator === "is" || operator === "==" || negated ? interfaceTest(key, values, negated) : null;
    case "address-type":
      return operator === "is" || operator === "==" || negated ? addressTypeTest(key, values, negated) : null;
  }
}

/** The values that a test compares with one by one, those of sets included; null where a set is not known. */
function flatten(value: Value, find: FindSet): readonly Value[] | null {
  if (value.kind === "named") {
    const set = find(value.name);
    return !set || set.uncertain ? null : elementKeys(set.elements);
  }
  return value.kind === "elements" ? elementKeys(value.elements) : [value];
}

function elementKeys(elements: readonly Element[]): readonly Value[] | null {
  return elements.some(({ uncertain }) => uncertain) ? null : elements.map(({ key }) => key);
}

/** The numbers that values and an operator come to; null where a value is no number. `!=` is left to the caller. */
function numbers(
  values: readonly Value[],
  read: (text: string) => number | null,
  largest: number,
  operator: Operator,
): readonly Range<number>[] | null {
  const ranges: Range<number>[] = [];
  for (const value of values) {
    if (value.kind !== "atom" && value.kind !== "range") return null;
    const first = read(value.kind === "atom" ? value.text : value.first);
    const last = value.kind === "atom" ? first : read(value.last);
    if (first === null || last === null || first > last) return null;
    ranges.push({ first, last });
  }
  const [only] = ranges;
  switch (operator) {
    case "<":
    case "<=":
    case ">":
    case ">=": {
      if (!only || ranges.length > 1 || only.first !== only.last) return null;
      const range = compared(operator, only.first, largest);
      return range.first > range.last ? [] : [range];
    }
    default:
      return ranges;
  }
}

function compared(operator: "<" | "<=" | ">" | ">=", bound: number, largest: number): Range<number> {
  switch (operator) {
    case "<":
      return { first: 0, last: bound - 1 };
    case "<=":
      return { first: 0, last: bound };
    case ">":
      return { first: bound + 1, last: largest };
    case ">=":
      return { first: bound, last: largest };
  }
}

function andImplied<T>(key: Key, found: T | null, test: (found: T) => Alternatives): Alternatives | null {
  if (found === null) return null;
  const before = implied(key);
  return test(found).map((matches) => [...before, ...matches]);
}

function protocolTest(
  key: Key & { kind: "protocol" | "protocol-4" | "next-header" },
  ranges: readonly Range<number>[] | null,
  negated: boolean,
): Alternatives | null {
  if (ranges === null) return null;
  const protocols = ranges.flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, at) => first + at),
  );
  if (protocols.length === 0) return negated ? ALWAYS : NEVER;
  if (key.kind !== "next-header") return [[...implied(key), { kind: "protocol", protocols, negated }]];
  // The byte names the upper-layer protocol where no extension header stands between; else it names that.
  if (negated || protocols.some((protocol) => EXTENSION_HEADERS.has(protocol))) return null;
  return [
    [
      ...implied(key),
      { kind: "protocol", protocols, negated: false },
      { kind: "unknown", text: "no IPv6 extension header" },
    ],
  ];
}

/** Hop-by-hop options, routing, fragment, authentication, destination options, mobility: RFC 8200, RFC 6275. */
const EXTENSION_HEADERS: ReadonlySet<number> = new Set([0, 43, 44, 51, 60, 135]);

function icmpBlock(kind: "icmp-type" | "icmp-code", { first, last }: Range<number>): IcmpBlock {
  return kind === "icmp-type"
    ? { types: [first, last], codes: null }
    : { types: [0, 255], codes: [first, last] };
}

function familyTest(
  values: readonly Value[],
  negated: boolean,
  names: { readonly [name: string]: Family },
): Alternatives | null {
  const families = new Set<Family>();
  for (const value of values) {
    if (value.kind !== "atom" || !Object.hasOwn(names, value.text)) return null;
    families.add(names[value.text]!);
  }
  const passed = ([4, 6] as const).filter((family) => families.has(family) !== negated);
  if (passed.length === 2) return ALWAYS;
  return passed.map((family) => [{ kind: "family", family }]);
}

function interfaceTest(
  { side, byIndex }: Key & { kind: "interface" },
  values: readonly Value[],
  negated: boolean,
): Alternatives | null {
  const devices: string[] = [];
  for (const value of values) {
    // Whatever else stands here, such as the ranges that nft makes of wildcards in a set, is no name of a device.
    if (value.kind !== "atom" || !/^[^\s/:*"\\\0-\x1f\x7f-\uffff]{1,15}\*?$/.test(value.text)) return null;
    if (byIndex && /^[0-9]+$|\*$/.test(value.text)) return null;
    devices.push(value.text);
  }
  if (devices.length === 0) return negated ? ALWAYS : NEVER;
  return [[{ kind: "interface", side, devices, negated }]];
}

/** The types of the model, by name and by number (`RTN_LOCAL` and its siblings in linux/rtnetlink.h). */
const ADDRESS_TYPES: ReadonlyMap<string, AddressType> = new Map([
  ["local", "local"],
  ["2", "local"],
  ["broadcast", "broadcast"],
  ["3", "broadcast"],
  ["anycast", "anycast"],
  ["4", "anycast"],
  ["multicast", "multicast"],
  ["5", "multicast"],
]);

function addressTypeTest(
  { side }: Key & { kind: "address-type" },
  values: readonly Value[],
  negated: boolean,
): Alternatives | null {
  const types: AddressType[] = [];
  for (const value of values) {
    const type = value.kind === "atom" ? ADDRESS_TYPES.get(value.text) : undefined;
    if (type === undefined) return null;
    types.push(type);
  }
  return types.length === 0 ? (negated ? ALWAYS : NEVER) : [[{ kind: "address-type", side, types, negated }]];
}

type AddressKey = Key & { kind: "address" };

function addressTest(key: AddressKey, comparison: Comparison, find: FindSet): Alternatives | null {
  const { family, side } = key;
  const { operator, value } = comparison;
  const negated = operator === "!=";
  const ranges = addressRanges(key, comparison, find);
  if (ranges === null) return null;
  if (ranges.length === 0) return negated ? [[{ kind: "family", family }]] : NEVER;
  if (ranges.length === 1 && ranges[0]!.first === 0n && ranges[0]!.last === lastAddress(family))
    return negated ? NEVER : [[{ kind: "family", family }]];
  const name = value.kind === "named" ? value.name : null;
  return [[{ kind: "address", side, family, ranges, name, negated }]];
}

function addressRanges(
  { family }: AddressKey,
  { operator, mask, value }: Comparison,
  find: FindSet,
): readonly Range<bigint>[] | null {
  if (operator === "!") return null;
  if (value.kind === "named") {
    const set = find(value.name);
    if (!set || set.uncertain || mask !== null || !["is", "==", "!="].includes(operator)) return null;
    const cache = `address ${family}`;
    if (!set.known.has(cache)) set.known.set(cache, merged(elementKeys(set.elements), family));
    return set.known.get(cache) as readonly Range<bigint>[] | null;
  }
  const ranges = merged(flatten(value, find), family);
  const [only] = ranges ?? [];
  if (mask !== null) return only && ranges?.length === 1 ? maskedRange(family, only, mask) : null;
  if (operator === "is" || operator === "==" || operator === "!=") return ranges;
  if (!only || ranges?.length !== 1 || only.first !== only.last) return null;
  const bound = only.first;
  const [first, last] =
    operator === "<"
      ? [0n, bound - 1n]
      : operator === "<="
        ? [0n, bound]
        : operator === ">"
          ? [bound + 1n, lastAddress(family)]
          : [bound, lastAddress(family)];
  return first > last ? [] : [{ first, last }];
}

/** `ip saddr & 255.255.0.0 == 10.1.0.0`, where the ones of the mask come first. */
function maskedRange(
  family: Family,
  { first, last }: Range<bigint>,
  mask: Value,
): readonly Range<bigint>[] | null {
  const bits = mask.kind === "atom" ? addressOf(mask.text) : null;
  if (bits?.family !== family || first !== last) return null;
  const hostBits = lastAddress(family) ^ bits.value;
  if ((hostBits & (hostBits + 1n)) !== 0n) return null;
  return (first & hostBits) === 0n ? [{ first, last: first | hostBits }] : [];
}

function merged(values: readonly Value[] | null, family: Family): readonly Range<bigint>[] | null {
  if (values === null) return null;
  const ranges: Range<bigint>[] = [];
  for (const value of values) {
    const range = addressRange(value);
    if (range?.family !== family) return null;
    ranges.push({ first: range.first, last: range.last });
  }
  return mergeRanges(ranges);
}

/** The addresses that a value is; null where it is none. */
export function addressRange(value: Value): FamilyRange | null {
  if (value.kind === "atom") return prefixOf(value.text);
  return value.kind === "range" ? addressSpan(value.first, value.last) : null;
}

function stateBit(text: string): number | null {
  return STATE_BITS.get(text as State) ?? numberIn(text, 0xff);
}

function tcpBit(text: string): number | null {
  return TCP_FLAGS.get(text) ?? numberIn(text, 0xff);
}

/**
 * A test of a field of bits. With nothing between field and bits one of these has to be set, with `!` none; `==` and `!=`
 * compare the whole field, and so does a set (evaluate.c of nftables 1.0, and what `nft --debug=netlink` shows).
 */
function bitsTest(
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
function statusTest({ operator, mask, value }: Comparison): Alternatives | null {
  const bits = bitsOf(value, (text) => (text === "dnat" ? DNAT_BIT : numberIn(text, 0xffff)));
  return bits === DNAT_BIT && operator === "is" && mask === null ? [[{ kind: "dnat-status" }]] : null;
}

function concatTest(keys: readonly Key[], comparison: Comparison, find: FindSet): Alternatives | null {
  const { operator, mask, value, text } = comparison;
  if (mask !== null || (operator !== "is" && operator !== "==")) return null;
  const values = flatten(value, find);
  if (values === null) return null;
  const icmp = icmpPairs(keys, values);
  if (icmp !== null) return icmp;
  const alternatives: (readonly ScriptMatch[])[] = [];
  for (const one of values) {
    const tests = partTests(keys, one, text, find);
    if (tests === null) return null;
    alternatives.push(...tests);
  }
  return alternatives;
}

/** The elements of a set of several keys exclude each other, so each of them is a way of its own. */
export function partTests(
  keys: readonly Key[],
  value: Value,
  text: string,
  find: FindSet,
): Alternatives | null {
  const parts = keys.length === 1 ? [value] : value.kind === "concat" ? value.parts : [];
  if (parts.length !== keys.length) return null;
  let ways: Alternatives = ALWAYS;
  for (const [at, part] of parts.entries()) {
    const isAny = part.kind === "atom" && part.text === "*";
    // In a set bits are compared as a whole.
    const tests = isAny
      ? null
      : singleTest(keys[at]!, { operator: "==", mask: null, value: part, text }, find);
    if (tests === null) return null;
    ways = ways.flatMap((way) => tests.map((more) => [...way, ...more]));
  }
  return ways;
}

/** `icmp type . icmp code { … }`, which the model says in one test. */
function icmpPairs(keys: readonly Key[], values: readonly Value[]): Alternatives | null {
  const [type, code] = keys;
  if (
    keys.length !== 2 ||
    type?.kind !== "icmp-type" ||
    code?.kind !== "icmp-code" ||
    type.family !== code.family
  )
    return null;
  const { family } = type;
  const blocks: IcmpBlock[] = [];
  for (const value of values) {
    if (value.kind !== "concat" || value.parts.length !== 2) return null;
    const types = numbers([value.parts[0]!], (text) => icmpNumber(text, family, "icmp-type"), 255, "is")?.[0];
    const codes = numbers([value.parts[1]!], (text) => icmpNumber(text, family, "icmp-code"), 255, "is")?.[0];
    if (!types || !codes) return null;
    blocks.push({ types: [types.first, types.last], codes: [codes.first, codes.last] });
  }
  return icmpTest(family, blocks, false);
}

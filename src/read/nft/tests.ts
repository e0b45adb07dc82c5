import type { Family, Range } from "../../address/ranges.ts";
import type { AddressType } from "../../netfilter/ruleset.ts";
import type { ScriptMatch } from "../../netfilter/script.ts";
import {
  ALWAYS,
  type Alternatives,
  type IcmpBlock,
  icmpTest,
  NEVER,
  stateTest,
  tcpFlagsTest,
} from "../alternatives.ts";
import { numberIn, portOf, protocolOf } from "../names.ts";
import { portTest } from "../ports.ts";
import { addressTest } from "./address-tests.ts";
import { bitsTest, stateBit, statusTest, tcpBit } from "./bit-tests.ts";
import { type Comparison, type FindSet, flatten, implied, type Operator } from "./comparison.ts";
import { icmpNumber } from "./icmp.ts";
import type { Key } from "./keys.ts";
import type { Value } from "./values.ts";

/** What a test comes to; null where that is not known. */
export function testOf(keys: readonly Key[], comparison: Comparison, find: FindSet): Alternatives | null {
  const [key] = keys;
  return keys.length === 1 ? singleTest(key!, comparison, find) : concatTest(keys, comparison, find);
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
    case "ports":
      return portsTest(values, operator);
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

/** Both ports at once, by a number that is the one and then the other: equal to it, or not. */
function portsTest([value, ...others]: readonly Value[], operator: Operator): Alternatives | null {
  const both = value?.kind === "atom" && others.length === 0 ? numberIn(value.text, 0xffff_ffff) : null;
  if (both === null) return null;
  const first = Math.floor(both / 0x1_0000);
  const source = { kind: "port", side: "source", ports: [{ first, last: first }] } as const;
  const second = both % 0x1_0000;
  const destination = {
    kind: "port",
    side: "destination",
    ports: [{ first: second, last: second }],
  } as const;
  const isSource: ScriptMatch = { ...source, negated: false };
  if (operator === "is" || operator === "==") return [[isSource, { ...destination, negated: false }]];
  if (operator !== "!=") return null;
  return [[{ ...source, negated: true }], [isSource, { ...destination, negated: true }]];
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
    const key = keys[at]!;
    const mask = key.kind === "address" ? (key.mask ?? null) : null;
    // In a set bits are compared as a whole.
    const tests = isAny ? null : singleTest(key, { operator: "==", mask, value: part, text }, find);
    if (tests === null) return null;
    const [only] = tests;
    if (only && tests.length === 1 && ways.length === 1) ways = [[...ways[0]!, ...only]];
    else ways = ways.flatMap((way) => tests.map((more) => [...way, ...more]));
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

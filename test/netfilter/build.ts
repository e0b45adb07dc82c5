import type { Family, Range } from "../../src/address/ranges.ts";
import type {
  AddressType,
  Chain,
  Hook,
  LimitMatch,
  Match,
  Ruleset,
  RulesetRule,
  Side,
  State,
  Statement,
  TableName,
} from "../../src/netfilter/ruleset.ts";

// Short words for building rulesets in tests. What is not said is `false`, empty or null.

export const accept: Statement = { kind: "accept" };
export const drop: Statement = { kind: "drop" };

type Pair<T> = T | readonly [T, T];

function range<T extends bigint | number>(pair: Pair<T>): Range<T> {
  return typeof pair === "object" ? { first: pair[0], last: pair[1] } : { first: pair, last: pair };
}

export function addresses(
  side: Side,
  family: Family,
  ...ranges: Pair<bigint>[]
): Match & { kind: "address" } {
  return { kind: "address", side, family, ranges: ranges.map(range), name: null, negated: false };
}

export function protocols(...list: number[]): Match & { kind: "protocol" } {
  return { kind: "protocol", protocols: list, negated: false };
}

export function ports(side: Side, ...ranges: Pair<number>[]): Match & { kind: "port" } {
  return { kind: "port", side, ports: ranges.map(range), negated: false };
}

export function devices(side: "in" | "out", ...list: string[]): Match & { kind: "interface" } {
  return { kind: "interface", side, devices: list, negated: false };
}

export function icmp(family: Family, ...types: (number | readonly [number, number])[]): Match {
  return {
    kind: "icmp",
    family,
    types: types.map((type) =>
      typeof type === "number" ? { type, code: null } : { type: type[0], code: type[1] },
    ),
  };
}

export function types(side: Side, ...list: AddressType[]): Match & { kind: "address-type" } {
  return { kind: "address-type", side, types: list, negated: false };
}

export function states(...list: State[]): Match & { kind: "state" } {
  return { kind: "state", states: list, negated: false };
}

export function limit(count: number, unit: LimitMatch["unit"], burst: number): LimitMatch {
  return { kind: "limit", count, unit, burst };
}

export function not<M extends Match & { readonly negated: boolean }>(match: M): M {
  return { ...match, negated: true };
}

/** IPv4 address of four numbers, or of a dotted quad's value. */
export function ip(a: number, b: number, c: number, d: number): bigint {
  return BigInt(((a << 24) | (b << 16) | (c << 8) | d) >>> 0);
}

/** An address in 2001:db8::/32 by its last 32 bits. */
export function ip6(last: number): bigint {
  return (0x2001_0db8n << 96n) + BigInt(last);
}

/** A rule of no group and no origin. */
export function rule(
  matches: readonly Match[],
  statement: Statement,
  more: Partial<RulesetRule> = {},
): RulesetRule {
  return { matches, statement, log: null, origin: "", group: "", ...more };
}

export function base(table: TableName, hook: Hook, ...rules: RulesetRule[]): Chain {
  return { table, name: hook, base: { hook, policy: "accept" }, rules };
}

export function called(table: TableName, name: string, ...rules: RulesetRule[]): Chain {
  return { table, name, base: null, rules };
}

export function ruleset(...chains: Chain[]): Ruleset {
  return { chains };
}

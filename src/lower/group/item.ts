import type { Range } from "../../address/ranges.ts";
import type { Box, Field } from "../../netfilter/grouped.ts";
import type { AddressMatch, Match, RulesetRule } from "../../netfilter/ruleset.ts";

/** A rule as the grouping sees it. */
export interface Item {
  readonly rule: RulesetRule;
  /** What happens to a packet that matches. Rules with equal effects may change places even where they overlap. */
  readonly effect: string;
  /** Null for a rule that keeps to itself. */
  readonly shape: Shape | null;
  /** What the rule matches, in the fields of its shape. */
  readonly boxes: readonly Box[];
}

/** Rules of one shape ask the same, but for the values of some fields. There is one object for each shape. */
export interface Shape {
  readonly fields: readonly Field[];
  /** The tests that all rules of the shape share. */
  readonly rest: readonly Match[];
}

/** Addresses written in place that count as values of a rule; more of them are a list, which is better kept in one piece. */
const MOST_RANGES = 16;

/** Makes items of the rules of a ruleset, with one object for each shape. */
export function itemMaker(): (rule: RulesetRule) => Item {
  const shapes = new Map<string, Shape>();
  const lists = new Map<AddressMatch["ranges"], number>();
  const listNumber = (ranges: AddressMatch["ranges"]): number => {
    const known = lists.get(ranges);
    if (known !== undefined) return known;
    lists.set(ranges, lists.size);
    return lists.size - 1;
  };
  let alone = 0;
  return (rule) => {
    const effect = effectOf(rule);
    if (effect === null) return { rule, effect: `alone ${alone++}`, shape: null, boxes: [] };
    const values: { readonly field: Field; readonly name: string; readonly ranges: Box }[] = [];
    const rest: Match[] = [];
    for (const match of rule.matches) {
      const found = valuesOf(match);
      if (found) values.push(found);
      else rest.push(match);
    }
    values.sort((a, b) => FIELD_ORDER.indexOf(a.name) - FIELD_ORDER.indexOf(b.name));
    const isTwice = values.some(({ name }, at) => values[at + 1]?.name === name);
    if (values.length === 0 || isTwice) return { rule, effect, shape: null, boxes: [] };
    const keys = rest.map((match) => restKey(match, listNumber)).sort();
    const key = [
      ...values.map(({ field, name }) => `${name}${"family" in field ? field.family : ""}`),
      ...keys,
    ].join(";");
    const shape = shapes.get(key) ?? { fields: values.map(({ field }) => field), rest };
    shapes.set(key, shape);
    return { rule, effect, shape, boxes: boxesOf(values.map(({ ranges }) => ranges)) };
  };
}

/** Null for a rule that may not be merged with its equals: what it counts, or where it leads, depends on each match. */
function effectOf({ statement, log, matches }: RulesetRule): string | null {
  if (matches.some(({ kind }) => kind === "limit")) return null;
  const logged = log === null ? "" : ` log ${log.prefix}`;
  switch (statement.kind) {
    case "accept":
    case "drop":
    case "notrack":
      return statement.kind + logged;
    case "reject":
      return `reject with ${statement.with}${logged}`;
    default:
      return null;
  }
}

/** The order of the fields in a set. */
const FIELD_ORDER: readonly string[] = [
  "source address",
  "destination address",
  "protocol",
  "source port",
  "destination port",
];

/** The field that a test asks for and the values that it wants, where it is that plain. */
function valuesOf(match: Match): { field: Field; name: string; ranges: Box } | null {
  switch (match.kind) {
    case "address":
      if (match.negated || match.name !== null || match.ranges.length > MOST_RANGES) return null;
      return {
        field: { kind: "address", side: match.side, family: match.family },
        name: `${match.side} address`,
        ranges: match.ranges,
      };
    case "protocol":
      if (match.negated || match.protocols.length !== 1) return null;
      return { field: { kind: "protocol" }, name: "protocol", ranges: match.protocols.map(single) };
    case "port":
      if (match.negated || match.ports.length !== 1) return null;
      return {
        field: { kind: "port", side: match.side },
        name: `${match.side} port`,
        ranges: match.ports.map(({ first, last }) => ({ first: BigInt(first), last: BigInt(last) })),
      };
    default:
      return null;
  }
}

function single(value: number): Range<bigint> {
  return { first: BigInt(value), last: BigInt(value) };
}

/** Equal for tests that ask the same. A list of addresses is known by the array that all of its uses share. */
function restKey(match: Match, listNumber: (ranges: AddressMatch["ranges"]) => number): string {
  if (match.kind !== "address") return JSON.stringify(match);
  const { side, family, negated, name, ranges } = match;
  return JSON.stringify(["address", side, family, negated, name, listNumber(ranges)]);
}

/** Every way to take one range of each list. */
function boxesOf(lists: readonly Box[]): readonly Box[] {
  return lists.reduce<readonly Box[]>(
    (boxes, ranges) => boxes.flatMap((box) => ranges.map((range) => [...box, range])),
    [[]],
  );
}

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
    const values: Values[] = [];
    const rest: Match[] = [];
    for (const match of rule.matches) {
      const found = valuesOf(match);
      if (found) values.push(found);
      else rest.push(match);
    }
    values.sort((a, b) => a.order - b.order);
    const isTwice = values.some(({ order }, at) => values[at + 1]?.order === order);
    if (values.length === 0 || isTwice) return { rule, effect, shape: null, boxes: [] };
    const keys = rest.map((match) => restKey(match, listNumber)).sort();
    const key = [
      ...values.map(({ field, order }) => `${order}${"family" in field ? field.family : ""}`),
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

/** The values that a rule asks one field for. */
interface Values {
  readonly field: Field;
  /** The place of the field in a set: source, destination, protocol, source port, destination port. */
  readonly order: number;
  readonly ranges: Box;
}

/** The field that a test asks for and the values that it wants, where it is that plain. */
function valuesOf(match: Match): Values | null {
  switch (match.kind) {
    case "address": {
      const { side, family, negated, name, ranges } = match;
      if (negated || name !== null || ranges.length > MOST_RANGES) return null;
      return { field: { kind: "address", side, family }, order: side === "source" ? 0 : 1, ranges };
    }
    case "protocol":
      if (match.negated || match.protocols.length !== 1) return null;
      return { field: { kind: "protocol" }, order: 2, ranges: [single(match.protocols[0]!)] };
    case "port": {
      const { side, ports, negated } = match;
      const [only] = ports;
      if (negated || !only || ports.length !== 1) return null;
      const range = { first: BigInt(only.first), last: BigInt(only.last) };
      return { field: { kind: "port", side }, order: side === "source" ? 3 : 4, ranges: [range] };
    }
    default:
      return null;
  }
}

function single(value: number): Range<bigint> {
  return { first: BigInt(value), last: BigInt(value) };
}

/** Equal for tests that ask the same. A list of addresses is known by the array that all of its uses share. */
function restKey(match: Match, listNumber: (ranges: AddressMatch["ranges"]) => number): string {
  switch (match.kind) {
    case "family":
      return `family ${match.family}`;
    case "opening":
      return `opening ${match.negated}`;
    case "interface":
      // No name of a device has a blank in it.
      return `interface ${match.side} ${match.negated} ${match.devices.join(" ")}`;
    case "address": {
      const { side, family, negated, name, ranges } = match;
      return JSON.stringify(["address", side, family, negated, name, listNumber(ranges)]);
    }
    default:
      return JSON.stringify(match);
  }
}

/** Every way to take one range of each list. */
function boxesOf(lists: readonly Box[]): readonly Box[] {
  if (lists.every(({ length }) => length === 1)) return [lists.map(([only]) => only!)];
  return lists.reduce<readonly Box[]>(
    (boxes, ranges) => boxes.flatMap((box) => ranges.map((range) => [...box, range])),
    [[]],
  );
}

/** Cuts items into runs of one effect. */
export function runs(items: readonly Item[]): readonly (readonly Item[])[] {
  const found: Item[][] = [];
  for (const item of items) {
    const run = found.at(-1);
    if (run && run[0]!.effect === item.effect) run.push(item);
    else found.push([item]);
  }
  return found;
}

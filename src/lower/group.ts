import { mergeRanges, type Range } from "../address/ranges.ts";
import type {
  Box,
  Field,
  GroupedChain,
  GroupedMatch,
  GroupedRule,
  GroupedRuleset,
} from "../netfilter/grouped.ts";
import type { Match, Ruleset } from "../netfilter/ruleset.ts";
import { arrange } from "./group/arrange.ts";
import { cutLayers } from "./group/cut.ts";
import { type Item, itemMaker, type Shape } from "./group/item.ts";
import { commonOrigin, groupsOf, listed } from "./group/origin.ts";

/**
 * Fewer rules of one shape stay as they are, for their reader's sake: looking into a set costs the kernel as much as ten
 * rules, so that little is lost.
 */
export const LEAST_GROUPED = 32;

/**
 * The same ruleset with sets in the place of long runs of rules that differ in addresses, ports and protocols only, so that
 * a packet costs the same however many they are. Rules come together where it does not matter which of them a packet
 * meets first; where they overlap and do different things, each packet goes to the set of the one that it met first.
 * Rules with a limit, and rules that lead to other chains, stay as they are. Takes time linear in the number of rules but
 * for sorting. `least`: fewer rules of one shape are left alone.
 */
export function group(ruleset: Ruleset, least = LEAST_GROUPED): GroupedRuleset {
  const makeItem = itemMaker();
  return {
    chains: ruleset.chains.map((chain): GroupedChain => {
      if (chain.rules.length < least) return chain;
      const name = chain.table === "filter" ? chain.name : `${chain.table}-${chain.name}`;
      const groups = arrange(chain.rules.map(makeItem), least);
      return { ...chain, rules: groups.flatMap((items) => rulesOf(items, name, least)) };
    }),
  };
}

/**
 * The same ruleset with rules of one shape brought together where they may change places, if there are more than `most` of
 * them in a chain. Takes time linear in the number of rules.
 */
export function bringTogether(ruleset: Ruleset, most: number): Ruleset {
  const makeItem = itemMaker();
  return {
    chains: ruleset.chains.map((chain) => {
      if (chain.rules.length <= most) return chain;
      const groups = arrange(chain.rules.map(makeItem), most + 1);
      return { ...chain, rules: groups.flat().map(({ rule }) => rule) };
    }),
  };
}

/** The rules that do what the rules of one group do, of one shape each and in order. */
function rulesOf(items: readonly Item[], chain: string, least: number): readonly GroupedRule[] {
  const apart = (run: readonly Item[]): readonly GroupedRule[] =>
    merged(run, chain, least) ?? run.map(({ rule }) => rule);
  return merged(items, chain, least) ?? runs(items).flatMap(apart);
}

/** One rule for each effect; null where the rules are better left alone. `chain`: what sets of several policies are called. */
function merged(items: readonly Item[], chain: string, least: number): readonly GroupedRule[] | null {
  const shape = items[0]?.shape;
  if (!shape || items.length < least) return null;
  const layers = items.flatMap(({ boxes, effect }) => boxes.map((box) => ({ box, effect })));
  const cut = cutLayers(layers, shape.fields);
  if (cut === null) return null;
  return [...cut].flatMap(([effect, boxes]) => {
    if (boxes.length === 0) return [];
    const rules = items.filter((item) => item.effect === effect).map(({ rule }) => rule);
    const [policy, ...others] = groupsOf(rules);
    const name = policy !== undefined && others.length === 0 ? policy : chain;
    return [
      {
        ...rules[0]!,
        matches: [...shape.rest, ...testsOf(shape, boxes, name)],
        origin: commonOrigin(rules),
        group: listed(rules.map((rule) => rule.group)),
      },
    ];
  });
}

/** Cuts items into runs of one effect. */
function runs(items: readonly Item[]): readonly (readonly Item[])[] {
  const found: Item[][] = [];
  for (const item of items) {
    const run = found.at(-1);
    if (run && run[0]!.effect === item.effect) run.push(item);
    else found.push([item]);
  }
  return found;
}

/** Tests that the packets in some disjoint boxes pass, and no others. */
function testsOf({ fields }: Shape, boxes: readonly Box[], name: string): readonly GroupedMatch[] {
  const values = fields.map((_, at) => distinct(boxes.map((box) => box[at]!)));
  const combinations = values.reduce((count, { length }) => count * length, 1);
  // Boxes that are every combination of some values need not be listed.
  if (combinations === boxes.length) return fields.map((field, at) => plainTest(field, values[at]!, name));
  const protocol = fields.findIndex(({ kind }) => kind === "protocol");
  // Where the protocol is one of several fields that vary, its ports stand beside it.
  const varies = (field: Field, at: number): boolean =>
    values[at]!.length > 1 || (field.kind === "port" && protocol >= 0 && values[protocol]!.length > 1);
  const places = [...fields.keys()].filter((at) => varies(fields[at]!, at));
  const plain = [...fields.keys()].filter((at) => !places.includes(at));
  return [
    ...plain.map((at) => plainTest(fields[at]!, values[at]!, name)),
    {
      kind: "tuple",
      fields: places.map((at) => fields[at]!),
      boxes: boxes.map((box) => places.map((at) => box[at]!)),
      name,
    },
  ];
}

function distinct(ranges: readonly Range<bigint>[]): readonly Range<bigint>[] {
  return [...new Map(ranges.map((range) => [`${range.first}-${range.last}`, range])).values()];
}

/** A test of one field for any of some ranges. */
function plainTest(field: Field, ranges: readonly Range<bigint>[], name: string): Match {
  const union = mergeRanges(ranges);
  switch (field.kind) {
    case "address": {
      // A single range is no list that needs a name.
      return { ...field, ranges: union, name: union.length > 1 ? name : null, negated: false };
    }
    case "protocol":
      return { kind: "protocol", protocols: union.flatMap(numbers), negated: false };
    case "port": {
      const ports = union.map(({ first, last }) => ({ first: Number(first), last: Number(last) }));
      return { ...field, ports, negated: false };
    }
  }
}

function numbers({ first, last }: Range<bigint>): readonly number[] {
  return Array.from({ length: Number(last - first) + 1 }, (_, at) => Number(first) + at);
}

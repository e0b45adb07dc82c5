import type {
  Box,
  Field,
  GroupedChain,
  GroupedMatch,
  GroupedRule,
  GroupedRuleset,
} from "../netfilter/grouped.ts";
import type { Chain, Ruleset } from "../netfilter/ruleset.ts";
import { carryOut } from "./dispatch/plan.ts";
import { dispatch, MOST_LINES } from "./dispatch.ts";
import { arrange } from "./group/arrange.ts";
import { cutLayers } from "./group/cut.ts";
import { type Item, itemMaker } from "./group/item.ts";
import { commonOrigin, groupsOf, listed } from "./group/origin.ts";
import { testsOf } from "./group/tests.ts";

/**
 * Fewer rules of one shape stay as they are, for their reader's sake: looking into a set costs the kernel as much as ten
 * rules, so that little is lost.
 */
export const LEAST_GROUPED = 32;

/**
 * The same ruleset with sets in the place of long runs of rules that differ in addresses, ports and protocols only, so that
 * a packet costs the same however many they are. Rules come together where it does not matter which of them a packet
 * meets first; where they overlap and do different things, each packet goes to the set of the one that it met first.
 * What cannot come together, and is still long, becomes a tree. Rules with a limit stay as they are. Takes time linear in the number of rules but
 * for sorting. `least`: fewer rules of one shape are left alone.
 */
export function group(ruleset: Ruleset, least = LEAST_GROUPED): GroupedRuleset {
  const rulesOf = groupedRules(testsOf, least);
  const branches: GroupedChain[] = [];
  const chains = ruleset.chains.map((chain): GroupedChain => {
    if (chain.rules.length < least) return chain;
    const { table } = chain;
    const grouped = dispatch(rulesOf(chain), null);
    // Lists that are in each other's way everywhere make many small sets: then a tree of the rules as they are is better.
    const plain = grouped.cost > 3 * MOST_LINES ? dispatch<GroupedRule>(chain.rules, null) : grouped;
    let parts = 0;
    const rules = carryOut(plain.cost < grouped.cost ? plain : grouped, (_, lines) => {
      const part = `${chain.name}-part-${++parts}`;
      branches.push({ table, name: part, base: null, rules: lines });
      return part;
    });
    return { ...chain, rules };
  });
  return { chains: [...chains, ...branches] };
}

/**
 * Tests that the packets in some disjoint boxes pass, and no others: lists of them, and a packet passes all tests of one
 * list. `name`: what sets are called. Null where the rules are better left alone.
 */
export type MakeTests = (
  fields: readonly Field[],
  boxes: readonly Box[],
  name: string,
) => readonly (readonly GroupedMatch[])[] | null;

/** Makes, of the rules of one chain, those that do the same with fewer rules that ask for more: `makeTests` says how. */
export function groupedRules(makeTests: MakeTests, least: number): (chain: Chain) => readonly GroupedRule[] {
  const makeItem = itemMaker();
  return ({ table, name, rules }) => {
    const place = table === "filter" ? name : `${table}-${name}`;
    const merge = (items: readonly Item[]) => merged(items, place, least, makeTests);
    const apart = (run: readonly Item[]): readonly GroupedRule[] => merge(run) ?? run.map(({ rule }) => rule);
    return arrange(rules.map(makeItem), least).flatMap((items) => merge(items) ?? runs(items).flatMap(apart));
  };
}

/**
 * The same ruleset with rules of one shape brought together where they may change places, if there are more than `most` of
 * them in a chain. Takes time linear in the number of rules.
 */
export function bringTogether(ruleset: Ruleset, most: number): Ruleset {
  const known = brought.get(ruleset);
  if (known?.most === most) return known.together;
  const makeItem = itemMaker();
  const together: Ruleset = {
    chains: ruleset.chains.map((chain) => {
      if (chain.rules.length <= most) return chain;
      const groups = arrange(chain.rules.map(makeItem), most + 1);
      return { ...chain, rules: groups.flat().map(({ rule }) => rule) };
    }),
  };
  brought.set(ruleset, { most, together });
  return together;
}

/** Both families of iptables bring the rules of one ruleset together. */
const brought = new WeakMap<Ruleset, { readonly most: number; readonly together: Ruleset }>();

/** A rule for each effect and each set that it takes; null where the rules are better left alone. `chain`: what sets of several policies are called. */
function merged(
  items: readonly Item[],
  chain: string,
  least: number,
  makeTests: MakeTests,
): readonly GroupedRule[] | null {
  const shape = items[0]?.shape;
  if (!shape || items.length < least) return null;
  const layers = items.flatMap(({ boxes, effect }) => boxes.map((box) => ({ box, effect })));
  const cut = cutLayers(layers, shape.fields);
  if (cut === null) return null;
  // No packet is in two sets. What is let through meets its set first: it is what there is most of.
  const passing = ([effect]: readonly [string, unknown]): number =>
    /^(?:accept|notrack)/.test(effect) ? 0 : 1;
  const found: GroupedRule[] = [];
  for (const [effect, boxes] of [...cut].toSorted((a, b) => passing(a) - passing(b))) {
    if (boxes.length === 0) continue;
    const rules = items.filter((item) => item.effect === effect).map(({ rule }) => rule);
    const [policy, ...others] = groupsOf(rules);
    const name = policy !== undefined && others.length === 0 ? policy : chain;
    const tests = makeTests(shape.fields, boxes, name);
    if (tests === null) return null;
    const origin = commonOrigin(rules);
    const group = listed(rules.map((rule) => rule.group));
    for (const some of tests) found.push({ ...rules[0]!, matches: [...shape.rest, ...some], origin, group });
  }
  return found;
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

import type { MappedChain, MappedRule, MappedRuleset } from "../netfilter/grouped.ts";
import type { Chain, Ruleset, RulesetRule } from "../netfilter/ruleset.ts";
import { carryOut } from "./dispatch/plan.ts";
import { dispatch, MOST_LINES } from "./dispatch.ts";
import { arrange } from "./group/arrange.ts";
import { cutLayers } from "./group/cut.ts";
import type { Effect, MakeRules } from "./group/effect.ts";
import { type Item, itemMaker, runs, type Shape } from "./group/item.ts";
import { mapsOrTests } from "./group/maps.ts";
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
 * What cannot come together, and is still long, becomes a tree. Rules with a limit stay as they are. Takes time linear in the number of rules but
 * for sorting. `least`: fewer rules of one shape are left alone.
 */
export function group(ruleset: Ruleset, least = LEAST_GROUPED): MappedRuleset {
  const branches: MappedChain[] = [];
  const chains = ruleset.chains.map((chain): MappedChain => {
    if (chain.rules.length < least) return chain;
    const { table } = chain;
    const addChain = (kind: string): ((rules: readonly MappedRule[]) => string) => {
      let count = 0;
      return (rules) => {
        const name = `${chain.name}-${kind}-${++count}`;
        branches.push({ table, name, base: null, rules });
        return name;
      };
    };
    const grouped = dispatch(
      groupedRules(mapsOrTests(placeOf(chain), addChain("verdict")), least)(chain),
      null,
    );
    // Lists that are in each other's way everywhere make many small sets: then a tree of the rules as they are is better.
    const plain = grouped.cost > 3 * MOST_LINES ? dispatch<MappedRule>(chain.rules, null) : grouped;
    const addPart = addChain("part");
    const rules = carryOut(plain.cost < grouped.cost ? plain : grouped, (_, lines) => addPart(lines));
    return { ...chain, rules };
  });
  return { chains: [...chains, ...branches] };
}

function placeOf({ table, name }: Chain): string {
  return table === "filter" ? name : `${table}-${name}`;
}

/** Makes, of the rules of one chain, those that do the same with fewer rules that ask for more: `makeRules` says how. */
export function groupedRules<R extends MappedRule>(
  makeRules: MakeRules<R>,
  least: number,
): (chain: Chain) => readonly (R | RulesetRule)[] {
  const makeItem = itemMaker();
  return (chain) => {
    const merge = (items: readonly Item[]): readonly R[] | null => {
      const shape = items[0]?.shape;
      if (!shape || items.length < least) return null;
      const effects = effectsOf(items, shape, placeOf(chain));
      return effects && makeRules(shape, effects);
    };
    const apart = (run: readonly Item[]): readonly (R | RulesetRule)[] =>
      merge(run) ?? run.map(({ rule }) => rule);
    return arrange(chain.rules.map(makeItem), least).flatMap(
      (items): readonly (R | RulesetRule)[] => merge(items) ?? runs(items).flatMap(apart),
    );
  };
}

/**
 * What the rules of one shape do, cut apart so that each packet is with the first rule that it matches; null where that would
 * make too many boxes. `chain`: what sets of several policies are called.
 */
function effectsOf(items: readonly Item[], shape: Shape, chain: string): readonly Effect[] | null {
  const layers = items.flatMap(({ boxes, effect }) => boxes.map((box) => ({ box, effect })));
  const cut = cutLayers(layers, shape.fields);
  if (cut === null) return null;
  // No packet is in two sets. What is let through meets its set first: it is what there is most of.
  const passing = ([effect]: readonly [string, unknown]): number =>
    /^(?:accept|notrack)/.test(effect) ? 0 : 1;
  return [...cut]
    .toSorted((a, b) => passing(a) - passing(b))
    .filter(([, boxes]) => boxes.length > 0)
    .map(([effect, boxes]) => {
      const rules = items.filter((item) => item.effect === effect).map(({ rule }) => rule);
      const [policy, ...others] = groupsOf(rules);
      return {
        boxes,
        rule: rules[0]!,
        name: policy !== undefined && others.length === 0 ? policy : chain,
        origin: commonOrigin(rules),
        group: listed(rules.map(({ group: heading }) => heading)),
      };
    });
}

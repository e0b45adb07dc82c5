import { mergeRanges } from "../../address/ranges.ts";
import type { Chain, Match, Ruleset, RulesetRule } from "../../netfilter/ruleset.ts";
import { arrange } from "./arrange.ts";
import { type Item, itemMaker, runs, type Shape } from "./item.ts";
import { commonOrigin, listed } from "./origin.ts";
import { distinctRanges, plainTest } from "./tests.ts";

/** Rules are told together where that makes so many times fewer of them; else each of them is better seen by itself. */
const WORTH = 4;

/**
 * The same ruleset for programs that have no sets: in chains of more than `most` rules, those of one shape stand together
 * as far as they may change places, and those that do the same and differ in one field, in which their values touch, are one
 * rule: ten thousand ports in a row are a range. Takes time linear in the number of rules, but for sorting.
 */
export function bringTogether(ruleset: Ruleset, most: number): Ruleset {
  const known = brought.get(ruleset);
  if (known?.most === most) return known.together;
  const makeItem = itemMaker();
  const together: Ruleset = {
    chains: ruleset.chains.map((chain): Chain => {
      if (chain.rules.length <= most) return chain;
      const groups = arrange(chain.rules.map(makeItem), most + 1);
      return {
        ...chain,
        rules: groups.flatMap((items) => runs(items).flatMap((run) => toldTogether(run, most))),
      };
    }),
  };
  brought.set(ruleset, { most, together });
  return together;
}

/** Both families of iptables bring the rules of one ruleset together. */
const brought = new WeakMap<Ruleset, { readonly most: number; readonly together: Ruleset }>();

/** The rules that say what a run of rules says, those told together that differ in one field. */
function toldTogether(run: readonly Item[], most: number): readonly RulesetRule[] {
  const shape = run[0]!.shape;
  if (!shape || run.length <= most) return run.map(({ rule }) => rule);
  const counts = shape.fields.map((_, at) => distinctRanges(run.map(({ boxes }) => boxes[0]![at]!)).length);
  const place = counts.indexOf(Math.max(...counts));
  const alike = new Map<string, Item[]>();
  for (const item of run) {
    const others = item.boxes.map((box) =>
      box.map(({ first, last }, at) => (at === place ? "" : `${first}-${last}`)).join(),
    );
    // Rules of several boxes keep to themselves.
    const key = others.length > 1 ? `${alike.size} alone` : others[0]!;
    const same = alike.get(key);
    if (same) same.push(item);
    else alike.set(key, [item]);
  }
  return [...alike.values()].flatMap((items) => asOne(items, shape, place) ?? items.map(({ rule }) => rule));
}

/** The one rule for some that differ in one field; null where it would not be much shorter. */
function asOne(items: readonly Item[], { fields, rest }: Shape, place: number): RulesetRule | null {
  if (items.length < WORTH) return null;
  const ranges = mergeRanges(items.map(({ boxes }) => boxes[0]![place]!));
  if (WORTH * ranges.length > items.length) return null;
  const [{ rule, boxes }] = items as [Item];
  const rules = items.map((item) => item.rule);
  return {
    ...rule,
    matches: [
      ...rest,
      ...fields.map((field, at): Match => plainTest(field, at === place ? ranges : [boxes[0]![at]!], "")),
    ],
    origin: commonOrigin(rules),
    group: listed(rules.map(({ group }) => group)),
  };
}

import type { GroupedRuleset } from "../../netfilter/grouped.ts";
import type { Ruleset } from "../../netfilter/ruleset.ts";
import { rulesWith } from "../group/effect.ts";
import { groupedRules } from "../group.ts";
import type { SetCosts } from "./cost.ts";
import { setTests } from "./tests.ts";

/**
 * The same ruleset with long runs of rules that differ in addresses, protocols and ports brought together into rules that
 * ask one list each, as sets of the kernel can hold it; see `group` for what may come together. Rules that no set can
 * hold, and lists that a tree is quicker for, stay lines. Takes time linear in the number of rules but for sorting.
 */
export function groupIntoSets(ruleset: Ruleset, costs: SetCosts): GroupedRuleset {
  const { least } = costs;
  const rulesOf = groupedRules(rulesWith(setTests(costs)), least);
  return {
    chains: ruleset.chains.map((chain) =>
      chain.rules.length < least ? chain : { ...chain, rules: rulesOf(chain) },
    ),
  };
}

import type { Box, Field, GroupedMatch, GroupedRule, MappedRule } from "../../netfilter/grouped.ts";
import type { RulesetRule } from "../../netfilter/ruleset.ts";
import type { Shape } from "./item.ts";

/** Rules of one shape that do the same to a packet, as one. */
export interface Effect {
  /** What they match, in the fields of the shape; no packet matches two effects. */
  readonly boxes: readonly Box[];
  /** One of the rules: what it does and logs, all do. */
  readonly rule: RulesetRule;
  /** What a set of theirs may be called. */
  readonly name: string;
  readonly origin: string;
  readonly group: string;
}

/** Rules that do what some effects do, with fewer tests than there were; null where the rules are better left alone. */
export type MakeRules<R extends MappedRule> = (
  shape: Shape,
  effects: readonly Effect[],
) => readonly R[] | null;

/**
 * Tests that the packets in some disjoint boxes pass, and no others: lists of them, and a packet passes all tests of one
 * list. `name`: what sets are called. Null where the rules are better left alone.
 */
export type MakeTests = (
  fields: readonly Field[],
  boxes: readonly Box[],
  name: string,
) => readonly (readonly GroupedMatch[])[] | null;

/** Makes rules with the tests that `makeTests` makes for each effect. */
export function rulesWith(makeTests: MakeTests): MakeRules<GroupedRule> {
  return ({ fields, rest }, effects) => {
    const found: GroupedRule[] = [];
    for (const { boxes, rule, name, origin, group: heading } of effects) {
      const tests = makeTests(fields, boxes, name);
      if (tests === null) return null;
      for (const some of tests) found.push({ ...rule, matches: [...rest, ...some], origin, group: heading });
    }
    return found;
  };
}

import { type Box, commonSize, type GroupedMatch, type MappedRule } from "../../netfilter/grouped.ts";
import type { Match, RulesetRule } from "../../netfilter/ruleset.ts";
import { commonOrigin } from "../group/origin.ts";

/** What stands in a chain, before the chains that it leads to have names. */
export interface Plan<R extends MappedRule> {
  readonly steps: readonly Step<R>[];
  /** What a packet meets at most, here and below, in lines of plain tests. */
  readonly cost: number;
}

export type Step<R extends MappedRule> =
  | { readonly kind: "line"; readonly rule: R }
  /** A packet takes one of the branches, or none. */
  | { readonly kind: "branches"; readonly by: "jump" | "goto"; readonly branches: readonly Branch<R>[] };

export interface Branch<R extends MappedRule> {
  readonly tests: readonly Match[];
  /** The lines that stand below. */
  readonly rules: readonly R[];
  readonly plan: Plan<R>;
}

export function planOf<R extends MappedRule>(steps: readonly Step<R>[]): Plan<R> {
  let met = 0;
  let worst = 0;
  for (const step of steps) {
    if (step.kind === "line") {
      met += lineCost(step.rule);
      continue;
    }
    const below = step.branches.reduce((most, { plan }) => Math.max(most, plan.cost), 0);
    worst = Math.max(worst, met + step.branches.length + below);
    // Who jumped comes back.
    met += step.branches.length + (step.by === "jump" ? below : 0);
  }
  return { steps, cost: Math.max(worst, met) };
}

export function plainPlan<R extends MappedRule>(rules: readonly R[]): Plan<R> {
  return planOf(rules.map((rule) => ({ kind: "line", rule })));
}

/** Lines of plain tests that a lookup in a hash takes as long as, one in bit maps, and elements of those that cost another. */
const HASH = 6;
const BITMAPS = 15;
const ELEMENTS = 250;

function lineCost({ matches, statement }: MappedRule): number {
  const own = statement.kind === "map" ? boxesCost(statement.cases.map(({ box }) => box)) : 0;
  return matches.reduce((cost, match) => cost + lookupCost(match), 1 + own);
}

function lookupCost(match: GroupedMatch): number {
  if (match.kind === "tuple") return boxesCost(match.boxes);
  return match.kind === "address" ? treeCost(match.ranges.length) : 0;
}

function boxesCost(boxes: readonly Box[]): number {
  if (commonSize(boxes)) return HASH;
  return boxes[0]!.length === 1 ? treeCost(boxes.length) : BITMAPS + Math.floor(boxes.length / ELEMENTS);
}

function treeCost(ranges: number): number {
  return Math.floor(2 * Math.log2(ranges));
}

/** A line as it was, or one that leads on to others. */
export type Line<R extends MappedRule> = R | RulesetRule;

/** Makes a chain, named after the group, and gives its name. */
export type AddChain<R extends MappedRule> = (group: string, rules: readonly Line<R>[]) => string;

/** The lines of a plan, and the chains that they lead to. */
export function carryOut<R extends MappedRule>(
  { steps }: Plan<R>,
  addChain: AddChain<R>,
): readonly Line<R>[] {
  return steps.flatMap((step): readonly Line<R>[] => {
    if (step.kind === "line") return [step.rule];
    return step.branches.map(({ tests, rules, plan }): RulesetRule => {
      const chain = addChain(rules[0]!.group, carryOut(plan, addChain));
      const statement = { kind: step.by, chain };
      // A comment of iptables is longer than the line, and within a tree it would stand between a packet and the next line.
      const origin = step.by === "jump" ? commonOrigin(rules) : "";
      return { matches: tests, log: null, statement, origin, group: "" };
    });
  });
}

import type { Path } from "../policy/packet.ts";
import type { AddressSet, Rule } from "../policy/policy.ts";
import { Buckets } from "./buckets.ts";
import { mayOverlap } from "./overlap.ts";

/** Comparisons that one run may make before it stops asking and says yes. */
const BUDGET = 20_000_000;

/**
 * The rules that need a guard in a chain that holds only some of the rules, the *targets*: those other rules that take
 * packets from a target further down. Without a guard the chain would do to these packets what the target says.
 *
 * Targets are kept in buckets by the one port they speak of, and the rules are walked from the last to the first, so that
 * each is compared only with targets that follow it and that share a port with it.
 */
export function rulesToGuard(
  rules: readonly Rule[],
  isTarget: (rule: Rule) => boolean,
  paths: readonly Path[],
  self: AddressSet | null,
): ReadonlySet<Rule> {
  const guarded = new Set<Rule>();
  const later = new Buckets();
  let budget = BUDGET;
  for (const rule of rules.toReversed()) {
    if (isTarget(rule)) {
      later.add(rule);
      continue;
    }
    for (const target of later.candidates(rule)) {
      if (budget-- > 0 && !mayOverlap(rule.match, target.match, paths, self)) continue;
      guarded.add(rule);
      break;
    }
  }
  return guarded;
}

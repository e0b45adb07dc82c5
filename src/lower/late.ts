import type { Path } from "../policy/packet.ts";
import { canTakePath } from "../policy/paths.ts";
import type { AddressSet, Match, Policy, Rule } from "../policy/policy.ts";
import type { HookView } from "./hooks.ts";
import { type Line, linesAt } from "./lines.ts";
import { meetLines } from "./meet.ts";
import { mayOverlap } from "./overlap.ts";

/**
 * The untracked denies that raw can carry out for some forwarded packets and not for others, each with the rules above it
 * that may take packets from it once it is known where they leave. Of these packets raw must keep its hands: a tracked rule
 * above may want them to pass, and an untracked allow above leaves them untracked before anybody asks.
 */
export function denialsInDoubt(policy: Policy): ReadonlyMap<Rule, readonly Rule[]> {
  const isKnown = policy.self !== null;
  const found = new Map<Rule, readonly Rule[]>();
  const takers: Rule[] = [];
  for (const rule of policy.rules) {
    if (!canTakePath(rule.match, "forward", isKnown)) continue;
    const isDenial = !rule.tracked && rule.action !== "allow";
    if (!isDenial && rule.match.out !== null) takers.push(rule);
    if (!isDenial || rule.match.out !== null || takers.length === 0) continue;
    const above = takers.filter(({ match }) =>
      mayOverlap(anywhereOut(match), rule.match, ["forward"], policy.self),
    );
    if (above.length > 0) found.set(rule, above);
  }
  return found;
}

/** Lines for the packets on some paths that two matches have in common. */
export function linesOfBoth(
  a: Match,
  b: Match,
  view: HookView,
  self: AddressSet | null,
  paths: readonly Path[] = view.paths,
): Line[] {
  const others = linesAt(b, view, self, paths);
  return linesAt(a, view, self, paths).flatMap((line) =>
    others.flatMap((other) => {
      const both = meetLines(line, other);
      return both ? [both] : [];
    }),
  );
}

/** A match wherever its packets leave: all that raw can ask of forwarded ones. */
export function anywhereOut(match: Match): Match {
  return { ...match, out: null };
}

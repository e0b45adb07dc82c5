import { canTakePath } from "../policy/paths.ts";
import type { Policy, Rule } from "../policy/policy.ts";
import type { HookView } from "./hooks.ts";
import { type Line, linesAt } from "./lines.ts";
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
      mayOverlap({ ...match, out: null }, rule.match, ["forward"], policy.self),
    );
    if (above.length > 0) found.set(rule, above);
  }
  return found;
}

/** Lines for the forwarded packets that two rules match, wherever the first asks them to leave. */
export function linesOfBoth(taker: Rule, denial: Rule, view: HookView, { self }: Policy): Line[] {
  const theirs = linesAt({ ...taker.match, out: null }, view, self, ["forward"]);
  const own = linesAt(denial.match, view, self, ["forward"]);
  return theirs.flatMap((line) =>
    own.map((more) => [...line, ...more.filter((test) => !line.some((known) => sameTest(known, test)))]),
  );
}

function sameTest(a: Line[number], b: Line[number]): boolean {
  return a === b || JSON.stringify(a, asText) === JSON.stringify(b, asText);
}

function asText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

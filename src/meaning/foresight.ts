import type { Family } from "../address/ranges.ts";
import { single } from "../address/ranges.ts";
import type { Diagram } from "../packets/nodes.ts";
import { type MatchRule, rankRules } from "../packets/rules.ts";
import { PATHS } from "../policy/paths.ts";
import type { Policy } from "../policy/policy.ts";
import { type Outcomes, UNDECIDED } from "./outcomes.ts";
import { leavesOf, outcomeOf, policySequence } from "./rule-outcomes.ts";
import type { SeenFields, SeenWorld } from "./seen.ts";
import { sequenceOf } from "./sequence.ts";
import { cubesOf } from "./world.ts";

/**
 * Settles which untracked denies drop a forwarded packet before its destination is rewritten: of `raw`, a map of the rules as
 * raw carries them out, every `early` and `early-out` becomes `early` where raw drops or untracks the packet though it does
 * not know where it leaves, and `early-out` where the deny has to wait for that.
 */
export function waitsDecided(
  policy: Policy,
  raw: Diagram,
  family: Family,
  world: SeenWorld,
  outcomes: Outcomes,
): Diagram {
  const mayWait = policy.rules.some(({ match }) => match.out) && policy.rules.some(isUntrackedDeny);
  if (!mayWait || raw === world.seenSpaces[family].nothing) return raw;
  const space = world.seenSpaces[family];
  const leaves = leavesOf(outcomes);
  const forwarded = space.restrict(raw, space.set([{ path: [single(PATHS.indexOf("forward"))] }]));
  const waitsUnless = outcomes.rewriter(({ kind }) =>
    kind === "early" || kind === "untracked" ? leaves.early : leaves.earlyOut,
  );
  const settle = outcomes.grafter(
    ({ kind }, self, seen) => (kind === "early" || kind === "early-out" ? waitsUnless(seen) : self),
    { once: "either" },
  );
  const decided = space.combine(forwarded, beforeRouting(policy, family, world, outcomes), (one, seen) =>
    one === UNDECIDED ? UNDECIDED : settle(one, seen),
  );
  return space.overlay(decided, raw);
}

/**
 * What raw does with forwarded packets, of which it does not know where they leave: an untracked deny that asks it cannot
 * act, and every other rule that asks it has a say in all packets that meet its other conditions. Leaves `tracked`,
 * `untracked` and `early`; undecided where no rule matches.
 */
function beforeRouting(policy: Policy, family: Family, world: SeenWorld, outcomes: Outcomes): Diagram {
  const leaves = leavesOf(outcomes);
  const list: MatchRule<SeenFields>[] = [];
  for (const [index, rule] of policy.rules.entries()) {
    if (isUntrackedDeny(rule) && rule.match.out) continue;
    const match = cubesOf({ ...rule.match, out: null }, family, policy.self, world.devices, ["forward"]);
    if (match.length === 0) continue;
    // A tracked rule keeps its packets whether or not its limit has room.
    const verdict = rule.tracked ? leaves.tracked : outcomeOf(rule, index, ["forward"], outcomes);
    list.push({ match, verdict });
  }
  return sequenceOf(rankRules(world.seenSpaces[family], list), policySequence(outcomes));
}

function isUntrackedDeny({ tracked, action }: Policy["rules"][number]): boolean {
  return !tracked && action !== "allow";
}

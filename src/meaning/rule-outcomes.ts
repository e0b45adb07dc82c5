import type { Path } from "../policy/packet.ts";
import type { Rule } from "../policy/policy.ts";
import { type Outcome, type Outcomes, type Question, UNDECIDED } from "./outcomes.ts";
import type { Sequence } from "./sequence.ts";

/*
 * What single rules come to, raw and filter in one, and how one rule goes on after another.
 */

/** What a rule can come to. */
export function leavesOf(outcomes: Outcomes) {
  return {
    accept: outcomes.leaf("accept", "tracked"),
    untrackedAccept: outcomes.leaf("accept", "untracked"),
    drop: outcomes.leaf("drop"),
    reject: outcomes.leaf("reject"),
    reset: outcomes.leaf("reject", "tcp-reset"),
    unreachable: outcomes.leaf("reject", "port-unreachable"),
    tracked: outcomes.leaf("tracked"),
    /** A tracked rule matched, whose limit was used up: raw is settled, the filter is not. */
    staysTracked: outcomes.leaf("stays-tracked"),
    untracked: outcomes.leaf("untracked"),
    early: outcomes.leaf("early"),
    earlyOut: outcomes.leaf("early-out"),
  };
}

/** What a rule comes to for the packets that it matches on some paths, which share one bucket of its limit. */
export function outcomeOf(rule: Rule, index: number, paths: readonly Path[], outcomes: Outcomes): Outcome {
  const leaves = leavesOf(outcomes);
  const { action, tracked, match, limit } = rule;
  const waits = action !== "allow" && match.out !== null && paths.includes("forward");
  const decided = tracked
    ? { allow: leaves.accept, deny: leaves.drop, reject: leaves.reject }[action]
    : action === "allow"
      ? leaves.untracked
      : waits
        ? leaves.earlyOut
        : leaves.early;
  if (!limit) return decided;
  const { count, unit, burst } = limit;
  const bucket = `rule ${index}, ${paths.join()}, ${tracked ? "filter" : "raw"}`;
  const question: Question = { kind: "limit", count, unit, burst, bucket };
  return outcomes.ask(question, decided, tracked ? leaves.staysTracked : UNDECIDED);
}

/**
 * How rules follow each other. Once a tracked rule has matched, raw is settled, whether or not the rule's limit had room;
 * what comes after acts in the filter.
 */
export function policySequence(outcomes: Outcomes): Sequence {
  const asTracked = trackedRewriter(outcomes);
  const join = outcomes.grafter(
    ({ kind }, self, next) =>
      kind === "undecided" ? next : kind === "stays-tracked" ? asTracked(next) : self,
    { once: "either" },
  );
  const open = new Set(["undecided", "stays-tracked"]);
  const settled = (outcome: Outcome): boolean => {
    const leaf = outcomes.leafOf(outcome);
    return leaf !== null && !open.has(leaf.kind);
  };
  return { join, settled };
}

/** What the rules do in the filter, to a packet that is tracked whatever they say. */
export function trackedRewriter(outcomes: Outcomes): (outcome: Outcome) => Outcome {
  const leaves = leavesOf(outcomes);
  const inFilter: Readonly<Record<string, Outcome>> = {
    untracked: leaves.accept,
    early: leaves.drop,
    "early-out": leaves.drop,
    undecided: leaves.staysTracked,
  };
  return outcomes.rewriter(
    ({ kind }, self) => inFilter[kind] ?? self,
    (question) =>
      question.kind === "limit"
        ? { ...question, bucket: question.bucket.replace(/raw$/, "filter") }
        : question,
  );
}

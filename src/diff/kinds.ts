import type { Outcome, Outcomes, Question } from "../meaning/outcomes.ts";

/** A leaf: the destination is rewritten, and nothing that the packet becomes can pass. */
export const STOPPED = "translate-stopped";

/** What changes, in the order in which it is told: what opens something first. */
export const CHANGE_KINDS = [
  "allowed",
  "denied",
  "limit",
  "untracked",
  "tracked",
  "translation",
  "answer",
] as const;

export type ChangeKind = (typeof CHANGE_KINDS)[number];

/** Headings for people. */
export const CHANGE_NAMES: Readonly<Record<ChangeKind, string>> = {
  allowed: "newly allowed",
  denied: "newly denied",
  limit: "limited otherwise",
  untracked: "now untracked",
  tracked: "now tracked",
  translation: "translated otherwise",
  answer: "denied otherwise",
};

/** How much of some packets passes: none, as much as a limit lets through, or all. */
type Access = 0 | 1 | 2;

function accessOf(outcome: Outcome, outcomes: Outcomes): Access {
  const passes = outcomes.leavesOf(outcome).map(({ kind }) => kind === "accept" || kind === "translate");
  return passes.every((one) => one) ? 2 : passes.some((one) => one) ? 1 : 0;
}

/** What a change from one outcome to another is. Of several things that change at once, the one told first counts. */
export function kindOf(before: Outcome, after: Outcome, outcomes: Outcomes): ChangeKind {
  const was = accessOf(before, outcomes);
  const is = accessOf(after, outcomes);
  if (is > was) return "allowed";
  if (is < was) return "denied";
  if (is === 1) return isLooser(before, after, outcomes) ? "allowed" : "limit";
  if (is === 0)
    return isTranslated(before, outcomes) || isTranslated(after, outcomes) ? "translation" : "answer";
  const a = outcomes.leafOf(before);
  const b = outcomes.leafOf(after);
  if (a?.kind === "accept" && b?.kind === "accept") return b.detail === "untracked" ? "untracked" : "tracked";
  if (isTranslated(before, outcomes) || isTranslated(after, outcomes)) return "translation";
  return "limit";
}

function isTranslated(outcome: Outcome, outcomes: Outcomes): boolean {
  return outcomes.leavesOf(outcome).some(({ kind }) => kind === "translate" || kind === STOPPED);
}

const SECONDS: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3600, day: 86_400 };

/** Whether more packets may pass afterwards. Where nobody can tell, they may. */
function isLooser(before: Outcome, after: Outcome, outcomes: Outcomes): boolean {
  const a = outcomes.askedOf(before);
  const b = outcomes.askedOf(after);
  if (!a || !b) return true;
  const sameEnds = a.yes === b.yes && a.no === b.no;
  const admits = accessOf(a.yes, outcomes) === 2 && accessOf(a.no, outcomes) === 0;
  if (!sameEnds || !admits) return true;
  return rateOf(b.question) > rateOf(a.question) || burstOf(b.question) > burstOf(a.question);
}

function rateOf(question: Question): number {
  return question.kind === "limit" ? question.count / SECONDS[question.unit]! : Number.POSITIVE_INFINITY;
}

function burstOf(question: Question): number {
  return question.kind === "limit" ? question.burst : Number.POSITIVE_INFINITY;
}

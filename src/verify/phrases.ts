import type { Outcome, Outcomes } from "../meaning/outcomes.ts";
import { SEEN, type Seen } from "../meaning/seen.ts";

/** What happens to packets, called `whom`, to go on "the script …" and "the policy …". */
export function describeOutcome(outcome: Outcome, outcomes: Outcomes, whom = "them"): string {
  const asked = outcomes.askedOf(outcome);
  if (asked) {
    const { question, yes, no } = asked;
    const then = describeOutcome(yes, outcomes, whom);
    const otherwise = describeOutcome(no, outcomes);
    return question.kind === "limit"
      ? `${then} up to ${question.count}/${question.unit} burst ${question.burst}, else ${otherwise}`
      : `${then} if \`${question.text}\` holds, which nobody knows, else ${otherwise}`;
  }
  const { kind, detail } = outcomes.leafOf(outcome)!;
  switch (kind) {
    case "accept":
      return detail === "untracked" ? `lets ${whom} pass untracked` : `lets ${whom} pass`;
    case "drop":
      return `drops ${whom}`;
    case "reject":
      return `rejects ${whom} (${detail})`;
    case "translate":
      return `translates ${whom} (${detail})`;
    case "anything":
      return `does something to ${whom} that is not understood`;
    default:
      // Of raw alone: neither dropped nor untracked.
      return `lets connection tracking see ${whom}`;
  }
}

/** Whether something in an outcome was not understood. */
export function isUnknown(outcome: Outcome, outcomes: Outcomes): boolean {
  const asked = outcomes.askedOf(outcome);
  if (!asked) return outcomes.leafOf(outcome)!.kind === "anything";
  return asked.question.kind === "unknown" || isUnknown(asked.yes, outcomes) || isUnknown(asked.no, outcomes);
}

/** The words of a script that were not understood, of those that an outcome hangs on. */
export function unknownWords(outcome: Outcome, outcomes: Outcomes): readonly string[] {
  const asked = outcomes.askedOf(outcome);
  if (!asked) {
    const { kind, detail } = outcomes.leafOf(outcome)!;
    // The detail begins with the place of the statement.
    return kind === "anything" ? [detail.replace(/^[^:]*: /, "")] : [];
  }
  const { question, yes, no } = asked;
  const own = question.kind === "unknown" ? [question.text] : [];
  return [...new Set([...own, ...unknownWords(yes, outcomes), ...unknownWords(no, outcomes)])];
}

/** Whether both let the packets pass and only their tracking tells them apart. */
export function differsInTracking(meant: Outcome, done: Outcome, outcomes: Outcomes): boolean {
  return [meant, done].every((one) => outcomes.leafOf(one)?.kind === "accept");
}

/** `in state new or invalid`; null where the state makes no difference. */
export function describeStates(seen: readonly Seen[]): string | null {
  const tracked = SEEN.filter((one) => one !== "untracked" && one !== "new-translated");
  if (tracked.every((one) => seen.includes(one)) || seen.includes("untracked")) return null;
  const states = [...new Set(seen.map((one) => one.replace("-translated", "")))];
  const last = states.pop()!;
  const text = states.length === 0 ? last : `${states.join(", ")} or ${last}`;
  return `${text}${seen.every((one) => one.endsWith("-translated")) ? ", its destination translated" : ""}`;
}

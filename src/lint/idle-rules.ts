import type { Meaning } from "../meaning/meaning.ts";
import { sameEffect, type Taker, takersOf } from "../meaning/rule-fates.ts";
import { rulesMeet } from "../packets/rules.ts";
import type { Policy, Rule } from "../policy/policy.ts";
import type { Subject } from "./check.ts";

/** Why nobody would miss a rule. */
export type Idle =
  /** Earlier rules decide all of its packets, some of them in another way. */
  | { readonly kind: "shadowed"; readonly takers: readonly Taker[] }
  /** Earlier rules decide all of its packets, in the same way. */
  | { readonly kind: "repeated"; readonly takers: readonly Taker[] }
  /** What decides after it would do the same. */
  | { readonly kind: "superfluous" }
  /** It denies what arrives on loopback only, where denies have no say. */
  | { readonly kind: "loopback" };

/** A written rule that may be idle; its index among the rules. */
export interface Candidate {
  readonly rule: Rule;
  readonly index: number;
}

/** The written rules that decide nothing, or that could go together with their mirrors. */
export function idleCandidates({ policy, meaning }: Pick<Subject, "policy" | "meaning">): Candidate[] {
  const fates = meaning.ruleFates();
  const candidates: (Candidate & { isRemovable: boolean })[] = [];
  let current: (Candidate & { isRemovable: boolean; decides: boolean; matches: boolean }) | null = null;
  const close = (): void => {
    if (current?.matches && (current.isRemovable || !current.decides)) candidates.push(current);
  };
  policy.rules.forEach((rule, index) => {
    const { matches, decides, removable } = fates[index]!;
    if (rule.origin.role === "written") {
      close();
      current = { rule, index, matches, decides, isRemovable: removable };
    } else if (current) current = { ...current, isRemovable: current.isRemovable && removable };
  });
  close();
  return candidates;
}

/** By policy, what was found out already: two checks ask about the same rules. */
const known = new WeakMap<Meaning, Map<number, Idle | null>>();

/** Why a candidate is idle; null where it is not, because a limit or a log gives it an effect, or its mirrors do. */
export function idleness(candidate: Candidate, subject: Pick<Subject, "policy" | "meaning">): Idle | null {
  let found = known.get(subject.meaning);
  if (!found) {
    found = new Map();
    known.set(subject.meaning, found);
  }
  const before = found.get(candidate.index);
  if (before !== undefined) return before;
  const idle = findIdleness(candidate, subject);
  found.set(candidate.index, idle);
  return idle;
}

function findIdleness({ rule, index }: Candidate, subject: Pick<Subject, "policy" | "meaning">): Idle | null {
  const { policy, meaning } = subject;
  const { takers, isWhole } = takersOf(meaning, index);
  // What a limit takes, it may leave as well.
  if (takers.some((taker) => taker.rule.limit)) return null;
  const differs = takers.some((taker) => !sameEffect(taker.rule, rule));
  if (isWhole && differs) return { kind: "shadowed", takers };
  if (rule.log !== null || rule.limit) return null;
  if (!sentenceOf(rule, policy.rules, index).every((i) => isRemovable(i, subject))) return null;
  if (!isWhole) return { kind: "superfluous" };
  if (takers.length > 0) return { kind: "repeated", takers };
  // What no packet matches at all is an error of its own.
  return rule.action === "allow" ? null : { kind: "loopback" };
}

/** A rule and its mirrors, which come and go together. */
function sentenceOf(rule: Rule, rules: readonly Rule[], index: number): number[] {
  let end = index + 1;
  while (
    rules[end] &&
    rules[end]!.origin.role !== "written" &&
    rules[end]!.origin.span.start === rule.origin.span.start
  )
    end++;
  return Array.from({ length: end - index }, (_, i) => index + i);
}

/** Whether a rule can go, also where rules with a limit stand above: what they leave when their room is used up comes to it. */
function isRemovable(index: number, { policy, meaning }: Pick<Subject, "policy" | "meaning">): boolean {
  if (!meaning.ruleFates()[index]!.removable) return false;
  return limitedRules(policy).every(
    (i) => i > index || ([4, 6] as const).every((family) => !rulesMeet(meaning.ruleList(family), i, index)),
  );
}

const limited = new WeakMap<Policy, readonly number[]>();

/** The rules with a limit, which are few, asked for again and again. */
function limitedRules(policy: Policy): readonly number[] {
  const known = limited.get(policy);
  if (known) return known;
  const found = policy.rules.flatMap(({ limit }, i) => (limit ? [i] : []));
  limited.set(policy, found);
  return found;
}

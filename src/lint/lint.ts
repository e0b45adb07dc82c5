import type { Document } from "../language/ast.ts";
import { meaningOf } from "../meaning/meaning.ts";
import { type Vocabulary, vocabularyOf } from "../meaning/vocabulary.ts";
import { createWorld } from "../meaning/world.ts";
import { BudgetSpent } from "../packets/nodes.ts";
import type { Policy } from "../policy/policy.ts";
import type { Log } from "../source/finding.ts";
import type { Check } from "./check.ts";
import { dnatNotAllowed } from "./checks/dnat-not-allowed.ts";
import { halfTrackedFlow } from "./checks/half-tracked-flow.ts";
import { keepPorts } from "./checks/keep-ports.ts";
import { noWayBackIn } from "./checks/no-way-back-in.ts";
import { redundantRule } from "./checks/redundant-rule.ts";
import { selfWithoutFamily } from "./checks/self-without-family.ts";
import { shadowedRule } from "./checks/shadowed-rule.ts";
import { unmatchableRule } from "./checks/unmatchable-rule.ts";
import { untrackedFromAnywhere } from "./checks/untracked-from-anywhere.ts";
import { untrackedNat } from "./checks/untracked-nat.ts";
import { untrackedNatReply } from "./checks/untracked-nat-reply.ts";
import { untrackedPath } from "./checks/untracked-path.ts";
import { untrackedReplyDenied } from "./checks/untracked-reply-denied.ts";
import { unusedName } from "./checks/unused-name.ts";
import { inconclusive } from "./inconclusive.ts";

/** Every check of a policy that can be read: first the proofs, then what is merely suspicious. */
export const checks: readonly Check[] = [
  untrackedReplyDenied,
  halfTrackedFlow,
  untrackedNat,
  untrackedNatReply,
  untrackedPath,
  unmatchableRule,
  shadowedRule,
  redundantRule,
  dnatNotAllowed,
  noWayBackIn,
  selfWithoutFamily,
  untrackedFromAnywhere,
  keepPorts,
  unusedName,
];

export interface LintOptions {
  /** The most nodes that the diagrams of one IP version may have; what takes more is inconclusive. */
  readonly nodeBudget?: number;
}

/** Runs every check. A policy without errors is proved to do what section "What must be proved" of the language promises. */
export function lint(document: Document, policy: Policy, log: Log, options: LintOptions = {}): void {
  const meaning = meaningOf(policy, createWorld([policy], {}, options));
  let vocabulary: Vocabulary | null = null;
  const words = (): Vocabulary => (vocabulary ??= vocabularyOf(document, policy));
  const unproved: Check[] = [];
  for (const check of checks) {
    const { name, level, run } = check;
    try {
      run({ document, policy, meaning, words }, (finding) => log.report({ check: name, level, ...finding }));
    } catch (error) {
      if (!(error instanceof BudgetSpent)) throw error;
      unproved.push(check);
    }
  }
  if (unproved.length > 0) log.report(inconclusive(unproved, document));
}

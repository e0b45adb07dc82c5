import type { Family } from "../address/ranges.ts";
import { createOutcomes } from "../meaning/outcomes.ts";
import { createSeenWorld } from "../meaning/seen.ts";
import type { Vocabulary } from "../meaning/vocabulary.ts";
import { BudgetSpent } from "../packets/nodes.ts";
import type { Policy } from "../policy/policy.ts";
import type { Reading } from "../read/reading.ts";
import type { Finding } from "../source/finding.ts";
import type { Source } from "../source/source.ts";
import { createAgreement } from "./agreement.ts";
import { comparer, type Difference } from "./compare.ts";
import { extrasOf } from "./extras.ts";
import { findingsOf, limitFindings, type Telling } from "./findings.ts";

/** A script that was read, and the packets that it is for. */
export interface Script {
  readonly source: Source;
  readonly families: readonly Family[];
  readonly reading: Reading;
}

/** What came of comparing scripts with a policy. */
export interface Verification {
  /**
   * Where they differ, and where nothing could be proved; none: for every packet of their families the scripts do what the
   * policy means.
   */
  readonly findings: readonly Finding[];
  /** Scripts that cannot be loaded: nothing is said of them but why. */
  readonly unreadable: boolean;
}

/** Differences of one script that are told; who has more mends these first. */
const MOST_DIFFERENCES = 50;

/**
 * Proves, for all packets, that each script gives the verdict, the tracking and the NAT that a policy means. Logs are not
 * compared, nor counters, nor what a statement changes in a packet that no rule can ask for.
 */
export function verify(policy: Policy, scripts: readonly Script[], words: () => Vocabulary): Verification {
  const refused = scripts.flatMap(({ reading }) => reading.findings.filter(({ level }) => level === "error"));
  if (refused.length > 0) return { findings: refused, unreadable: true };
  const findings: Finding[] = scripts.flatMap(({ reading }) => reading.findings);
  const read = scripts.map(({ reading: { ruleset }, families }) => ({ ruleset, families }));
  const world = createSeenWorld([policy], extrasOf(read));
  const outcomes = createOutcomes();
  const compare = comparer(policy, world, outcomes);
  let told: Telling | null = null;
  const telling = (): Telling => (told ??= { policy, world, outcomes, words: words() });
  for (const script of scripts) {
    const agreement = createAgreement(outcomes);
    const differences: Difference[] = [];
    for (const family of script.families) {
      try {
        differences.push(...compare(script.reading.ruleset, family, agreement));
      } catch (error) {
        if (!(error instanceof BudgetSpent)) throw error;
        findings.push(inconclusive(script, family));
      }
    }
    if (differences.length > 0)
      findings.push(...findingsOf(differences.slice(0, MOST_DIFFERENCES), script, telling()));
    const misplaced = agreement.misplaced();
    if (misplaced.length > 0) findings.push(...limitFindings(misplaced, script, policy));
  }
  return { findings, unreadable: false };
}

function inconclusive({ source }: Script, family: Family): Finding {
  return {
    check: "script-unknown",
    level: "error",
    message: `what this script does with IPv${family} packets takes more memory to compare than there is, so nothing is proved`,
    span: { source, start: 0, end: 0 },
  };
}

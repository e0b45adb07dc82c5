import type { Check } from "../check.ts";
import { type Idle, idleCandidates, idleness } from "../idle-rules.ts";
import { reportMost } from "../most.ts";
import { relatedTakers } from "../related-takers.ts";

/** A rule that could go: every packet would be treated as it is now. */
export const redundantRule: Check = {
  name: "redundant-rule",
  level: "warning",
  run(subject, report) {
    reportMost(
      idleCandidates(subject).map((candidate) => ({ ...candidate, span: candidate.rule.origin.span })),
      (count) => `${count} more rules may change nothing`,
      report,
      (candidate) => {
        const idle = idleness(candidate, subject);
        // Silenced by rules that do otherwise, it is shadowed, and reported as that.
        if (!idle || idle.kind === "shadowed") return false;
        report({
          message: "this rule changes nothing",
          span: candidate.span,
          label: REASONS[idle.kind],
          ...(idle.kind === "repeated" && { related: relatedTakers(candidate.rule, idle.takers) }),
          help:
            idle.kind === "loopback"
              ? "take it out, or write `essentials: false` and allow on loopback what is needed"
              : "take it out",
        });
        return true;
      },
    );
  },
};

const REASONS: Readonly<Record<Exclude<Idle["kind"], "shadowed">, string>> = {
  repeated: "earlier rules treat its packets in the same way",
  superfluous: "later rules and the defaults would treat its packets in the same way",
  loopback: "loopback is essential, and denies have no say there",
};

import type { Check } from "../check.ts";
import { idleCandidates, idleness } from "../idle-rules.ts";
import { reportMost } from "../most.ts";
import { relatedTakers } from "../related-takers.ts";

/** A rule whose packets are all decided by earlier rules, some of them in another way. It never has a say. */
export const shadowedRule: Check = {
  name: "shadowed-rule",
  level: "warning",
  run(subject, report) {
    reportMost(
      idleCandidates(subject).map((candidate) => ({ ...candidate, span: candidate.rule.origin.span })),
      (count) => `${count} more rules may never have a say`,
      report,
      (candidate) => {
        const idle = idleness(candidate, subject);
        if (idle?.kind !== "shadowed") return false;
        report({
          message: "this rule never has a say: earlier rules decide all of its packets, and differently",
          span: candidate.span,
          label: "decides nothing",
          related: relatedTakers(candidate.rule, idle.takers),
          help: "move it above them if it is meant, or take it out",
        });
        return true;
      },
    );
  },
};

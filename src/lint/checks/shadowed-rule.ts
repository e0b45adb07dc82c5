import { sameEffect, type Taker, takersOf } from "../../meaning/rule-fates.ts";
import type { Rule } from "../../policy/policy.ts";
import type { Related } from "../../source/finding.ts";
import type { Check } from "../check.ts";
import { reportMost } from "../most.ts";

/** A rule whose packets are all decided by earlier rules, some of them in another way. It never has a say. */
export const shadowedRule: Check = {
  name: "shadowed-rule",
  level: "warning",
  run({ policy, meaning }, report) {
    const fates = meaning.ruleFates();
    const silent = policy.rules.flatMap((rule, index) => {
      const { matches, decides } = fates[index]!;
      const isSilent = matches && !decides && rule.origin.role === "written";
      return isSilent ? [{ rule, index, span: rule.origin.span }] : [];
    });
    reportMost(
      silent,
      (count) => `${count} more rules never have a say: earlier rules decide all of their packets`,
      report,
      ({ rule, index }) => {
        const takers = takersOf(meaning, index);
        // What a limit takes, it may leave as well; and what earlier rules do in the same way is redundant.
        if (takers.some((taker) => taker.rule.limit)) return;
        if (takers.every((taker) => sameEffect(taker.rule, rule))) return;
        report({
          message: "this rule never has a say: earlier rules decide all of its packets, and differently",
          span: rule.origin.span,
          label: "decides nothing",
          related: telling(rule, takers),
          help: "move it above them if it is meant, or take it out",
        });
      },
    );
  },
};

/** How many of the rules that take most are shown. */
const SHOWN = 3;

/** The rules that take most from a rule, and in any case the one that takes most with another verdict. */
function telling(rule: Rule, takers: readonly Taker[]): Related[] {
  const other = takers.find((taker) => !sameEffect(taker.rule, rule));
  const shown = new Set([...takers.slice(0, SHOWN), ...(other ? [other] : [])]);
  const total = takers.reduce((sum, { packets }) => sum + packets, 0n);
  const spans = new Set<number>();
  return [...shown].flatMap((taker) => {
    const { span } = taker.rule.origin;
    if (spans.has(span.start)) return [];
    spans.add(span.start);
    return [{ span, text: `${share(taker.packets, total)} ${does(taker.rule)}` }];
  });
}

function share(packets: bigint, total: bigint): string {
  if (packets === total) return "all of its packets are";
  const percent = Number((packets * 1000n) / total) / 10;
  return percent < 0.1 ? "a few of its packets are" : `${percent} % of its packets are`;
}

function does({ action, tracked }: Rule): string {
  switch (action) {
    case "allow":
      return tracked ? "allowed here" : "allowed here, untracked";
    case "deny":
      return tracked ? "denied here" : "dropped here";
    case "reject":
      return "rejected here";
  }
}

import { sameEffect, type Taker } from "../meaning/rule-fates.ts";
import type { Rule } from "../policy/policy.ts";
import type { Related } from "../source/finding.ts";

/** How many of the rules that take most are shown. */
const SHOWN = 3;

/** The rules that take most from a rule, and in any case the one that takes most with another verdict. */
export function relatedTakers(rule: Rule, takers: readonly Taker[]): Related[] {
  const other = takers.find((taker) => !sameEffect(taker.rule, rule));
  const shown = new Set([...takers.slice(0, SHOWN), ...(other ? [other] : [])]);
  const total = takers.reduce((sum, { packets }) => sum + packets, 0n);
  const spans = new Set<number>();
  return [...shown].flatMap((taker) => {
    const { span } = taker.rule.origin;
    if (spans.has(span.start)) return [];
    spans.add(span.start);
    return [{ span, text: `${share(taker.packets, total)} ${does(taker.rule, rule)}` }];
  });
}

function share(packets: bigint, total: bigint): string {
  if (packets === total) return "all of its packets are";
  const percent = Number((packets * 1000n) / total) / 10;
  return percent < 0.1 ? "a few of its packets are" : `${percent} % of its packets are`;
}

/** What the rule that takes packets does with them, told apart from what `rule` would do. */
function does({ action, tracked }: Rule, rule: Rule): string {
  switch (action) {
    case "allow":
      if (!tracked) return "allowed here, untracked";
      return rule.action === "allow" && !rule.tracked ? "allowed here, tracked" : "allowed here";
    case "deny":
      return tracked ? "denied here" : "dropped here";
    case "reject":
      return "rejected here";
  }
}

import { type RuleFate, sameEffect, takersOf } from "../../meaning/rule-fates.ts";
import { rulesMeet } from "../../packets/rules.ts";
import type { Rule } from "../../policy/policy.ts";
import type { Check, Subject } from "../check.ts";
import { reportMost } from "../most.ts";

/** A rule that could go: every packet would be treated as it is now. */
export const redundantRule: Check = {
  name: "redundant-rule",
  level: "warning",
  run(subject, report) {
    const found = sentencesOf(subject).filter((sentence) => {
      const { rule, fate } = sentence[0]!;
      // What logs or counts has an effect of its own.
      const isPlain = fate.matches && rule.log === null && !rule.limit;
      return isPlain && sentence.every((one) => one.fate.removable) && isCertain(sentence, subject);
    });
    reportMost(
      found.map((sentence) => ({ ...sentence[0]!, span: sentence[0]!.rule.origin.span })),
      (count) => `${count} more rules may change nothing`,
      report,
      ({ rule, index, fate, span }) => {
        // Silenced by a rule that does otherwise, it is shadowed, and reported as that.
        if (!fate.decides && takersOf(subject.meaning, index).some((taker) => !sameEffect(taker.rule, rule)))
          return;
        report({
          message: "this rule changes nothing",
          span,
          label: fate.decides
            ? "later rules and the defaults would treat its packets in the same way"
            : "earlier rules treat its packets in the same way",
          help: "take it out",
        });
      },
    );
  },
};

interface Part {
  readonly rule: Rule;
  readonly index: number;
  readonly fate: RuleFate;
}

/** A written rule with its mirrors: they come and go together. */
function sentencesOf({ policy, meaning }: Subject): Part[][] {
  const fates = meaning.ruleFates();
  const sentences: Part[][] = [];
  policy.rules.forEach((rule, index) => {
    const part = { rule, index, fate: fates[index]! };
    if (rule.origin.role === "written") sentences.push([part]);
    else sentences.at(-1)!.push(part);
  });
  return sentences;
}

/** Whether no rule with a limit stands above: what it leaves when its room is used up comes to this one. */
function isCertain(sentence: readonly Part[], { policy, meaning }: Subject): boolean {
  const limited = policy.rules.flatMap(({ limit }, i) => (limit ? [i] : []));
  return sentence.every(({ index }) =>
    limited.every(
      (i) => i > index || ([4, 6] as const).every((family) => !rulesMeet(meaning.ruleList(family), i, index)),
    ),
  );
}

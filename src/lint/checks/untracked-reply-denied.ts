import { replyTo } from "../../policy/reply.ts";
import type { Check } from "../check.ts";
import { replyLost } from "../consequences.ts";
import { firstSentence, offenders } from "../offenders.ts";
import { addSymmetricAllow } from "../symmetric-fix.ts";
import { decide, describeDecision, packetAndReply, repliesDenied, untrackedAllows } from "../way-back.ts";
import { wholeSet } from "../whole-set.ts";

/** Untracked traffic whose replies are not allowed. Nothing remembers a request, so its reply needs a rule of its own. */
export const untrackedReplyDenied: Check = {
  name: "untracked-reply-denied",
  level: "error",
  run(subject, report) {
    const { document, policy, meaning } = subject;
    const allows = untrackedAllows(policy);
    if (allows.length === 0) return;
    const blamed = offenders(
      {
        bad: (family) => repliesDenied(meaning, family),
        sentences: allows,
        decider: (packet) => firstSentence(allows, packet, meaning),
      },
      meaning,
    );
    for (const { sentence, packet, sets } of blamed) {
      const reply = replyTo(packet);
      if (!reply) continue;
      const decision = decide(policy, reply, "blocking");
      const killer = decision.reason.kind === "rule" ? decision.reason.rule : null;
      // A mirror stands right behind its rule, so it comes too late for what stands above.
      const comesFirst = killer !== null && policy.rules.indexOf(killer) < policy.rules.indexOf(sentence);
      const fix = comesFirst ? null : addSymmetricAllow(document, sentence);
      report({
        message: "the replies to this untracked traffic are denied",
        span: sentence.origin.span,
        label: "lets the packet through untracked",
        ...(killer &&
          killer.origin.span.start !== sentence.origin.span.start && {
            related: [{ span: killer.origin.span, text: "denies the reply" }],
          }),
        notes: [
          packetAndReply(packet, reply),
          ...wholeSet(sets, subject),
          `The reply meets ${describeDecision(decision, reply)}. Nothing remembers an untracked packet, so its reply is judged by the rules like any other, and ${replyLost(packet)}.`,
        ],
        help: fix
          ? `${fix.title}, which allows the way back`
          : comesFirst
            ? "move it above what denies the reply, or let that rule spare these replies"
            : "allow the way back in a `doNotTrack` policy, with the same addresses, ports and interfaces swapped",
        ...(fix && { fix }),
      });
    }
  },
};

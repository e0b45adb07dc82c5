import { replyTo } from "../../policy/reply.ts";
import type { Check } from "../check.ts";
import { firstSentence, offenders } from "../offenders.ts";
import { addSymmetricAllow } from "../symmetric-fix.ts";
import {
  decideReply,
  describeDecision,
  packetAndReply,
  repliesDenied,
  untrackedAllows,
} from "../way-back.ts";

/** Untracked traffic whose replies are not allowed. Nothing remembers a request, so its reply needs a rule of its own. */
export const untrackedReplyDenied: Check = {
  name: "untracked-reply-denied",
  level: "error",
  run({ document, policy, meaning }, report) {
    const blamed = offenders(
      {
        bad: (family) => repliesDenied(meaning, family),
        sentences: untrackedAllows(policy),
        decider: (packet) => firstSentence(untrackedAllows(policy), packet, meaning),
      },
      meaning,
    );
    for (const { sentence, packet } of blamed) {
      const reply = replyTo(packet);
      if (!reply) continue;
      const decision = decideReply(policy, reply);
      const killer = decision.reason.kind === "rule" ? decision.reason.rule : null;
      const fix = addSymmetricAllow(document, sentence);
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
          `The reply meets ${describeDecision(decision, reply)}. Nothing remembers an untracked packet, so its reply is judged by the rules like any other, and ${consequence(packet.protocol)}.`,
        ],
        help: fix
          ? `${fix.title}, which allows the way back`
          : "allow the way back in a `doNotTrack` policy, with the same addresses, ports and interfaces swapped",
        ...(fix && { fix }),
      });
    }
  },
};

function consequence(protocol: number): string {
  switch (protocol) {
    case 6:
      return "every connection stalls before it opens: the SYN arrives, its answer does not";
    case 1:
    case 58:
      return "every echo times out";
    default:
      return "every request times out";
  }
}

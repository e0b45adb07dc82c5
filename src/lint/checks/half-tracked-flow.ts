import { replyMatch } from "../../meaning/fates.ts";
import type { Packet } from "../../policy/packet.ts";
import { TCP } from "../../policy/packet.ts";
import type { Rule } from "../../policy/policy.ts";
import { replyTo } from "../../policy/reply.ts";
import type { Check, Report, Subject } from "../check.ts";
import { firstSentence, type Offender, offenders } from "../offenders.ts";
import { addSymmetricAllow } from "../symmetric-fix.ts";
import {
  decideReply,
  describeDecision,
  packetAndReply,
  repliesTracked,
  repliesUntracked,
  untrackedAllows,
} from "../way-back.ts";

/** Flows that connection tracking sees in one direction only. */
export const halfTrackedFlow: Check = {
  name: "half-tracked-flow",
  level: "error",
  run(subject, report) {
    const told = new Set<number>();
    for (const offender of trackedReplies(subject)) {
      told.add(offender.sentence.origin.span.start);
      reportTrackedReply(subject, offender, report);
    }
    for (const offender of untrackedReplies(subject))
      if (!told.has(offender.sentence.origin.span.start)) reportUntrackedReply(subject, offender, report);
  },
};

/** Untracked packets whose replies are allowed, but tracked. */
function trackedReplies({ policy, meaning }: Subject): Offender<Rule>[] {
  const allows = untrackedAllows(policy);
  return offenders(
    {
      bad: (family) => repliesTracked(meaning, family),
      sentences: allows,
      decider: (packet) => firstSentence(allows, packet, meaning),
    },
    meaning,
  );
}

/** Packets that open a tracked flow whose replies an untracked rule takes. The rule is to blame, not the flow. */
function untrackedReplies({ policy, meaning }: Subject): Offender<Rule>[] {
  const allows = untrackedAllows(policy);
  return offenders(
    {
      bad: (family) => repliesUntracked(meaning, family),
      sentences: allows,
      decider: (packet) => {
        const reply = replyTo(packet);
        return reply && firstSentence(allows, reply, meaning);
      },
      reach: ({ match }) => replyMatch(match),
    },
    meaning,
  );
}

function reportTrackedReply(
  { document, policy }: Subject,
  { sentence, packet }: Offender<Rule>,
  report: Report,
): void {
  const reply = replyTo(packet);
  if (!reply) return;
  const decision = decideReply(policy, reply);
  const tracker = decision.reason.kind === "rule" ? decision.reason.rule : null;
  const fix = addSymmetricAllow(document, sentence);
  report({
    message: "the replies to this untracked traffic are tracked",
    span: sentence.origin.span,
    label: "lets the packet through untracked",
    ...(tracker && { related: [{ span: tracker.origin.span, text: "allows the reply, and tracks it" }] }),
    notes: [
      packetAndReply(packet, reply),
      `The reply is allowed by ${describeDecision(decision, reply)}, which tracks it. ${halfSeen(packet)}`,
    ],
    help: fix
      ? `${fix.title}, which leaves the way back untracked as well`
      : "leave the way back untracked as well: allow it in a `doNotTrack` policy, above every tracked rule that matches it",
    ...(fix && { fix }),
  });
}

function halfSeen({ protocol }: Packet): string {
  return protocol === TCP
    ? "Tracking then sees answers to a connection that it never saw open: the SYN-ACK is INVALID, and is dropped where it is forwarded; every connection that does come about leaves an entry that no reply ever confirms."
    : "Tracking then takes every reply for a new flow of its own, and each leaves an entry that nothing confirms.";
}

function reportUntrackedReply(
  { policy }: Subject,
  { sentence, packet }: Offender<Rule>,
  report: Report,
): void {
  const reply = replyTo(packet);
  if (!reply) return;
  const decision = decideReply(policy, packet);
  const opener = decision.reason.kind === "rule" ? decision.reason.rule : null;
  report({
    message: "this untracked rule takes the replies of tracked flows",
    span: sentence.origin.span,
    label: "leaves the reply untracked",
    ...(opener && { related: [{ span: opener.origin.span, text: "opens the tracked flow" }] }),
    notes: [
      packetAndReply(packet, reply),
      `The packet is allowed by ${describeDecision(decision, packet)} and opens a tracked flow. Its reply never reaches connection tracking, so the flow is never confirmed: ${packet.protocol === TCP ? "every packet after the SYN is INVALID, and is dropped" : "each request leaves an entry of its own"}.`,
    ],
    help: "narrow this rule to the service's own ports, or allow the opening in a `doNotTrack` policy too",
  });
}

import { replyMatch } from "../../meaning/fates.ts";
import type { Rule } from "../../policy/policy.ts";
import { replyTo } from "../../policy/reply.ts";
import type { Check, Report, Subject } from "../check.ts";
import { replyAloneTracked, requestAloneTracked } from "../consequences.ts";
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
import { wholeSet } from "../whole-set.ts";

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
  subject: Subject,
  { sentence, packet, sets }: Offender<Rule>,
  report: Report,
): void {
  const { document, policy } = subject;
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
      ...wholeSet(sets, subject),
      `The reply is allowed by ${describeDecision(decision, reply)}, which tracks it. ${replyAloneTracked(packet)}`,
    ],
    help: fix
      ? `${fix.title}, which leaves the way back untracked as well`
      : "leave the way back untracked as well: allow it in a `doNotTrack` policy, above every tracked rule that matches it",
    ...(fix && { fix }),
  });
}

function reportUntrackedReply(
  subject: Subject,
  { sentence, packet, sets }: Offender<Rule>,
  report: Report,
): void {
  const { policy } = subject;
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
      ...wholeSet(sets, subject),
      `The packet is allowed by ${describeDecision(decision, packet)} and opens a tracked flow. Its reply never reaches connection tracking, and ${requestAloneTracked(packet)}.`,
    ],
    help: "narrow this rule to the service's own ports, or allow the opening in a `doNotTrack` policy too",
  });
}

import { replyMatch } from "../../meaning/fates.ts";
import { matches } from "../../policy/evaluate.ts";
import type { Packet } from "../../policy/packet.ts";
import type { Match, Rule } from "../../policy/policy.ts";
import { replyTo } from "../../policy/reply.ts";
import type { Check, Report, Subject } from "../check.ts";
import { replyAloneTracked, requestAloneTracked } from "../consequences.ts";
import { firstSentence, type Offender, offenders } from "../offenders.ts";
import { addSymmetricAllow } from "../symmetric-fix.ts";
import {
  decide,
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
    if (untrackedAllows(subject.policy).length === 0) return;
    const taking = untrackedReplies(subject);
    const startOf = ({ sentence }: Offender<Rule>): number => sentence.origin.span.start;
    const told = new Set<number>();
    for (const offender of trackedReplies(subject)) {
      told.add(startOf(offender));
      const also = taking.find((other) => startOf(other) === startOf(offender));
      reportTrackedReply(subject, offender, also?.packet ?? null, report);
    }
    for (const offender of taking)
      if (!told.has(startOf(offender))) reportUntrackedReply(subject, offender, report);
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
        return (
          reply && (allows.find(({ match }) => matches(asRawAsks(match, reply), reply, policy.self)) ?? null)
        );
      },
      reach: ({ match }) => replyMatch({ ...match, out: null }),
    },
    meaning,
  );
}

/** What of a match raw can ask: not where a forwarded packet will leave. */
function asRawAsks(match: Match, { path }: Packet): Match {
  return path === "forward" ? { ...match, out: null } : match;
}

function reportTrackedReply(
  subject: Subject,
  { sentence, packet, sets }: Offender<Rule>,
  opening: Packet | null,
  report: Report,
): void {
  const { document, policy } = subject;
  const reply = replyTo(packet);
  if (!reply) return;
  const decision = decide(policy, reply, "tracking");
  const tracker = decision.reason.kind === "rule" ? decision.reason.rule : null;
  // A mirror stands right behind its rule, so it comes too late for what stands above.
  const comesFirst = tracker !== null && policy.rules.indexOf(tracker) < policy.rules.indexOf(sentence);
  const fix = comesFirst ? null : addSymmetricAllow(document, sentence);
  report({
    message: "the replies to this untracked traffic are tracked",
    span: sentence.origin.span,
    label: "lets the packet through untracked",
    ...(tracker && { related: [{ span: tracker.origin.span, text: "allows the reply, and tracks it" }] }),
    notes: [
      packetAndReply(packet, reply),
      ...wholeSet(sets, subject),
      `The reply is allowed by ${describeDecision(decision, reply)}, which tracks it. ${replyAloneTracked(packet)}`,
      ...takesToo(opening),
    ],
    help: fix
      ? `${fix.title}, which leaves the way back untracked as well`
      : "leave the way back untracked as well: allow it in a `doNotTrack` policy, above every tracked rule that matches it",
    ...(fix && { fix }),
  });
}

/** A rule of which one side is tracked is often the other side of a tracked flow. */
function takesToo(opening: Packet | null): string[] {
  const reply = opening && replyTo(opening);
  if (!reply) return [];
  return [
    `The rule also takes the replies of flows that are tracked: ${requestAloneTracked(opening)}.\n${packetAndReply(opening, reply)}`,
  ];
}

function reportUntrackedReply(
  subject: Subject,
  { sentence, packet, sets }: Offender<Rule>,
  report: Report,
): void {
  const { policy } = subject;
  const reply = replyTo(packet);
  if (!reply) return;
  const decision = decide(policy, packet, "tracking");
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

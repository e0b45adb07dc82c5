import {
  complementPorts,
  type Family,
  intersectRanges,
  mergeRanges,
  type PortRanges,
  type Range,
} from "../../address/ranges.ts";
import { FATE } from "../../meaning/fates.ts";
import type { Meaning } from "../../meaning/meaning.ts";
import { translateDestinations, translateSources } from "../../meaning/translation.ts";
import { packetOf } from "../../meaning/witness.ts";
import type { Fields, PacketSpace } from "../../meaning/world.ts";
import { forget } from "../../packets/forget.ts";
import type { Diagram } from "../../packets/nodes.ts";
import { piecesOf } from "../../packets/walk.ts";
import { describePacket } from "../../policy/describe.ts";
import { matches } from "../../policy/evaluate.ts";
import type { Packet } from "../../policy/packet.ts";
import type { DestinationNat, Policy, Rule, SourceNat } from "../../policy/policy.ts";
import { replyTo } from "../../policy/reply.ts";
import type { Fix } from "../../source/finding.ts";
import { textOf } from "../../source/source.ts";
import type { Check, Report, Subject } from "../check.ts";
import { opensTracked, untrackedAllows } from "../way-back.ts";
import { wholeSet } from "../whole-set.ts";

/** Replies of translated flows that raw leaves untracked, so that nothing translates them back. */
export const untrackedNatReply: Check = {
  name: "untracked-nat-reply",
  level: "error",
  run(subject, report) {
    const { policy, meaning } = subject;
    if (untrackedAllows(policy).length === 0) return;
    const lost = ([4, 6] as const).map((family) => lostAnswers(family, meaning));
    policy.sourceNat.forEach((nat, i) => {
      const found = firstOf({ 4: lost[0]!.ofSources[i]!, 6: lost[1]!.ofSources[i]! }, meaning);
      if (found) reportSource(nat, found, subject, report);
    });
    policy.destinationNat.forEach((nat, i) => {
      const found = firstOf({ 4: lost[0]!.ofDestinations[i]!, 6: lost[1]!.ofDestinations[i]! }, meaning);
      if (found) reportDestination(nat, found, subject, report);
    });
  },
};

/** By sentence, the translated packets whose answers raw leaves untracked. */
function lostAnswers(
  family: Family,
  meaning: Meaning,
): { readonly ofSources: readonly Diagram[]; readonly ofDestinations: readonly Diagram[] } {
  const { sourceNat, destinationNat } = meaning.policy;
  if (sourceNat.length === 0 && destinationNat.length === 0) return { ofSources: [], ofDestinations: [] };
  const space = meaning.space(family);
  const lost = space.where(meaning.marks(family, "reply"), FATE.untracked);
  // Only what the filter lets through is ever answered.
  const passes = space.where(meaning.fates(family, "tracking", "packet"), FATE.allowed, FATE.untracked);
  const passed = space.intersection(lost, passes);
  return {
    ofSources: translateSources(opensTracked(meaning, family), family, meaning).map(({ after }) =>
      space.intersection(after, lost),
    ),
    ofDestinations: translateDestinations(family, meaning).map(({ after }) =>
      space.intersection(after, passed),
    ),
  };
}

/** Flows whose answers get lost, and one of them: its translated packet as it goes on, and what answers it. */
interface Lost {
  readonly packet: Packet;
  readonly reply: Packet;
  readonly sets: Readonly<Record<Family, Diagram>>;
}

function firstOf(sets: Readonly<Record<Family, Diagram>>, { world }: Meaning): Lost | null {
  for (const family of [4, 6] as const) {
    const packet = packetOf(sets[family], family, world);
    const reply = packet && replyTo(packet);
    if (reply) return { packet, reply, sets };
  }
  return null;
}

function takerOf(reply: Packet, policy: Policy): Rule | null {
  return (
    untrackedAllows(policy).find(({ match }) =>
      matches(reply.path === "forward" ? { ...match, out: null } : match, reply, policy.self),
    ) ?? null
  );
}

function reportSource(nat: SourceNat, { packet, reply, sets }: Lost, subject: Subject, report: Report): void {
  const { policy, meaning } = subject;
  const taker = takerOf(reply, policy);
  const free = packet.sourcePort === null ? null : largestFree(nat, sets, meaning);
  const fix = free && narrowPorts(nat, free);
  report({
    message: "answers to these translated flows are left untracked",
    span: nat.origin.span,
    label: packet.sourcePort === null ? "translates the flow" : `may draw port ${packet.sourcePort}`,
    ...(taker && { related: [{ span: taker.origin.span, text: "takes the answer" }] }),
    notes: [
      `packet: ${describePacket(packet)}  (translated)\nreply:  ${describePacket(reply)}`,
      ...wholeSet(sets, subject),
      `The answer comes back to this host's own address${packet.sourcePort === null ? "" : " and the port that NAT drew"}. There it looks like untracked traffic, so it never reaches connection tracking, nothing translates it back, and the flow breaks${packet.sourcePort === null ? "" : ": now and then, whenever such a port is drawn"}.`,
    ],
    help: free
      ? `narrow the ports that NAT may draw: \`-> ports ${free.first}-${free.last}\``
      : "exclude this traffic from the NAT sentence, or track it",
    ...(fix && { fix }),
  });
}

function reportDestination(
  nat: DestinationNat,
  { packet, reply, sets }: Lost,
  subject: Subject,
  report: Report,
): void {
  const taker = takerOf(reply, subject.policy);
  report({
    message: "answers to these translated flows are left untracked",
    span: nat.origin.span,
    label: "translates the flow",
    ...(taker && { related: [{ span: taker.origin.span, text: "takes the answer" }] }),
    notes: [
      `packet: ${describePacket(packet)}  (translated)\nreply:  ${describePacket(reply)}`,
      ...wholeSet(sets, subject),
      "The answer comes from the translated address. It looks like untracked traffic, so it never reaches connection tracking, nothing translates it back, and the client gets an answer from a host that it never spoke to.",
    ],
    help: "track the traffic of the server behind this sentence, or leave it out of the untracked rule",
  });
}

/** The largest range of ports of a sentence whose answers all find their way; null where there is none. */
function largestFree(nat: SourceNat, sets: Lost["sets"], meaning: Meaning): Range<number> | null {
  const taken = ([4, 6] as const).flatMap((family) => sourcePortsOf(sets[family], meaning.space(family)));
  const choice: PortRanges = [nat.ports ?? { first: 1024, last: 65535 }];
  const free = intersectRanges(choice, complementPorts(mergeRanges(taken)));
  return free.reduce<Range<number> | null>(
    (best, range) => (best && best.last - best.first >= range.last - range.first ? best : range),
    null,
  );
}

/** The source ports of a set of packets. */
function sourcePortsOf(set: Diagram, space: PacketSpace): PortRanges {
  const others = space.fields.map(({ name }) => name as keyof Fields).filter((name) => name !== "sourcePort");
  const field = space.fields.find(({ name }) => name === "sourcePort")!;
  const { starts, ids } = piecesOf(space.engine.nodes, field, forget(space, set, others));
  return starts.flatMap((start, i) =>
    ids[i] === space.nothing
      ? []
      : (field.domain.valuesOf([start, starts[i + 1] ?? field.domain.ranks]) as PortRanges),
  );
}

/** The edit that writes a port range into a sentence, in the place of one that stands there. */
function narrowPorts(nat: SourceNat, { first, last }: Range<number>): Fix {
  const { span } = nat.origin;
  const text = textOf(span);
  const title = `write \`-> ports ${first}-${last}\``;
  const ports = /\bports\s+[\d-]+/.exec(text);
  if (ports) {
    const start = span.start + ports.index;
    return {
      title,
      edits: [{ span: { ...span, start, end: start + ports[0].length }, text: `ports ${first}-${last}` }],
      safe: false,
    };
  }
  const end = span.start + text.replace(/\s*\bkeep-ports\s*$/, "").trimEnd().length;
  const arrow = text.includes("->") ? "" : " ->";
  return {
    title,
    edits: [{ span: { ...span, start: end, end }, text: `${arrow} ports ${first}-${last}` }],
    safe: false,
  };
}

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
import { type Translated, translateDestination, translateSource } from "../../meaning/translation.ts";
import { packetOf } from "../../meaning/witness.ts";
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

/** Replies of translated flows that raw leaves untracked, so that nothing translates them back. */
export const untrackedNatReply: Check = {
  name: "untracked-nat-reply",
  level: "error",
  run({ policy, meaning }, report) {
    if (untrackedAllows(policy).length === 0) return;
    for (const [i, nat] of policy.sourceNat.entries())
      reportFirst(
        (family) =>
          translateSource(nat, policy.sourceNat.slice(0, i), opensTracked(meaning, family), family, meaning),
        (family, flow, lost) => reportSource(nat, family, flow, lost, { policy, meaning }, report),
        meaning,
      );
    for (const [i, nat] of policy.destinationNat.entries())
      reportFirst(
        (family) =>
          allowed(
            translateDestination(nat, policy.destinationNat.slice(0, i), family, meaning),
            family,
            meaning,
          ),
        (_, flow) => reportDestination(nat, flow, { policy, meaning }, report),
        meaning,
      );
  },
};

/** A translated packet as it goes on, and what answers it. */
interface Flow {
  readonly packet: Packet;
  readonly reply: Packet;
}

/** Reports the first family in which replies get lost. */
function reportFirst(
  translate: (family: Family) => Translated,
  tell: (family: Family, flow: Flow, lost: Diagram) => void,
  meaning: Meaning,
): void {
  for (const family of [4, 6] as const) {
    const space = meaning.space(family);
    const { after } = translate(family);
    const lost = space.intersection(after, space.where(meaning.marks(family, "reply"), FATE.untracked));
    const packet = packetOf(lost, family, meaning.world);
    const reply = packet && replyTo(packet);
    if (!reply) continue;
    tell(family, { packet, reply }, lost);
    return;
  }
}

/** Only what the filter lets through is ever answered. */
function allowed({ before, after }: Translated, family: Family, meaning: Meaning): Translated {
  const space = meaning.space(family);
  const passes = space.where(meaning.fates(family, "tracking", "packet"), FATE.allowed, FATE.untracked);
  return { before, after: space.intersection(after, passes) };
}

function takerOf(reply: Packet, policy: Policy): Rule | null {
  return (
    untrackedAllows(policy).find(({ match }) =>
      matches(reply.path === "forward" ? { ...match, out: null } : match, reply, policy.self),
    ) ?? null
  );
}

function reportSource(
  nat: SourceNat,
  family: Family,
  { packet, reply }: Flow,
  lost: Diagram,
  { policy, meaning }: Pick<Subject, "policy" | "meaning">,
  report: Report,
): void {
  const taker = takerOf(reply, policy);
  const free = packet.sourcePort === null ? null : largestFree(nat, lost, family, meaning);
  const fix = free && narrowPorts(nat, free);
  report({
    message: "answers to these translated flows are left untracked",
    span: nat.origin.span,
    label: packet.sourcePort === null ? "translates the flow" : `may draw port ${packet.sourcePort}`,
    ...(taker && { related: [{ span: taker.origin.span, text: "takes the answer" }] }),
    notes: [
      `packet: ${describePacket(packet)}  (translated)\nreply:  ${describePacket(reply)}`,
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
  { packet, reply }: Flow,
  { policy }: Pick<Subject, "policy" | "meaning">,
  report: Report,
): void {
  const taker = takerOf(reply, policy);
  report({
    message: "answers to these translated flows are left untracked",
    span: nat.origin.span,
    label: "translates the flow",
    ...(taker && { related: [{ span: taker.origin.span, text: "takes the answer" }] }),
    notes: [
      `packet: ${describePacket(packet)}  (translated)\nreply:  ${describePacket(reply)}`,
      "The answer comes from the translated address. It looks like untracked traffic, so it never reaches connection tracking, nothing translates it back, and the client gets an answer from a host that it never spoke to.",
    ],
    help: "track the traffic of the server behind this sentence, or leave it out of the untracked rule",
  });
}

/** The largest range of ports of a sentence whose answers all find their way; null where there is none. */
function largestFree(nat: SourceNat, lost: Diagram, family: Family, meaning: Meaning): Range<number> | null {
  const space = meaning.space(family);
  const ports = forget(
    space,
    lost,
    space.fields.map(({ name }) => name as "path").filter((name) => (name as string) !== "sourcePort"),
  );
  const field = space.fields.find(({ name }) => name === "sourcePort")!;
  const { starts, ids } = piecesOf(space.engine.nodes, field, ports);
  const taken = starts.flatMap((start, i) =>
    ids[i] === space.nothing
      ? []
      : (field.domain.valuesOf([start, starts[i + 1] ?? field.domain.ranks]) as PortRanges),
  );
  const choice: PortRanges = [nat.ports ?? { first: 1024, last: 65535 }];
  const free = intersectRanges(choice, complementPorts(mergeRanges(taken)));
  return free.reduce<Range<number> | null>(
    (best, range) => (best && best.last - best.first >= range.last - range.first ? best : range),
    null,
  );
}

/** The edit that writes a port range into a sentence; null where the sentence already has one, which is its author's. */
function narrowPorts(nat: SourceNat, { first, last }: Range<number>): Fix | null {
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

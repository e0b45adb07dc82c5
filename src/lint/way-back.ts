import type { Family } from "../address/ranges.ts";
import { FATE } from "../meaning/fates.ts";
import type { Meaning } from "../meaning/meaning.ts";
import type { Diagram } from "../packets/nodes.ts";
import { describePacket } from "../policy/describe.ts";
import { type Decision, evaluate } from "../policy/evaluate.ts";
import type { Packet } from "../policy/packet.ts";
import { TCP } from "../policy/packet.ts";
import { PATHS } from "../policy/paths.ts";
import type { Policy, Rule } from "../policy/policy.ts";

/** The packets that a policy may leave untracked and allow, and that somebody answers. */
function untrackedAndAnswered(meaning: Meaning, family: Family): Diagram {
  const space = meaning.space(family);
  const untracked = space.where(meaning.fates(family, "untracking", "packet"), FATE.untracked);
  return space.intersection(untracked, answered(meaning, family));
}

/** An essential loopback passes whatever its state, so nothing there depends on the way back. */
function answered(meaning: Meaning, family: Family): Diagram {
  const space = meaning.space(family);
  if (!meaning.policy.essentials) return meaning.answerable(family);
  const loopback = PATHS.indexOf("loopback");
  return space.difference(
    meaning.answerable(family),
    space.set([{ path: [{ first: loopback, last: loopback }] }]),
  );
}

/** The packets that may open a tracked flow which is answered: over TCP, openings only. */
export function opensTracked(meaning: Meaning, family: Family): Diagram {
  const space = meaning.space(family);
  const tracked = space.where(meaning.fates(family, "keeping", "packet"), FATE.allowed, FATE.denied);
  const passes = space.where(meaning.fates(family, "tracking", "packet"), FATE.allowed, FATE.untracked);
  const opens = space.union(
    space.set([{ opening: [{ first: 1, last: 1 }] }]),
    space.set([{ protocol: { except: [{ first: TCP, last: TCP }] } }]),
  );
  return space.intersection(
    space.intersection(tracked, passes),
    space.intersection(opens, answered(meaning, family)),
  );
}

/** Untracked packets whose replies may be denied. */
export function repliesDenied(meaning: Meaning, family: Family): Diagram {
  const space = meaning.space(family);
  const replies = meaning.replies(family, "blocking");
  return space.intersection(
    untrackedAndAnswered(meaning, family),
    space.where(replies, FATE.denied, FATE.droppedEarly),
  );
}

/** Untracked packets whose replies may be allowed and tracked. */
export function repliesTracked(meaning: Meaning, family: Family): Diagram {
  const space = meaning.space(family);
  const tracked = space.where(meaning.replies(family, "keeping"), FATE.allowed, FATE.denied);
  const passes = space.where(meaning.replies(family, "tracking"), FATE.allowed, FATE.untracked);
  return space.intersection(untrackedAndAnswered(meaning, family), space.intersection(tracked, passes));
}

/** Packets that may open a tracked flow of which raw may leave the replies untracked. */
export function repliesUntracked(meaning: Meaning, family: Family): Diagram {
  const space = meaning.space(family);
  return space.intersection(
    opensTracked(meaning, family),
    space.where(meaning.marks(family, "reply"), FATE.untracked),
  );
}

/**
 * What becomes of a packet that opens something, or of a reply that no flow remembers, when limits turn out worst:
 * `blocking`, no allow has room; `tracking`, tracked allows have room and denies have not.
 */
export function decide(policy: Policy, packet: Packet, limits: "blocking" | "tracking"): Decision {
  return evaluate(policy, packet, {
    state: "new",
    withinLimit: ({ tracked, action }) =>
      limits === "blocking" ? action !== "allow" : tracked && action === "allow",
    translate: (same) => same,
  });
}

/** Words for a place that decides, with the rule that it belongs to where there is one. */
export function describeDecision({ reason, verdict }: Decision, packet: Packet): string {
  switch (reason.kind) {
    case "rule":
      return reason.rule.origin.role === "mirror-guard"
        ? "the deny of TCP openings that its `symmetricAllow` adds"
        : "this rule";
    case "default":
      return `the default of ${packet.path === "loopback" ? "output" : packet.path} (\`${verdict}\`)`;
    case "state":
    case "invalid":
      return "connection tracking";
    case "loopback":
    case "neighbour-discovery":
    case "icmp-error":
      return "the essentials";
  }
}

/** `the packet  tcp …` and `its reply   tcp …`, one above the other, as a note. */
export function packetAndReply(packet: Packet, reply: Packet): string {
  return `packet: ${describePacket(packet)}\nreply:  ${describePacket(reply)}`;
}

/** The rules of a policy that leave packets untracked. */
export function untrackedAllows(policy: Policy): Rule[] {
  return policy.rules.filter(({ tracked, action }) => !tracked && action === "allow");
}

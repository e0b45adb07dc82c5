import { holds } from "../address/ranges.ts";
import type { Packet, TrackedState } from "./packet.ts";
import { isIcmpError, isNeighbourDiscovery, matchesDevice, TCP } from "./packet.ts";
import { canTakePath, deliveredHere, sentHere } from "./paths.ts";
import type {
  AddressSet,
  DestinationNat,
  Interfaces,
  Match,
  Peer,
  Policy,
  Rule,
  SourceNat,
  Traffic,
} from "./policy.ts";

/**
 * The reference: what a policy says about one packet, written to be read and believed, not to be fast. Everything that
 * is fast (the lowering, the packet engine) is tested against it, and it is tested against the kernel.
 */

/** What a policy cannot know and the host does. */
export interface Circumstances {
  /** The state connection tracking would give the packet if it tracks it. */
  readonly state: TrackedState;
  /** Whether a rule's rate limit still has room. */
  readonly withinLimit: (rule: Rule) => boolean;
  /** The packet as it goes on once its destination is translated; null where the policy is not asked about translation. */
  readonly translate: (packet: Packet, nat: DestinationNat) => Packet;
}

/** What decided. */
export type Reason =
  | { readonly kind: "rule"; readonly rule: Rule }
  | { readonly kind: "loopback" }
  | { readonly kind: "neighbour-discovery" }
  | { readonly kind: "state" }
  | { readonly kind: "icmp-error" }
  | { readonly kind: "invalid" }
  | { readonly kind: "default" };

export interface Decision {
  readonly verdict: "allow" | "deny" | "reject";
  readonly tracked: boolean;
  /** The packet never reached connection tracking. */
  readonly droppedEarly: boolean;
  readonly reason: Reason;
  /** Set only for new, tracked packets: the kernel translates nothing else by rule. */
  readonly destinationNat: DestinationNat | null;
  readonly sourceNat: SourceNat | null;
}

/** What the policy means for this packet. */
export function evaluate(policy: Policy, packet: Packet, circumstances: Circumstances): Decision {
  const { state, withinLimit, translate } = circumstances;

  // 1. Before connection tracking.
  if (policy.essentials && isNeighbourDiscovery(packet) && packet.path !== "forward")
    return untracked("allow", { kind: "neighbour-discovery" });
  const raw = rawRule(policy, packet, withinLimit);
  const tracked = !isNeighbourDiscovery(packet);
  const isNew = tracked && state === "new";
  const destinationNat = isNew ? first(policy.destinationNat, packet, policy.self) : null;
  if (raw && !raw.tracked && !(destinationNat && waitsForRouting(policy, raw, packet, withinLimit)))
    return untracked(raw.action, { kind: "rule", rule: raw });

  // 2. Connection tracking, and destination NAT for the first packet of a flow.
  const routed = destinationNat ? translate(packet, destinationNat) : packet;

  // 3. The filter. Of what this host sends it knows the way out from before the translation.
  const seen = routed.path === "output" ? { ...routed, out: packet.out } : routed;
  const decided = filter(policy, seen, tracked ? state : null, withinLimit);

  // 4. Source NAT, for what passed and leaves. A connection to itself would not survive another source.
  const leaves = routed.path === "forward" || routed.path === "output";
  const sourceNat =
    isNew && leaves && decided.verdict === "allow" ? first(policy.sourceNat, routed, policy.self) : null;
  return { ...decided, tracked, droppedEarly: false, destinationNat, sourceNat };
}

/** The end of the matter for a packet that connection tracking does not see: allowed through every hook, or gone. */
function untracked(action: Rule["action"], reason: Reason): Decision {
  return {
    verdict: action === "allow" ? "allow" : "deny",
    tracked: false,
    droppedEarly: action !== "allow",
    reason,
    destinationNat: null,
    sourceNat: null,
  };
}

/** Whether the policy leaves some packets untracked, so that ICMP errors about them come without a state. */
export function leavesUntracked(policy: Policy): boolean {
  return policy.rules.some((rule) => !rule.tracked && rule.action === "allow");
}

/** The same, for packets that are forwarded. */
export function forwardsUntracked(policy: Policy): boolean {
  return policy.rules.some(
    (rule) =>
      !rule.tracked && rule.action === "allow" && canTakePath(rule.match, "forward", policy.self !== null),
  );
}

/**
 * Whether the policy forwards anything. Where it does not, it opens no flow that could be forwarded, and state lets none
 * pass that others have opened.
 */
export function forwards({ rules, defaults, self }: Policy): boolean {
  return (
    defaults.forward === "allow" ||
    rules.some(({ action, match }) => action === "allow" && canTakePath(match, "forward", self !== null))
  );
}

/**
 * The rule that says whether connection tracking sees a packet: the first that matches. A tracked rule keeps its packets
 * tracked whether or not its limit has room, because a flow cannot change sides when its packets come fast. On an
 * essential loopback denies have no say.
 */
function rawRule(policy: Policy, packet: Packet, withinLimit: (rule: Rule) => boolean): Rule | null {
  const deniesCount = !(policy.essentials && packet.path === "loopback");
  return (
    policy.rules.find(
      (rule) =>
        matches(rule.match, packet, policy.self) &&
        (deniesCount || rule.action === "allow") &&
        (rule.tracked || !rule.limit || withinLimit(rule)),
    ) ?? null
  );
}

/**
 * Whether an untracked deny can only be carried out once it is known where a forwarded packet leaves: because it asks for
 * that itself, or because a rule above does, that would keep the packet from it. By then a packet that is translated is
 * on another way, and its new destination is what counts. It does not come so far where another untracked rule has the
 * packet: raw goes by the first rule that matches as far as it can know, without those denies that have to wait.
 */
function waitsForRouting(
  policy: Policy,
  { action }: Rule,
  packet: Packet,
  withinLimit: (rule: Rule) => boolean,
): boolean {
  if (action === "allow" || packet.path !== "forward") return false;
  const known = policy.rules.find(
    (rule) =>
      (rule.tracked || rule.action === "allow" || rule.match.out === null) &&
      matches({ ...rule.match, out: null }, packet, policy.self) &&
      (rule.tracked || !rule.limit || withinLimit(rule)),
  );
  return known === undefined || known.tracked;
}

/** `state` is null for what is not tracked. */
function filter(
  policy: Policy,
  packet: Packet,
  state: TrackedState | null,
  withinLimit: (rule: Rule) => boolean,
): Pick<Decision, "verdict" | "reason"> {
  const { path } = packet;
  const inFlow = state === "established" || state === "related";
  if (inFlow && (path !== "forward" || forwards(policy)))
    return { verdict: "allow", reason: { kind: "state" } };
  if (policy.essentials) {
    if (path === "loopback") return { verdict: "allow", reason: { kind: "loopback" } };
    const concerned = path === "forward" ? forwardsUntracked(policy) : leavesUntracked(policy);
    if (concerned && isIcmpError(packet)) return { verdict: "allow", reason: { kind: "icmp-error" } };
  }
  if (state === "invalid" && (path === "input" || path === "forward"))
    return { verdict: "deny", reason: { kind: "invalid" } };
  const rule = policy.rules.find(
    (candidate) =>
      matches(candidate.match, packet, policy.self) && (!candidate.limit || withinLimit(candidate)),
  );
  if (rule) return { verdict: rule.action, reason: { kind: "rule", rule } };
  return { verdict: policy.defaults[path === "loopback" ? "output" : path], reason: { kind: "default" } };
}

function first<T extends { readonly match: Match }>(
  sentences: readonly T[],
  packet: Packet,
  self: AddressSet | null,
): T | null {
  return sentences.find((sentence) => matches(sentence.match, packet, self)) ?? null;
}

/** Whether a packet is what a match describes. */
export function matches(match: Match, packet: Packet, self: AddressSet | null): boolean {
  return (
    match.traffic.some((traffic) => isTraffic(traffic, packet)) &&
    isPeer(match.source, packet, packet.source, sentHere(packet.path), self) &&
    isPeer(match.destination, packet, packet.destination, deliveredHere(packet.path), self) &&
    isInterface(match.in, packet.in) &&
    isInterface(match.out, packet.out) &&
    (match.openings === "any" || (match.openings === "only") === (packet.opening && packet.protocol === TCP))
  );
}

function isTraffic(traffic: Traffic, packet: Packet): boolean {
  if (traffic.protocol !== null && traffic.protocol !== packet.protocol) return false;
  if (traffic.family !== null && traffic.family !== packet.family) return false;
  if (traffic.icmp) {
    if (packet.icmp?.type !== traffic.icmp.type) return false;
    if (traffic.icmp.code !== null && packet.icmp.code !== traffic.icmp.code) return false;
  }
  return (
    isPort(traffic.sourcePorts, packet.sourcePort) && isPort(traffic.destinationPorts, packet.destinationPort)
  );
}

function isPort(ports: Traffic["sourcePorts"], port: number | null): boolean {
  return ports === null || (port !== null && holds(ports, port));
}

function isPeer(
  peer: Peer,
  { family }: Packet,
  address: bigint,
  here: boolean,
  self: AddressSet | null,
): boolean {
  const isSelf = peer.self && here && (self === null || contains(self, family, address));
  return (peer.any || isSelf || contains(peer.addresses, family, address)) !== peer.negated;
}

function contains(set: AddressSet, family: 4 | 6, address: bigint): boolean {
  return holds(family === 4 ? set.v4 : set.v6, address);
}

function isInterface(interfaces: Interfaces | null, device: string | null): boolean {
  if (!interfaces) return true;
  return device !== null && matchesDevice(device, interfaces.devices) !== interfaces.negated;
}

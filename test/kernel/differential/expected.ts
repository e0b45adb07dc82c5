import type { Range } from "../../../src/address/ranges.ts";
import { denialsInDoubt } from "../../../src/lower/late.ts";
import { type Decision, evaluate, forwards, matches } from "../../../src/policy/evaluate.ts";
import {
  isNeighbourDiscovery,
  LOOPBACK,
  type Packet,
  type TrackedState,
} from "../../../src/policy/packet.ts";
import type { DestinationNat, NatTarget, Policy, Rule, SourceNat } from "../../../src/policy/policy.ts";
import { type Device, LINK_LOCAL, OWN } from "../crossroads.ts";
import type { ObservedState } from "../observer.ts";
import { addressOf, isAnswerable, isGroup, isNeverTracked, isOwn, type Shot } from "./shots.ts";

/** What the reference says that the observer will see. */
export interface Expectation {
  readonly verdict: "allow" | "deny" | "reject";
  /** It is gone before connection tracking; null where the policy cannot have it either way, or where it makes no difference. */
  readonly early: boolean | null;
  /** What it is at the end of its way, if it comes there. */
  readonly end: {
    readonly path: Packet["path"];
    readonly out: string | null;
    readonly state: ObservedState;
    readonly destination: bigint;
    readonly destinationPort: number | null;
    readonly source: Range<bigint>;
    readonly sourcePort: Range<number> | null;
  };
}

/** One expectation for each translation of the destination that the kernel may choose. */
export function expectations(policy: Policy, shot: Shot, state: TrackedState): readonly Expectation[] {
  const { packet, via } = shot;
  const judge = (choice: Choice): { decision: Decision; seen: Packet } => {
    let seen = packet;
    const translate = (before: Packet, nat: DestinationNat): Packet => {
      seen = translated(before, nat, choice, via);
      return seen;
    };
    return { decision: evaluate(policy, packet, { state, withinLimit: () => true, translate }), seen };
  };
  const { destinationNat } = judge(FIRST).decision;
  const choices = destinationNat ? choicesOf(destinationNat, packet.family) : [FIRST];
  return choices.map((choice) => {
    const { decision, seen } = judge(choice);
    return expectation(policy, shot, state, decision, seen);
  });
}

function expectation(
  policy: Policy,
  shot: Shot,
  state: TrackedState,
  { verdict, tracked, droppedEarly, sourceNat }: Decision,
  seen: Packet,
): Expectation {
  const isSilent = verdict === "reject" && !isAnswerable({ ...shot, packet: seen });
  const port = seen.sourcePort;
  return {
    verdict: isSilent ? "deny" : verdict,
    early: makesNoDifferenceWhen(policy, shot.packet) ? null : droppedEarly,
    end: {
      path: seen.path,
      // The observer sees what comes in on loopback, where nothing leaves.
      out: seen.path === "loopback" ? null : seen.out,
      state: tracked && !isNeverTracked(shot) ? state : "untracked",
      destination: seen.destination,
      destinationPort: seen.destinationPort,
      source: sourceNat ? sourcesOf(sourceNat, seen) : single(seen.source),
      sourcePort: port === null ? null : sourceNat ? portsOf(sourceNat, seen.protocol, port) : single(port),
    },
  };
}

/**
 * What becomes of a packet of an open flow whose translation is undone on its way: raw sees it as it is on the wire, and
 * takes no packet from a tracked rule that may want it; what waits for routing, an untracked deny with `out` or below a rule that
 * has one, sees it as it is then.
 */
export function expectationWithin(policy: Policy, shot: Shot, end: Expectation["end"]): Expectation {
  const { packet } = shot;
  const { path, out, destination, destinationPort } = end;
  const undone: Packet = { ...packet, path, out, destination, destinationPort };
  const known = { state: "established", withinLimit: () => true, translate: () => undone } as const;
  const asksOut = ({ tracked, action, match }: Rule): boolean =>
    !tracked && action === "deny" && match.out !== null;
  const foreseen = policy.rules
    .filter((rule) => !asksOut(rule))
    .map((rule) => (rule.tracked ? { ...rule, match: { ...rule.match, out: null } } : rule));
  const inRaw = evaluate(
    { ...policy, rules: packet.path === "forward" ? foreseen : policy.rules },
    packet,
    known,
  );
  const inDoubt = denialsInDoubt(policy);
  const isWaiting = (rule: Rule): boolean => {
    const takers = inDoubt.get(rule);
    if (!takers || !rule.limit) return asksOut(rule) || takers !== undefined;
    return takers.some(({ match }) => matches({ ...match, out: null }, undone, policy.self));
  };
  const routed = evaluate(policy, undone, known);
  const isHeldBack =
    inRaw.tracked && path === "forward" && routed.reason.kind === "rule" && isWaiting(routed.reason.rule);
  // What is not tracked, nothing is undone of.
  if (!inRaw.tracked) return expectation(policy, shot, "established", inRaw, packet);
  // State decides on the way that the packet is on then, and where nothing is forwarded the rules and the default do.
  const byState = path !== "forward" || forwards(policy);
  const inFilter: Decision = byState
    ? { ...inRaw, verdict: "allow", reason: { kind: "state" } }
    : evaluate({ ...policy, rules: policy.rules.filter(({ tracked }) => tracked) }, undone, known);
  return { ...expectation(policy, shot, "established", isHeldBack ? routed : inFilter, undone), end };
}

const single = <T extends bigint | number>(value: T): Range<T> => ({ first: value, last: value });

/**
 * The one difference that is known: before routing the kernel cannot ask where a packet will leave. An untracked deny that
 * asks it, or that stands below a rule that does, drops the packets that are forwarded only in the filter.
 */
function waits(policy: Policy, packet: Packet): boolean {
  return (
    packet.path === "forward" &&
    policy.rules.some(
      ({ match }) => match.out !== null && matches({ ...match, out: null }, packet, policy.self),
    )
  );
}

/**
 * Whether nobody need know if a packet is dropped before connection tracking: raw cannot always tell, neighbour discovery is
 * never tracked, and where nothing is forwarded all of it is dropped somewhere.
 */
function makesNoDifferenceWhen(policy: Policy, packet: Packet): boolean {
  return (
    waits(policy, packet) || isNeighbourDiscovery(packet) || (packet.path === "forward" && !forwards(policy))
  );
}

/**
 * Whether the raw hook, which does not know where a forwarded packet will leave, may take this one for another that the
 * policy leaves untracked. Where that matters it is the error `untracked-path`, and no ruleset can do what such a policy says.
 */
export function isAmbiguous(policy: Policy, shot: Shot, state: TrackedState): boolean {
  const { packet } = shot;
  if (packet.path !== "forward") return false;
  return expectations(policy, shot, state).some(({ end, verdict }) => {
    if (end.state === "untracked") return false;
    // What is dropped is dropped, tracked or not, unless it is somewhere else that it is dropped.
    const isRewritten =
      end.destination !== packet.destination || end.destinationPort !== packet.destinationPort;
    if (state === "new" && verdict !== "allow" && !isRewritten) return false;
    return waits(policy, packet) && mayBeLeftUntracked(policy, packet);
  });
}

/** Whether raw, not knowing where a packet will leave, may leave it untracked. */
function mayBeLeftUntracked(policy: Policy, packet: Packet): boolean {
  return policy.rules.some(
    ({ tracked, action, match }) =>
      !tracked && action === "allow" && matches({ ...match, out: null }, packet, policy.self),
  );
}

/** Which of the addresses and ports of a translation the kernel takes. */
interface Choice {
  readonly address: bigint;
  readonly port: number;
}

const FIRST: Choice = { address: 0n, port: 0 };

/** All choices of a translation; ranges of a random policy are short. */
function choicesOf({ target, ports }: DestinationNat, family: 4 | 6): readonly Choice[] {
  const range = target && rangeOf(target, family);
  const addresses = range ? Number(range.last - range.first) + 1 : 1;
  const count = ports ? ports.last - ports.first + 1 : 1;
  return Array.from({ length: addresses * count }, (_, i) => ({
    address: BigInt(i % addresses),
    port: Math.floor(i / addresses),
  }));
}

function rangeOf(target: NatTarget, family: 4 | 6): Range<bigint> | null {
  return family === 4 ? target.v4 : target.v6;
}

/** The packet with another destination, on the way that the host's routes give it then. */
function translated(packet: Packet, { target, ports }: DestinationNat, choice: Choice, via: Device): Packet {
  const { family } = packet;
  const isSentHere = packet.path === "output" || packet.path === "loopback";
  const range = target && rangeOf(target, family);
  const destination = range ? range.first + choice.address : redirected(packet);
  const isHere = isOwn(family, destination) || destination === LOCALHOST[family];
  const path = isHere ? (isSentHere ? "loopback" : "input") : isSentHere ? "output" : "forward";
  return {
    ...packet,
    path,
    in: path === "loopback" ? LOOPBACK : isSentHere ? null : packet.in,
    out: path === "input" ? null : path === "loopback" ? LOOPBACK : via,
    destination,
    destinationPort: ports ? ports.first + choice.port : packet.destinationPort,
  };
}

const LOCALHOST = { 4: addressOf("127.0.0.1"), 6: addressOf("::1") } as const;

/** Where `redirect` sends a packet: to the device that it came in by, and what the host sends itself to loopback. */
function redirected({ family, path, in: incoming, destination }: Packet): bigint {
  if (path === "output" || path === "loopback") return LOCALHOST[family];
  // IPv6 has addresses for each scope.
  if (family === 6 && isGroup(family, destination)) return addressOf(LINK_LOCAL);
  return addressOf(OWN[incoming as Device][family]);
}

/** The addresses that source NAT may write. */
function sourcesOf({ pool }: SourceNat, { family, out }: Packet): Range<bigint> {
  const range = pool && rangeOf(pool, family);
  return range ?? single(addressOf(OWN[out as Device][family]));
}

/** Protocols whose ports NAT can write: TCP, UDP, SCTP, UDP-Lite. */
const TRANSLATED_PORTS: readonly number[] = [6, 17, 132, 136];

/**
 * The ports that source NAT may write: those of the sentence, or of the same kind as the one that the packet has
 * (`nf_nat_l4proto_unique_tuple`).
 */
function portsOf({ ports, random }: SourceNat, protocol: number, port: number): Range<number> {
  if (!TRANSLATED_PORTS.includes(protocol)) return single(port);
  // UDP-Lite is the one of them for which neither tool takes a range.
  if (ports && protocol !== 136) return ports;
  if (!random) return single(port);
  if (port < 512) return { first: 1, last: 511 };
  return port < 1024 ? { first: 600, last: 1023 } : { first: 1024, last: 65_535 };
}

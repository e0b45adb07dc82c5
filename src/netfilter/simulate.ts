import type { MappedRule, MappedRuleset } from "./grouped.ts";
import { type LimitOracle, statementFor, type View } from "./match.ts";
import type { AddressType, Hook, State, Statement, TableName } from "./ruleset.ts";
import { type Ending, walkChain } from "./walk.ts";

/** A packet before the kernel has looked at it. */
export interface SimulatedPacket extends Omit<View, "state" | "destinationTranslated"> {
  /** On `loopback` both devices are `lo`. */
  readonly path: "input" | "output" | "forward" | "loopback";
  /** What connection tracking calls the packet, if nothing keeps it from looking. */
  readonly state: Exclude<State, "untracked">;
  /** Whether the flow of a packet that is not new had its destination translated when it was. */
  readonly destinationTranslated?: boolean;
}

/** Where a packet goes, as the routing table decides it. */
export interface Route {
  readonly path: SimulatedPacket["path"];
  readonly out: string | null;
  readonly destinationType: AddressType | null;
}

/** What a ruleset does not say. */
export interface Surroundings {
  /** Every limit has tokens left unless this says otherwise. */
  readonly limit?: LimitOracle;
  /** The way of a packet whose destination was translated; the way that it was on where this is not given. */
  readonly route?: (packet: SimulatedPacket) => Route;
  /** The address that `redirect` translates to; where it is not given, the destination stays as it is. */
  readonly ownAddress?: (packet: SimulatedPacket) => bigint;
}

/** What becomes of a packet. */
export interface Fate {
  readonly verdict: "accept" | "drop" | "reject";
  /** The packet went past connection tracking. False for what is dropped before it. */
  readonly untracked: boolean;
  /** The translations that a new flow gets. */
  readonly destinationNat: Statement | null;
  readonly sourceNat: Statement | null;
  /** Prefixes of the lines logged, in order. */
  readonly logged: readonly string[];
  /** The rule that dropped or rejected the packet, or let it pass the last filter chain; null where a policy did. */
  readonly decidedBy: MappedRule | null;
}

/** Neighbour discovery and MLD, which the kernel never tracks (`nf_conntrack_proto_icmpv6.c`). */
const NEVER_TRACKED: readonly number[] = [130, 131, 132, 133, 134, 135, 136, 143];

/** A packet under way. */
interface Journey {
  packet: SimulatedPacket;
  /** The way out of what this host sends, which the output hook goes on seeing when translation has changed it. */
  readonly sentBy: string | null;
  state: State;
  destinationNat: Statement | null;
  sourceNat: Statement | null;
  decidedBy: MappedRule | null;
  readonly logged: string[];
}

/**
 * What a ruleset does to a packet, hook by hook as in the kernel: raw, connection tracking, NAT of the destination, filter,
 * NAT of the source. It decides one packet and remembers no flows: the packet says itself what tracking would call it.
 * NAT chains see new packets only. A pool gives its first address and port; the source is left as it is, since no hook but
 * those of a packet on loopback comes after its translation.
 */
export function simulate(
  ruleset: MappedRuleset,
  packet: SimulatedPacket,
  surroundings: Surroundings = {},
): Fate {
  const journey: Journey = {
    packet,
    sentBy: packet.out,
    // Before connection tracking has looked at it, a packet has no connection, which is what `invalid` means.
    state: "invalid",
    destinationNat: null,
    sourceNat: null,
    decidedBy: null,
    logged: [],
  };
  const verdict = travel(ruleset, journey, surroundings);
  const { state, destinationNat, sourceNat, decidedBy, logged } = journey;
  return { verdict, untracked: state === "untracked", destinationNat, sourceNat, logged, decidedBy };
}

function travel(ruleset: MappedRuleset, journey: Journey, surroundings: Surroundings): Fate["verdict"] {
  const pass = (table: TableName, hook: Hook): Ending =>
    passHook(ruleset, table, hook, journey, surroundings.limit ?? (() => true));
  const { path: start } = journey.packet;
  const entry = start === "output" || start === "loopback" ? "output" : "prerouting";

  const raw = pass("raw", entry);
  if (raw.kind === "drop") return "drop";
  journey.state =
    raw.kind === "notrack" || isNeverTracked(journey.packet) ? "untracked" : journey.packet.state;

  // The first packet of a flow decides its translations; packets without a flow have none.
  const isNew = journey.state === "new";
  if (isNew) translateDestination(journey, pass("nat", entry), surroundings);

  const { path } = journey.packet;
  const filtered = pass("filter", path === "loopback" ? "output" : path);
  if (filtered.kind === "drop" || filtered.kind === "reject") return filtered.kind;
  if (isNew) translateSource(journey, pass("nat", path === "input" ? "input" : "postrouting"));
  if (path !== "loopback") return "accept";

  // What went out on `lo` comes in again with the mark that it has: raw can drop it, but no longer untrack it.
  if (pass("raw", "prerouting").kind === "drop") return "drop";
  const received = pass("filter", "input");
  return received.kind === "drop" || received.kind === "reject" ? received.kind : "accept";
}

function isNeverTracked({ family, icmp }: SimulatedPacket): boolean {
  return family === 6 && icmp !== null && NEVER_TRACKED.includes(icmp.type);
}

/** Sends a packet through the chains that a table has at a hook. `drop` ends its way; `accept` is for one chain only. */
function passHook(
  ruleset: MappedRuleset,
  table: TableName,
  hook: Hook,
  journey: Journey,
  limit: LimitOracle,
): Ending {
  const view = viewAt(hook, journey);
  let ending: Ending = { kind: "accept" };
  for (const chain of ruleset.chains) {
    if (chain.table !== table || chain.base?.hook !== hook) continue;
    const walked = walkChain(ruleset, chain, (rule) => {
      const statement = statementFor(rule, view, limit);
      if (statement && rule.log) journey.logged.push(rule.log.prefix);
      return statement;
    });
    ending = walked?.ending ?? { kind: chain.base.policy };
    if (table === "filter" || ending.kind === "drop") journey.decidedBy = walked?.rule ?? null;
    if (ending.kind === "drop" || ending.kind === "reject") return ending;
  }
  return ending;
}

/** Rules see the input device up to the routing decision and in forward, the output device from it on. */
function viewAt(hook: Hook, { packet, sentBy, state, destinationNat }: Journey): View {
  const isInFlow = state === "established" || state === "related";
  const hasIn = hook === "prerouting" || hook === "input" || hook === "forward";
  const hasOut = hook === "forward" || hook === "postrouting";
  return {
    ...packet,
    in: hasIn ? packet.in : null,
    out: hook === "output" ? sentBy : hasOut ? packet.out : null,
    state,
    destinationTranslated:
      state === "new" ? destinationNat !== null : isInFlow && !!packet.destinationTranslated,
  };
}

function translateDestination(journey: Journey, ending: Ending, { route, ownAddress }: Surroundings): void {
  if (ending.kind !== "dnat" && ending.kind !== "redirect") return;
  const { packet } = journey;
  journey.destinationNat = ending;
  const destination = ending.kind === "dnat" ? ending.addresses.first : ownAddress?.(packet);
  const translated = {
    ...packet,
    destination: destination ?? packet.destination,
    destinationPort: ending.ports?.first ?? packet.destinationPort,
  };
  const routed = { ...translated, ...route?.(translated) };
  // What turns back to this host arrives on the device that it leaves by.
  journey.packet = routed.path === "loopback" ? { ...routed, in: routed.out } : routed;
}

function translateSource(journey: Journey, ending: Ending): void {
  if (ending.kind !== "snat" && ending.kind !== "masquerade") return;
  journey.sourceNat = ending;
}

import { holds } from "../address/ranges.ts";
import { lower } from "../lower/lower.ts";
import type { Seen } from "../meaning/seen.ts";
import { describeTranslation, sourceTranslation, TRANSLATED_PORTS } from "../meaning/translations.ts";
import type { Hook, TableName } from "../netfilter/ruleset.ts";
import type { ScriptRuleset } from "../netfilter/script.ts";
import { type Decision, evaluate, matches, type Reason } from "../policy/evaluate.ts";
import { targetOf } from "../policy/nat.ts";
import { ICMP, ICMPV6, isNeighbourDiscovery, type Packet, TCP, type TrackedState } from "../policy/packet.ts";
import type { DestinationNat, Policy, Rule } from "../policy/policy.ts";
import { replyTo } from "../policy/reply.ts";
import { type HookWalk, walkHook } from "../verify/walk.ts";

/** A place on the way of a packet, and what happened there. */
export interface Step {
  readonly stage: "raw" | "connection tracking" | "destination NAT" | "filter" | "source NAT";
  /** Where in the kernel; null for connection tracking. */
  readonly hook: Hook | null;
  /** `left untracked`, `accepted`, `dropped`, … */
  readonly result: string;
  /** What the rule that decided comes from, as the scripts say it; null where no rule did. */
  readonly by: string | null;
}

/** The way of one packet. */
export interface Journey {
  readonly packet: Packet;
  readonly state: TrackedState;
  readonly steps: readonly Step[];
  readonly decision: Decision;
  /** The rules of the policy that match the packet as the filter sees it, up to the one that decides. */
  readonly met: readonly Rule[];
  /** The packet as it goes on where its destination is rewritten; null where it is not. */
  readonly translated: Packet | null;
}

export interface Trace extends Journey {
  /** The answer, if the packet passes and something answers it. */
  readonly reply: Journey | null;
  /** Why there is none. */
  readonly noReply: string | null;
}

export interface TraceOptions {
  /** What connection tracking calls the packet, if it sees it. */
  readonly state: TrackedState;
  /** The device that a packet leaves by once its destination is rewritten. */
  readonly via: string | null;
}

/** Follows a packet, and what answers it, through a policy and the ruleset that it is compiled to. */
export function trace(policy: Policy, packet: Packet, options: TraceOptions): Trace {
  const ruleset = lower(policy);
  const there = journey(policy, ruleset, packet, options);
  const seen = there.translated ?? packet;
  const answer = there.decision.verdict === "allow" ? replyTo(seen) : null;
  if (!answer)
    return {
      ...there,
      reply: null,
      noReply: there.decision.verdict === "allow" ? "nothing answers such a packet" : "it does not pass",
    };
  const isTracked = there.decision.tracked;
  const state = isTracked ? "established" : stateWithoutFlow(answer);
  return { ...there, reply: journey(policy, ruleset, answer, { ...options, state }), noReply: null };
}

/** What connection tracking calls an answer to something that it has not seen. */
function stateWithoutFlow({ protocol, family }: Packet): TrackedState {
  return protocol === TCP || protocol === (family === 4 ? ICMP : ICMPV6) ? "invalid" : "new";
}

function journey(
  policy: Policy,
  ruleset: ScriptRuleset,
  packet: Packet,
  { state, via }: TraceOptions,
): Journey {
  let translated: Packet | null = null;
  const decision = evaluate(policy, packet, {
    state,
    withinLimit: () => true,
    translate(before, nat) {
      translated = translate(before, nat, policy, via);
      return translated;
    },
  });
  const routed: Packet = translated ?? packet;
  // Of what this host sends the filter goes on seeing the way out from before the translation.
  const filtered: Packet = routed.path === "output" ? { ...routed, out: packet.out } : routed;
  const steps = stepsOf(ruleset, packet, filtered, routed, state, decision);
  // A deny that asks where a forwarded packet leaves means it to go early, and has to wait for the filter.
  const droppedEarly = decision.droppedEarly && steps.at(-1)?.stage === "raw";
  return {
    packet,
    state,
    steps,
    decision: { ...decision, droppedEarly },
    met: rulesMet(policy, decision.droppedEarly ? packet : filtered, decision.reason),
    translated,
  };
}

/** A rewritten packet. It goes its way from where it was: to this host only where the policy says that the address is its own. */
function translate(packet: Packet, nat: DestinationNat, { self }: Policy, via: string | null): Packet {
  const { family, path } = packet;
  const target = nat.target && targetOf(nat.target, family);
  const own = self && (family === 4 ? self.v4 : self.v6);
  const destination = target ? target.first : (own?.[0]?.first ?? packet.destination);
  const isHere = nat.redirect || (own ? holds(own, destination) : false);
  const isSent = path === "output" || path === "loopback";
  const way = isHere ? (isSent ? "loopback" : "input") : isSent ? "output" : "forward";
  const out = way === "input" ? null : way === "loopback" ? "lo" : (via ?? packet.out);
  return {
    ...packet,
    path: way,
    in: way === "loopback" ? "lo" : isSent ? null : packet.in,
    out,
    destination,
    destinationPort: nat.ports ? nat.ports.first : packet.destinationPort,
  };
}

/** The hooks in the order in which the kernel comes by them, up to where the packet ends. */
function stepsOf(
  ruleset: ScriptRuleset,
  packet: Packet,
  filtered: Packet,
  routed: Packet,
  state: TrackedState,
  decision: Decision,
): Step[] {
  const steps: Step[] = [];
  const arrives = packet.path === "input" || packet.path === "forward";
  const entry: Hook = arrives ? "prerouting" : "output";
  const walk = (table: TableName, hook: Hook, which: Packet, seen: Seen): HookWalk =>
    walkHook(ruleset, table, hook, { packet: which, seen });
  const add = (stage: Step["stage"], walked: HookWalk, result: string): void => {
    steps.push({ stage, hook: walked.hook, result, by: walked.by?.rule.origin ?? null });
  };

  const raw = walk("raw", entry, packet, state);
  if (raw.ending) {
    add("raw", raw, "dropped");
    return steps;
  }
  const isUntracked = raw.untracked || isNeighbourDiscovery(packet);
  if (raw.by || raw.met.length > 0) add("raw", raw, raw.untracked ? "left untracked" : "left to be tracked");
  steps.push({
    stage: "connection tracking",
    hook: null,
    result: isUntracked
      ? raw.untracked
        ? "does not see it"
        : "leaves neighbour discovery untracked"
      : `calls it ${state.toUpperCase()}`,
    by: null,
  });
  const isNew = !isUntracked && state === "new";
  if (isNew && decision.destinationNat) {
    const nat = walk("nat", entry, packet, "new");
    add("destination NAT", nat, "rewritten");
  }
  const seen: Seen = isUntracked ? "untracked" : isNew && decision.destinationNat ? "new-translated" : state;
  const hooks: readonly Hook[] = filtered.path === "loopback" ? ["output", "input"] : [filtered.path];
  for (const hook of hooks) {
    const filter = walk("filter", hook, filtered, seen);
    const kind = filter.ending?.kind;
    if (kind === "policy" || kind === "drop") add("filter", filter, "dropped");
    else if (kind === "reject") add("filter", filter, "rejected");
    else add("filter", filter, "accepted");
    if (filter.ending) return steps;
  }
  if (isNew && decision.sourceNat) {
    const nat = walk("nat", "postrouting", routed, seen);
    const { family, protocol } = filtered;
    const does = sourceTranslation(decision.sourceNat, family, TRANSLATED_PORTS.includes(protocol));
    add("source NAT", nat, does ? describeTranslation(does, family) : "left as it is");
  }
  return steps;
}

function rulesMet(policy: Policy, packet: Packet, reason: Reason): Rule[] {
  const met: Rule[] = [];
  if (reason.kind !== "rule" && reason.kind !== "default") return met;
  for (const rule of policy.rules) {
    if (matches(rule.match, packet, policy.self)) met.push(rule);
    if (reason.kind === "rule" && rule === reason.rule) break;
  }
  return met;
}

import type { Family } from "../../src/address/ranges.ts";
import { holds } from "../../src/address/ranges.ts";
import type { LimitOracle } from "../../src/netfilter/match.ts";
import type { AddressType, Match, Ruleset, RulesetRule } from "../../src/netfilter/ruleset.ts";
import type { ScriptRuleset } from "../../src/netfilter/script.ts";
import { type SimulatedPacket, simulate } from "../../src/netfilter/simulate.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import type { Packet } from "../../src/policy/packet.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { replyTo } from "../../src/policy/reply.ts";
import { strict } from "../read/model.ts";

/**
 * Looks for a packet that two rulesets treat differently, with the simulator, which shares nothing with the comparison that
 * is under test: for each rule of either, packets that match it, and packets one step beside each of its edges, on every
 * path and in every state. Null where none is found.
 */
export function fatesOnBoundaries(
  a: ScriptRuleset,
  b: ScriptRuleset,
  families: readonly Family[],
  policy: Policy,
): string | null {
  const first = strict(lenient(a));
  const second = strict(lenient(b));
  const asksLimits = [first, second].some(({ chains }) =>
    chains.some(({ rules }) => rules.some(({ matches }) => matches.some(({ kind }) => kind === "limit"))),
  );
  for (const family of families)
    for (const packet of packetsOf([first, second], family, policy))
      for (const room of asksLimits ? [true, false] : [true]) {
        const one = fateOf(first, packet, room);
        const other = fateOf(second, packet, room);
        if (one !== other && !isOfNoFlow(packet, policy)) return `${textOf(packet)}: ${one}, ${other}`;
      }
  return null;
}

/**
 * Whether a forwarded packet cannot be what its state says, because neither it nor its reply is allowed to open a flow. What
 * a script would do with it tells nothing: there is no such packet.
 */
function isOfNoFlow(packet: SimulatedPacket, policy: Policy): boolean {
  if (packet.path !== "forward" || packet.state === "new" || policy.destinationNat.length > 0) return false;
  const opens = (one: Packet): boolean =>
    evaluate(
      policy,
      { ...one, opening: one.protocol === TCP },
      { state: "new", withinLimit: () => true, translate: (same) => same },
    ).verdict === "allow";
  const reply = replyTo(packet);
  return !opens(packet) && (reply === null || !opens(reply));
}

type LimitMatch = Parameters<LimitOracle>[0];

const TCP = 6;

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, one) => (typeof one === "bigint" ? one.toString(16) : one));
}

/** The simulator knows a mark only with the acceptance that follows it; a mark at the end of all rules comes to the same. */
function lenient({ chains }: ScriptRuleset): ScriptRuleset {
  return {
    chains: chains.map((chain) => ({
      ...chain,
      rules: chain.rules.map((rule, at) =>
        rule.statement.kind === "mark-untracked" && at === chain.rules.length - 1
          ? { ...rule, statement: { kind: "notrack" as const } }
          : rule,
      ),
    })),
  };
}

/**
 * What becomes of a packet where every limit has room, or none has, and the limits on whose answer that depends: verify
 * compares no tokens that are taken to no effect.
 */
function fateOf(ruleset: Ruleset, packet: SimulatedPacket, room: boolean): string {
  const asked: LimitMatch[] = [];
  const fate = (has: (limit: LimitMatch) => boolean): string => {
    const { verdict, untracked, destinationNat, sourceNat } = simulate(ruleset, packet, { limit: has });
    const passes = verdict === "accept";
    return textOf({ verdict, untracked: passes && untracked, nat: passes && { destinationNat, sourceNat } });
  };
  const whole = fate((limit) => {
    asked.push(limit);
    return room;
  });
  const telling = asked.filter((one) => fate((limit) => (limit === one) !== room) !== whole);
  return `${whole} ${telling.map(({ count, unit, burst }) => `${count}/${unit} ${burst}`)}`;
}

/** The values of a field that tests tell apart: both ends of each range, and their neighbours. */
function edges<T extends bigint | number>(ranges: readonly { first: T; last: T }[], one: T, most: T): T[] {
  const values = new Set<T>();
  for (const { first, last } of ranges)
    for (const value of [
      first,
      last,
      (first as number) - (one as number),
      (last as number) + (one as number),
    ])
      if ((value as T) >= 0 && (value as T) <= most) values.add(value as T);
  return [...values];
}

const PATHS = ["input", "forward", "output", "loopback"] as const;
const STATES = ["new", "established", "invalid"] as const;

/** Rules that stand in one of the rulesets alone, and a sample of the others. */
function telling(rulesets: readonly Ruleset[]): RulesetRule[] {
  const text = ({ matches, statement }: RulesetRule): string => textOf([matches, statement]);
  const [first, second] = rulesets.map(({ chains }) =>
    chains.flatMap(({ rules }) => rules.map((rule) => [text(rule), rule] as const)),
  ) as [(readonly [string, RulesetRule])[], (readonly [string, RulesetRule])[]];
  const inFirst = new Set(first.map(([key]) => key));
  const inSecond = new Set(second.map(([key]) => key));
  const alone = [
    ...first.filter(([key]) => !inSecond.has(key)),
    ...second.filter(([key]) => !inFirst.has(key)),
  ].map(([, rule]) => rule);
  const step = Math.max(1, Math.ceil(first.length / OTHERS));
  return [...alone, ...first.filter((_, i) => i % step === 0).map(([, rule]) => rule)];
}

const OTHERS = 15;

/** A packet that matches each rule as far as it can, and others that differ from it in one thing. */
function* packetsOf(
  rulesets: readonly Ruleset[],
  family: Family,
  { self }: Policy,
): Generator<SimulatedPacket> {
  const own = self ? (family === 4 ? self.v4 : self.v6) : [];
  const most = family === 4 ? 0xffff_ffffn : (1n << 128n) - 1n;
  const stranger = family === 4 ? 0x0102_0304n : 0x2a00n << 112n;
  const addresses = (side: "source" | "destination", { matches }: RulesetRule): bigint[] => {
    const ranges = matches.flatMap((match) =>
      match.kind === "address" && match.side === side && match.family === family ? match.ranges : [],
    );
    return [...edges(ranges.slice(0, 2), 1n, most), stranger];
  };
  const ports = (side: "source" | "destination", { matches }: RulesetRule): number[] => {
    const ranges = matches.flatMap((match) =>
      match.kind === "port" && match.side === side ? match.ports : [],
    );
    return [...edges(ranges.slice(0, 2), 1, 65535), 40_000];
  };
  for (const rule of telling(rulesets)) {
    const icmpTypes = rule.matches.flatMap((match) =>
      match.kind === "icmp" && match.family === family ? match.types : [],
    );
    const icmp = [
      ...icmpTypes.flatMap(({ type, code }) => [
        { type, code: code ?? 0 },
        { type: Math.min(type + 1, 255), code: 0 },
      ]),
      { type: 8, code: 0 },
    ];
    const devices = [...new Set([...rule.matches.flatMap(devicesOf), "eth0", "other0"])];
    const values = {
      protocol: [...new Set([...rule.matches.flatMap(protocolsOf), 6, 17, 47])],
      source: addresses("source", rule),
      destination: addresses("destination", rule),
      sourcePort: ports("source", rule),
      destinationPort: ports("destination", rule),
      opening: [true, false],
      in: devices,
      out: devices,
      icmp,
    };
    const base = Object.fromEntries(Object.entries(values).map(([name, [value]]) => [name, value]));
    for (const path of PATHS)
      for (const state of STATES) {
        yield* existing({ ...base, path, state });
        for (const [name, others] of Object.entries(values))
          for (const value of others.slice(1)) {
            yield* existing({ ...base, [name]: value, path, state });
            // What is not TCP has no openings, so the base alone would try one half of everything only.
            if (name !== "opening") yield* existing({ ...base, [name]: value, opening: false, path, state });
          }
      }
  }

  function* existing(draft: Record<string, unknown>): Generator<SimulatedPacket> {
    const { path, protocol, source, destination } = draft as unknown as SimulatedPacket;
    const sent = path === "output" || path === "loopback";
    const here = path === "input" || path === "loopback";
    if (!here && holds(own, destination)) return;
    if (path === "forward" && holds(own, source)) return;
    const isIcmp = protocol === (family === 4 ? 1 : 58);
    const hasPorts = [6, 17, 33, 132, 136].includes(protocol);
    const {
      in: arrives,
      out,
      icmp,
      sourcePort,
      destinationPort,
      opening,
    } = draft as unknown as SimulatedPacket;
    yield {
      ...(draft as unknown as SimulatedPacket),
      family,
      in: path === "loopback" ? "lo" : sent ? null : arrives,
      out: path === "loopback" ? "lo" : path === "input" ? null : out,
      sourceType: sent ? "local" : null,
      destinationType: here ? ("local" as AddressType) : null,
      icmp: isIcmp ? icmp : null,
      sourcePort: hasPorts ? sourcePort : null,
      destinationPort: hasPorts ? destinationPort : null,
      opening: protocol === 6 && opening,
    };
  }
}

function protocolsOf(match: Match): number[] {
  if (match.kind === "protocol") return [...match.protocols];
  return match.kind === "icmp" ? [match.family === 4 ? 1 : 58] : [];
}

function devicesOf(match: Match): string[] {
  if (match.kind !== "interface") return [];
  return match.devices.filter((device) => device !== "lo").map((device) => device.replace("*", "9"));
}

import type { Family, PortRanges } from "../address/ranges.ts";
import type { IcmpMatch, Match as Test } from "../netfilter/ruleset.ts";
import { LOOPBACK, matchesDevice, type Path, TCP } from "../policy/packet.ts";
import type { AddressSet, Match, Traffic } from "../policy/policy.ts";
import { type AddressTest, type Conditions, conditionsOn, sameConditions } from "./conditions.ts";
import type { HookView } from "./hooks.ts";

/** A conjunction of tests: what one emitted rule can say. */
export type Line = readonly Test[];

/**
 * The lines that a match needs at a hook, for the packets on some of the hook's paths. No packet matches two of them
 * unless the match's own traffic overlaps. Empty where no packet that passes the hook can match.
 */
export function linesAt(
  match: Match,
  view: HookView,
  self: AddressSet | null,
  paths: readonly Path[] = view.paths,
): Line[] {
  const groups: { conditions: Conditions; paths: Path[] }[] = [];
  for (const path of paths) {
    const conditions = conditionsOn(match, path, view, self);
    if (!conditions) continue;
    const same = groups.find((group) => sameConditions(group.conditions, conditions));
    if (same) same.paths.push(path);
    else groups.push({ conditions, paths: [path] });
  }
  if (groups.length === 0) return [];
  const traffic = trafficTests(match);
  return groups.flatMap(({ conditions, paths: together }) => {
    // Whether loopback passes `out` was settled when this path was found possible.
    const onLoopback = together.every((path) => path === "loopback");
    const asked = onLoopback ? { ...conditions, out: null } : conditions;
    return view.tell(together).flatMap((telling) =>
      expand(
        asked,
        traffic,
        telling.filter((test) => !isImplied(test, asked)),
      ),
    );
  });
}

/** `out eth0` already says that a packet does not stay on loopback. */
function isImplied(test: Test, { out }: Conditions): boolean {
  return (
    test.kind === "interface" &&
    test.side === "out" &&
    test.negated &&
    out !== null &&
    !out.negated &&
    !matchesDevice(LOOPBACK, out.devices)
  );
}

interface TrafficTest {
  /** Null: both. */
  readonly family: Family | null;
  /** The tests themselves say which family they are for. */
  readonly impliesFamily: boolean;
  readonly tests: Line;
}

/** A match comes to several hooks, and its traffic is the same at each. */
const known = new WeakMap<Match, readonly TrafficTest[]>();

/** Traffic as tests, protocols with the same ports and ICMP types of one family together in one. */
function trafficTests(match: Match): readonly TrafficTest[] {
  const before = known.get(match);
  if (before) return before;
  const tests = groupTraffic(match).flatMap((group) => testsOf(group, match.openings));
  known.set(match, tests);
  return tests;
}

function groupTraffic(match: Match): readonly (readonly Traffic[])[] {
  if (match.traffic.length === 1) return [match.traffic];
  const groups = new Map<string, Traffic[]>();
  for (const traffic of match.traffic) {
    const { family, icmp, protocol, sourcePorts, destinationPorts } = traffic;
    const kind = icmp ? "icmp" : protocol === null ? "every" : "protocol";
    const key = [kind, family, ranges(sourcePorts), ranges(destinationPorts)].join("|");
    const group = groups.get(key);
    if (group) group.push(traffic);
    else groups.set(key, [traffic]);
  }
  return [...groups.values()];
}

function ranges(ports: PortRanges | null): string {
  return ports ? ports.map(({ first, last }) => `${first}-${last}`).join(",") : "";
}

function testsOf(group: readonly Traffic[], openings: Match["openings"]): TrafficTest[] {
  const { family, icmp, protocol, sourcePorts, destinationPorts } = group[0]!;
  if (icmp) {
    if (openings === "only") return [];
    const types: IcmpMatch[] = group.flatMap((traffic) => traffic.icmp ?? []);
    return [{ family, impliesFamily: true, tests: [{ kind: "icmp", family: family ?? 4, types }] }];
  }
  const ports: Test[] = [];
  if (sourcePorts) ports.push({ kind: "port", side: "source", ports: sourcePorts, negated: false });
  if (destinationPorts)
    ports.push({ kind: "port", side: "destination", ports: destinationPorts, negated: false });
  const of = (protocols: readonly number[], negated = false, more: readonly Test[] = []): TrafficTest => ({
    family,
    impliesFamily: false,
    tests: [{ kind: "protocol", protocols, negated }, ...ports, ...more],
  });
  const opening = (negated: boolean): Test => ({ kind: "opening", negated });
  if (protocol === null) {
    switch (openings) {
      case "any":
        return [{ family, impliesFamily: false, tests: [] }];
      case "only":
        return [of([TCP], false, [opening(false)])];
      case "never":
        return [of([TCP], false, [opening(true)]), of([TCP], true)];
    }
  }
  const protocols = [...new Set(group.flatMap((traffic) => traffic.protocol ?? []))].sort((a, b) => a - b);
  if (openings === "any") return [of(protocols)];
  const others = protocols.filter((number) => number !== TCP);
  const tcp = protocols.includes(TCP) ? [of([TCP], false, [opening(openings === "never")])] : [];
  return openings === "only" || others.length === 0 ? tcp : [...tcp, of(others)];
}

/** One line for each kind of traffic and, where families differ, for each family. */
function expand(conditions: Conditions, traffic: readonly TrafficTest[], telling: Line): Line[] {
  const { source, destination } = conditions;
  const devices = interfaceTests(conditions);
  return traffic.flatMap(({ family, impliesFamily, tests }) => {
    if (!family && !source && !destination) return [[...tests, ...devices, ...telling]];
    const families: readonly Family[] = family ? [family] : [4, 6];
    return families.flatMap((one) => {
      const from = addressTests(source, "source", one);
      const to = addressTests(destination, "destination", one);
      if (!from || !to) return [];
      const addresses = [...from, ...to];
      const familyTest: Test[] =
        addresses.length === 0 && !impliesFamily ? [{ kind: "family", family: one }] : [];
      return [[...familyTest, ...tests, ...addresses, ...devices, ...telling]];
    });
  });
}

function interfaceTests(conditions: Conditions): Test[] {
  return (["in", "out"] as const).flatMap((side) => {
    const interfaces = conditions[side];
    return interfaces
      ? [{ kind: "interface", side, devices: interfaces.devices, negated: interfaces.negated }]
      : [];
  });
}

/** Null where no address of the family can pass; empty where all do. */
function addressTests(
  test: AddressTest | null,
  side: "source" | "destination",
  family: Family,
): Test[] | null {
  if (!test) return [];
  const { name, v4, v6 } = test.set;
  const ranges = family === 4 ? v4 : v6;
  if (ranges.length === 0) return test.negated ? [] : null;
  return [{ kind: "address", side, family, ranges, name, negated: test.negated }];
}

import type { Family } from "../address/ranges.ts";
import { single } from "../address/ranges.ts";
import { type Composed, compose, firstMatch, firstMatches } from "../packets/first-match.ts";
import type { Diagram } from "../packets/nodes.ts";
import { joinRules, type MatchRule, type RuleList, rankRules, selectRules } from "../packets/rules.ts";
import { reverseMatch } from "../policy/mirror.ts";
import { ICMP, ICMPV6, LOOPBACK, type Path, TCP } from "../policy/packet.ts";
import { PATHS } from "../policy/paths.ts";
import type { Match, Policy, Rule } from "../policy/policy.ts";
import { REVERSE_PATH } from "../policy/reply.ts";
import { cubesOf, type Fields, groupAddresses, ICMP_VALUES, type PacketCube, type World } from "./world.ts";

/** What a policy does with a packet that opens a flow, or belongs to none. A verdict of the engine: never 0. */
export const FATE = {
  /** Left untracked and allowed. */
  untracked: 1,
  /** Dropped before connection tracking. */
  droppedEarly: 2,
  /** Tracked and allowed. */
  allowed: 3,
  /** Tracked as far as it came, and denied or rejected. */
  denied: 4,
} as const;

export type Fate = (typeof FATE)[keyof typeof FATE];

/** The fate that a rule deals out. */
export function fateOf(rule: Rule): Fate {
  if (rule.action === "allow") return rule.tracked ? FATE.allowed : FATE.untracked;
  return rule.tracked ? FATE.denied : FATE.droppedEarly;
}

/**
 * How rules with a limit count. Such a rule may match or not, packet by packet, so a proof takes the worst case. In the
 * raw table a tracked rule keeps its packets whatever its limit, so who is tracked and who passes are two questions:
 *
 * - `untracking` leaves as much untracked as can be: only `FATE.untracked` is exact;
 * - `keeping` keeps as much tracked as can be: exact is whether a fate is one of tracked packets;
 * - `blocking` denies as much as can be, `tracking` opens as many tracked flows: exact is whether a packet passes.
 */
export type LimitCase = "untracking" | "keeping" | "blocking" | "tracking";

function counts(rule: Rule, limits: LimitCase): boolean {
  if (!rule.limit) return true;
  switch (limits) {
    case "untracking":
      return rule.tracked || rule.action === "allow";
    case "keeping":
      return rule.tracked;
    case "blocking":
      return rule.action !== "allow";
    case "tracking":
      return rule.tracked && rule.action === "allow";
  }
}

/** The packets whose reply is asked about, or the packets themselves. */
export type View = "packet" | "reply";

/**
 * The rules of a policy as the engine knows them, in their order: by packets or, with the view `reply`, by the packets
 * whose replies they match. Then the rules are swapped instead of the diagrams. On an essential loopback denies have no
 * say.
 */
export function rankedRules(policy: Policy, family: Family, world: World, view: View): RuleList<Fields> {
  return rankRules(world.spaces[family], matchRules(policy, family, world, view));
}

function* matchRules(policy: Policy, family: Family, world: World, view: View): Generator<MatchRule<Fields>> {
  const { self, essentials } = policy;
  const offLoopback = PATHS.filter((path) => path !== "loopback");
  for (const rule of policy.rules) {
    const match = view === "packet" ? rule.match : replyMatch(rule.match);
    const paths = essentials && rule.action !== "allow" ? offLoopback : PATHS;
    yield { match: match ? cubesOf(match, family, self, world.devices, paths) : [], verdict: fateOf(rule) };
  }
}

/**
 * The fate of every packet of a family or, with the view `reply`, of every packet's reply. A reply over TCP is any segment
 * but an opening. A packet that cannot exist is denied.
 */
export function fates(policy: Policy, family: Family, world: World, limits: LimitCase, view: View): Diagram {
  return composedFates(policy, rankedRules(policy, family, world, view), family, world, limits, view).map;
}

/**
 * The same where the rules of the policy are ranked already, with what was found out about each rule that counts. `among`:
 * the packets that are asked about; of others it only says that they are denied.
 */
export function composedFates(
  policy: Policy,
  ranked: RuleList<Fields>,
  family: Family,
  world: World,
  limits: LimitCase,
  view: View,
  among: Diagram | null = null,
): Composed {
  const { essentials, defaults } = policy;
  const space = world.spaces[family];
  const last: MatchRule<Fields>[] = PATHS.map((path) => {
    const judged = view === "packet" ? path : REVERSE_PATH[path];
    const isAllowed =
      judged === "loopback" ? essentials || defaults.output === "allow" : defaults[judged] === "allow";
    return {
      match: [{ path: [single(PATHS.indexOf(path))] }],
      verdict: isAllowed ? FATE.allowed : FATE.denied,
    };
  });
  const counted = selectRules(ranked, (rule) => counts(policy.rules[rule]!, limits));
  const all = joinRules(counted, rankRules(space, last));
  const impossible = impossiblePackets(family, world);
  const unasked = among === null ? impossible : space.union(impossible, space.complement(among));
  return compose(
    all,
    firstMatches(all),
    space.map(unasked, (is) => (is ? FATE.denied : 0)),
  );
}

/**
 * Which packets raw leaves untracked (`FATE.untracked`; any other fate is not told apart): as `fates` for most of them,
 * but of a packet that will be forwarded the hook does not know where it leaves. There an untracked allow that asks this
 * takes every packet that meets its other conditions, and what else asks it cannot act.
 */
export function marks(policy: Policy, family: Family, world: World, view: View): Diagram {
  const { self, essentials } = policy;
  const rules: MatchRule<Fields>[] = [];
  for (const rule of policy.rules) {
    if (!counts(rule, "untracking")) continue;
    const match: PacketCube[] = [];
    for (const path of PATHS) {
      if (essentials && rule.action !== "allow" && path === "loopback") continue;
      // The path is that of the packet that is marked, which for the view `reply` is the reply.
      const asked = path === "forward" ? withoutOut(rule) : rule.match;
      const seen = asked && (view === "packet" ? asked : replyMatch(asked));
      const seenPath = view === "packet" ? path : REVERSE_PATH[path];
      if (seen) match.push(...cubesOf(seen, family, self, world.devices, [seenPath]));
    }
    rules.push({ match, verdict: fateOf(rule) });
  }
  rules.push({ match: [{}], verdict: FATE.allowed });
  return firstMatch(rankRules(world.spaces[family], rules));
}

/** What is left of a rule where nobody knows the output interface; null where it cannot act at all. */
function withoutOut({ match, tracked, action }: Rule): Match | null {
  if (match.out === null) return match;
  return !tracked && action === "allow" ? { ...match, out: null } : null;
}

/** What a packet must be for its reply to match; null where no reply does. */
export function replyMatch(match: Match): Match | null {
  return match.openings === "only" ? null : reverseMatch(match);
}

/**
 * The packets that cannot exist, as far as rules can tell them apart: an opening over UDP, or what arrives on no device.
 * (What else cannot exist, such as ports of a protocol without ports, no rule can tell from what can.)
 */
export function impossiblePackets(family: Family, { devices, spaces }: World): Diagram {
  const none = [single(devices.numberOf(null))];
  const lo = [single(devices.numberOf(LOOPBACK))];
  const unreal = [...none, ...lo];
  const path = (name: Path): PacketCube => ({ path: [single(PATHS.indexOf(name))] });
  return spaces[family].set([
    { protocol: { except: [single(TCP)] }, opening: [single(1)] },
    { ...path("input"), in: unreal },
    { ...path("input"), out: { except: none } },
    { ...path("forward"), in: unreal },
    { ...path("forward"), out: unreal },
    { ...path("output"), in: { except: none } },
    { ...path("output"), out: unreal },
    { ...path("loopback"), in: { except: lo } },
    { ...path("loopback"), out: { except: lo } },
  ]);
}

/** The packets that can exist: devices that go with the path, TCP flags on TCP, ICMP types below 256, ports where there are ports. */
export function possiblePackets(family: Family, world: World): Diagram {
  const space = world.spaces[family];
  const { devices } = world;
  const none = single(devices.numberOf(null));
  const lo = single(devices.numberOf(LOOPBACK));
  const real = { except: [none, lo] };
  const path = (name: Path): PacketCube => ({ path: [single(PATHS.indexOf(name))] });
  const onPath = space.set([
    { ...path("input"), in: real, out: [none] },
    { ...path("forward"), in: real, out: real },
    { ...path("output"), in: [none], out: real },
    { ...path("loopback"), in: [lo], out: [lo] },
  ]);
  const icmp = single(family === 4 ? ICMP : ICMPV6);
  const portful = [TCP, 17, 33, 132, 136].map(single);
  const nothing = [single(0)];
  const ofKind = space.set([
    { protocol: [single(TCP)] },
    { protocol: portful.slice(1), opening: nothing },
    { protocol: [icmp], opening: nothing, destinationPort: [ICMP_VALUES], sourcePort: [ICMP_VALUES] },
    {
      protocol: { except: [...portful, icmp].sort((a, b) => a.first - b.first) },
      opening: nothing,
      destinationPort: nothing,
      sourcePort: nothing,
    },
  ]);
  return space.intersection(onPath, ofKind);
}

/**
 * The packets that somebody may answer: all but those to groups and, of ICMP, those of a type that has no reply.
 * Neighbour discovery is its own affair.
 */
export function answerablePackets(family: Family, world: World): Diagram {
  const space = world.spaces[family];
  const icmp = single(family === 4 ? ICMP : ICMPV6);
  const answered = family === 4 ? [0, 8, 13, 14, 15, 16, 17, 18] : [128, 129, 139, 140];
  const unanswered = space.difference(
    space.set([{ protocol: [icmp] }]),
    space.set([{ protocol: [icmp], destinationPort: answered.map(single) }]),
  );
  const toGroups = space.set([{ destination: groupAddresses(family) }]);
  const fromGroups = space.set([{ source: groupAddresses(family) }]);
  const silent = space.union(space.union(toGroups, fromGroups), unanswered);
  return space.difference(possiblePackets(family, world), silent);
}

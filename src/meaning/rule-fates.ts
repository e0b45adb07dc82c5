import type { Family } from "../address/ranges.ts";
import { countPackets } from "../packets/count.ts";
import { fatesOf } from "../packets/fates.ts";
import type { Diagram } from "../packets/nodes.ts";
import { type MatchRule, matchOf, type RuleList, rankRules, rulesMeet } from "../packets/rules.ts";
import { LOOPBACK, type Path, TCP } from "../policy/packet.ts";
import { PATHS } from "../policy/paths.ts";
import type { Rule } from "../policy/policy.ts";
import { FATE, fateOf } from "./fates.ts";
import type { Meaning } from "./meaning.ts";
import { cubesOf, type Fields, type PacketCube, type World } from "./world.ts";

/** What becomes of a rule among the others, over both families. */
export interface RuleFate {
  /** Some packet meets its conditions. */
  readonly matches: boolean;
  /** Some packet meets them and no earlier rule decides it. */
  readonly decides: boolean;
  /** Without the rule every packet would have the same fate. */
  readonly removable: boolean;
}

/** The verdict of a rule with a limit: whether it matches is not known, so nobody may count on it. */
const LIMITED = 5;
/** To the sender a reject is not a deny. */
const REJECTED = 6;

function verdictOf(rule: Rule): number {
  return rule.action === "reject" ? REJECTED : fateOf(rule);
}

/** The rules of a policy as a list for the engine. On an essential loopback denies have no say. */
export function ruleList({ policy, world }: Meaning, family: Family): RuleList<Fields> {
  const rules: MatchRule<Fields>[] = policy.rules.map((rule) => {
    const paths =
      policy.essentials && rule.action !== "allow" ? PATHS.filter((path) => path !== "loopback") : PATHS;
    return {
      match: cubesOf(rule.match, family, policy.self, world.devices, paths),
      verdict: rule.limit ? LIMITED : verdictOf(rule),
    };
  });
  return rankRules(world.spaces[family], rules);
}

/** The fate of every rule of the policy, in their order. `within` runs what makes diagrams. */
export function ruleFates(
  meaning: Meaning,
  within: <T>(family: Family, make: () => T) => T = (_, make) => make(),
): RuleFate[] {
  const families = ([4, 6] as const).map((family) =>
    within(family, () => {
      const excluded = impossiblePackets(family, meaning.world);
      return fatesOf(meaning.ruleList(family), defaultFates(meaning, family), { excluded });
    }),
  );
  return meaning.policy.rules.map((_, i) => {
    const both = families.map((fates) => fates[i]!);
    return {
      matches: both.some(({ matches }) => matches),
      decides: both.some(({ decides }) => decides),
      removable: both.every(({ removable }) => removable),
    };
  });
}

/**
 * The packets that cannot exist, as far as rules can tell them apart: an opening over UDP, or what arrives on no device.
 * (What else cannot exist, such as ports of a protocol without ports, no rule can tell from what can.)
 */
function impossiblePackets(family: Family, { devices, spaces }: World): Diagram {
  const single = (value: number) => [{ first: value, last: value }];
  const path = (name: Path) => ({ path: single(PATHS.indexOf(name)) });
  const none = single(devices.numberOf(null));
  const lo = single(devices.numberOf(LOOPBACK));
  const unreal = [...none, ...lo];
  return spaces[family].set([
    { protocol: { except: single(TCP) }, opening: single(1) },
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

function defaultFates({ policy, world }: Meaning, family: Family): Diagram {
  const space = world.spaces[family];
  const { defaults, essentials } = policy;
  let map = space.nothing;
  for (const [i, path] of PATHS.entries()) {
    const isAllowed =
      path === "loopback" ? essentials || defaults.output === "allow" : defaults[path] === "allow";
    const onPath = space.set([{ path: [{ first: i, last: i }] }]);
    map = space.overlay(
      map,
      space.map(onPath, (is) => (is ? (isAllowed ? FATE.allowed : FATE.denied) : 0)),
    );
  }
  return map;
}

/** A rule that takes packets from another below it. */
export interface Taker {
  readonly rule: Rule;
  /** How many packets it takes that nothing before it took. */
  readonly packets: bigint;
}

/** Who takes packets from a rule. */
export interface Takers {
  /** Those that take most first. */
  readonly takers: readonly Taker[];
  /** Nothing is left for the rule itself. */
  readonly isWhole: boolean;
}

/**
 * The rules that decide packets of the rule at `index` before it can. An essential loopback is left aside: there earlier
 * denies take nothing, and an allow makes a difference only to tracking.
 */
export function takersOf(meaning: Meaning, index: number): Takers {
  const { policy } = meaning;
  const taken = new Map<Rule, bigint>();
  let isWhole = true;
  for (const family of [4, 6] as const) {
    const list = meaning.ruleList(family);
    const space = meaning.space(family);
    let left = space.intersection(matchOf(list, index), meaning.possible(family));
    if (policy.essentials) left = space.difference(left, space.set([onPath("loopback")]));
    for (let earlier = 0; earlier < index && left !== space.nothing; earlier++) {
      if (!rulesMeet(list, earlier, index)) continue;
      const match = matchOf(list, earlier);
      const packets = countPackets(space, space.intersection(left, match));
      if (packets === 0n) continue;
      const rule = policy.rules[earlier]!;
      taken.set(rule, (taken.get(rule) ?? 0n) + packets);
      left = space.difference(left, match);
    }
    isWhole &&= left === space.nothing;
  }
  const takers = [...taken]
    .map(([rule, packets]) => ({ rule, packets }))
    .sort((a, b) => (a.packets > b.packets ? -1 : a.packets < b.packets ? 1 : 0));
  return { takers, isWhole };
}

function onPath(path: Path): PacketCube {
  const number = PATHS.indexOf(path);
  return { path: [{ first: number, last: number }] };
}

/** Whether two rules do the same to a packet. */
export function sameEffect(a: Rule, b: Rule): boolean {
  return verdictOf(a) === verdictOf(b);
}

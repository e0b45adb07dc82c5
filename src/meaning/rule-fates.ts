import type { Family } from "../address/ranges.ts";
import { countPackets } from "../packets/count.ts";
import { fatesOf } from "../packets/fates.ts";
import type { Diagram } from "../packets/nodes.ts";
import { matchOf, type RuleList, rulesMeet } from "../packets/rules.ts";
import type { Path } from "../policy/packet.ts";
import { PATHS } from "../policy/paths.ts";
import type { Policy, Rule } from "../policy/policy.ts";
import { FATE, fateOf, impossiblePackets } from "./fates.ts";
import type { Meaning } from "./meaning.ts";
import type { Fields, PacketCube } from "./world.ts";

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

/** The rules of a policy with what they do to those who look on. `ranked`: the same with their fates. */
export function ruleList(policy: Policy, ranked: RuleList<Fields>): RuleList<Fields> {
  return { ...ranked, verdicts: policy.rules.map((rule) => (rule.limit ? LIMITED : verdictOf(rule))) };
}

/** The fate of every rule of the policy, in their order. `within` runs what makes diagrams. */
export function ruleFates(
  meaning: Meaning,
  within: <T>(family: Family, make: () => T) => T = (_, make) => make(),
): RuleFate[] {
  const families = ([4, 6] as const).map((family) =>
    within(family, () => {
      const excluded = impossiblePackets(family, meaning.world);
      const unsettled = meaning.unsettled(family);
      return fatesOf(meaning.ruleList(family), defaultFates(meaning, family), { excluded, unsettled });
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

import { type Diagram, NONE } from "./nodes.ts";
import { intersectRanks, type RankSet, ranksMeet } from "./ranks.ts";
import type { Cube, Packet, RankedCube, Space } from "./space.ts";

/** A rule of a list in which the first match wins. */
export interface MatchRule<P extends Packet> {
  /** The packets of any of these cubes. */
  readonly match: readonly Cube<P>[];
  /** At least 1. */
  readonly verdict: number;
}

/** A list of rules in the ranks of a space: rank it once, ask it often. */
export interface RuleList<P extends Packet> {
  readonly space: Space<P>;
  readonly count: number;
  /** By rule. A rule without a cube matches nothing. */
  readonly cubes: readonly (readonly RankedCube[])[];
  readonly verdicts: readonly number[];
}

/**
 * Throws where a rule uses a range that was not declared to its domain, or verdict 0: bugs in the caller. Rules may be made
 * as they are asked for: a hundred thousand need not be there at once.
 */
export function rankRules<P extends Packet>(space: Space<P>, rules: Iterable<MatchRule<P>>): RuleList<P> {
  const cubes: RankedCube[][] = [];
  const verdicts: number[] = [];
  for (const { match, verdict } of rules) {
    if (!(verdict > 0)) throw new RangeError(`a rule decides: verdict ${verdict}`);
    const ranked: RankedCube[] = [];
    for (const cube of match) {
      const entry = space.engine.rankCube(cube as Parameters<typeof space.engine.rankCube>[0]);
      if (entry) ranked.push(entry);
    }
    cubes.push(ranked);
    verdicts.push(verdict);
  }
  return { space, count: cubes.length, cubes, verdicts };
}

/** The rules from `start` up to, not including, `end`, numbered from 0. */
export function sliceRules<P extends Packet>(list: RuleList<P>, start: number, end: number): RuleList<P> {
  return {
    space: list.space,
    count: Math.max(0, Math.min(end, list.count) - start),
    cubes: list.cubes.slice(start, end),
    verdicts: list.verdicts.slice(start, end),
  };
}

/** The rules of a list that are wanted, in their order, numbered anew. */
export function selectRules<P extends Packet>(
  { space, cubes, verdicts }: RuleList<P>,
  isWanted: (rule: number) => boolean,
): RuleList<P> {
  const wanted = (_: unknown, rule: number): boolean => isWanted(rule);
  const selected = cubes.filter(wanted);
  return { space, count: selected.length, cubes: selected, verdicts: verdicts.filter(wanted) };
}

/** The rules of two lists of one space, those of the first first. */
export function joinRules<P extends Packet>(first: RuleList<P>, second: RuleList<P>): RuleList<P> {
  return {
    space: first.space,
    count: first.count + second.count,
    cubes: [...first.cubes, ...second.cubes],
    verdicts: [...first.verdicts, ...second.verdicts],
  };
}

/** Whether some packet matches both rules. Looks at intervals only, no diagram: cheap enough to ask of many pairs. */
export function rulesMeet<P extends Packet>(list: RuleList<P>, a: number, b: number): boolean {
  return list.cubes[a]!.some((x) => list.cubes[b]!.some((y) => cubesMeet(x, y)));
}

/** Whether some packet is in both cubes. */
export function cubesMeet(a: RankedCube, b: RankedCube): boolean {
  // From the bottom: addresses tell more pairs apart than paths do.
  for (let i = a.length - 1; i >= 0; i--) if (!ranksMeet(a[i]!, b[i]!)) return false;
  return true;
}

/** The packets that are in both cubes; null where none is. */
export function meetCubes(a: RankedCube, b: RankedCube): RankedCube | null {
  const both: RankSet[] = [];
  for (let i = 0; i < a.length; i++) {
    const ranks = intersectRanks(a[i]!, b[i]!);
    if (ranks?.length === 0) return null;
    both.push(ranks);
  }
  return both;
}

/** The packets that a rule matches, whatever stands before it. */
export function matchOf<P extends Packet>(list: RuleList<P>, rule: number): Diagram {
  const { engine } = list.space;
  let union: number = NONE;
  for (const cube of list.cubes[rule]!) union = engine.operations.overlay(union, engine.cube(cube, 1));
  return union as Diagram;
}

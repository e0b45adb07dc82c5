import type { Domain, Value } from "./domain.ts";
import { compose, firstMatches } from "./first-match.ts";
import { type Diagram, NONE, terminal, verdictOf } from "./nodes.ts";
import { subtractRanks } from "./ranks.ts";
import type { RuleList } from "./rules.ts";
import { contains, lookUp } from "./samples.ts";
import { createSearch, type Found, type RankedPacket } from "./search.ts";
import { type Packet, type RankedCube, verdictOfRanks } from "./space.ts";
import { verdictsOf } from "./walk.ts";

/** What becomes of a rule among the others. */
export interface Fate {
  /** Some packet meets its conditions. */
  readonly matches: boolean;
  /** Some packet meets them and no earlier rule decides it. */
  readonly decides: boolean;
  /** Without the rule every packet would have the same verdict. So it is with a rule that decides nothing. */
  readonly removable: boolean;
}

export interface FateOptions {
  /** Packets that do not count: nobody needs a rule for them. */
  readonly excluded?: Diagram;
  /** What composing the list behind `excluded` has found, where somebody did that before. */
  readonly unsettled?: readonly Found[] | null;
  /** How many packets of a rule are tried. The answer is the same for any number, and only the time differs. */
  readonly rounds?: number;
}

/** So many packets of each rule find nearly all that can be found so; more cost more than they save. */
const ROUNDS = 3;

/**
 * The fate of every rule of a list; `otherwise` is what decides where no rule matches (`space.nothing` for nobody).
 *
 * Working out what the list decides shows most rules that decide nothing. Most others are needed, and one packet shows
 * it: the rule is the first to match it, and the next would decide otherwise. So a few packets of each rule are looked
 * up. Those rules that no packet vouches for are settled exactly, in one diagram for all of them: it gives a packet the
 * first rule that matches, and the verdict it would get without that rule. Both come of one associative overlay, so the
 * diagram is built as that of the verdicts is, and since rules that are vouched for need no name in it, it is seldom
 * much larger.
 */
export function fatesOf<P extends Packet>(
  list: RuleList<P>,
  otherwise: Diagram,
  { excluded = NONE as Diagram, rounds = ROUNDS, unsettled = null }: FateOptions = {},
): Fate[] {
  const { space } = list;
  let shown = new Uint8Array(0);
  const nextVerdicts = new Map<number, number[]>();
  space.tidy(() => {
    const found = unsettled ?? compose(list, firstMatches(list), excluded).unsettled;
    shown = trySamples(list, found, otherwise, excluded, rounds);
    return [];
  });
  const suspects: number[] = [];
  shown.forEach((what, rule) => {
    if (what === UNKNOWN) suspects.push(rule);
  });
  if (suspects.length > 0) {
    space.tidy(() => {
      for (const { rule, next } of secondThoughts(list, suspects, otherwise, excluded)) {
        const known = nextVerdicts.get(rule);
        if (known) known.push(next);
        else nextVerdicts.set(rule, [next]);
      }
      return [];
    });
  }
  return list.cubes.map((cubes, rule) => {
    if (shown[rule] === NEEDED) return { matches: true, decides: true, removable: false };
    const next = nextVerdicts.get(rule) ?? [];
    return {
      matches: cubes.length > 0,
      decides: next.length > 0,
      removable: next.every((verdict) => verdict === list.verdicts[rule]!),
    };
  });
}

/** What packets and pairs of rules can show about a rule. */
const UNKNOWN = 0;
/** Some packet gets another verdict without the rule. */
const NEEDED = 1;
/** Earlier rules match whatever this one matches. */
const COVERED = 2;

/**
 * Tries packets for each rule. The first try is the packet that was found to be left for it; where another rule takes it,
 * or would do the same with it, the next try steps out of that rule, in one field. A rule that cannot be stepped out of
 * covers this one.
 */
function trySamples<P extends Packet>(
  list: RuleList<P>,
  unsettled: readonly Found[],
  otherwise: Diagram,
  excluded: Diagram,
  rounds: number,
): Uint8Array<ArrayBuffer> {
  const { engine, fields } = list.space;
  const shown = new Uint8Array(list.count);
  const next = random(list.count);
  const domains = fields.map(({ domain }) => domain);
  const searchPossible = createSearch(engine, fields, (id) => id !== NONE);
  let tries: Try[] = [];
  for (let rule = 0; rule < list.count; rule++) {
    const found = unsettled[rule]!;
    if (found === "settled") {
      shown[rule] = COVERED;
      continue;
    }
    const cubes = list.cubes[rule]!;
    const packet = found === "unknown" ? searchPossible(excluded, cubes[0]!) : found;
    if (typeof packet !== "string")
      tries.push({ rule, cube: cubes.find((cube) => contains(cube, packet))!, packet });
  }
  for (let round = 0; round < rounds && tries.length > 0; round++) {
    const matches = lookUp(
      list,
      tries.map(({ packet }) => packet),
    );
    tries = tries.flatMap((current, i) => {
      const { rule, packet } = current;
      const { first, second } = matches[i]!;
      if (first === rule) {
        const without =
          second < 0 ? verdictOfRanks(engine.nodes, fields, otherwise, packet) : list.verdicts[second]!;
        if (without !== list.verdicts[rule]) {
          shown[rule] = NEEDED;
          return [];
        }
      } else if (
        list.cubes[rule]!.every((cube) => list.cubes[first]!.some((other) => covers(other, cube, domains)))
      ) {
        shown[rule] = COVERED;
        return [];
      }
      const obstacle = first === rule ? second : first;
      const step = elsewhere(list, current, obstacle, next);
      if (verdictOfRanks(engine.nodes, fields, excluded, step.packet) === 0) return [step];
      const possible = searchPossible(excluded, step.around);
      return typeof possible === "string" ? [] : [{ ...step, packet: possible }];
    });
  }
  return shown;
}

/** A packet that is tried for a rule. */
interface Try {
  readonly rule: number;
  /** The cube of the rule that it is in. */
  readonly cube: RankedCube;
  readonly packet: RankedPacket;
}

/** Another packet of the rule; where that is possible one that `obstacle` does not match for the reason it did. */
function elsewhere<P extends Packet>(
  { space: { fields }, cubes }: RuleList<P>,
  { rule, cube, packet }: Try,
  obstacle: number,
  next: () => number,
): Try & { /** The packets that step out in the same way. */ readonly around: RankedCube } {
  const blocking = obstacle < 0 ? undefined : cubes[obstacle]!.find((other) => contains(other, packet));
  const ways = blocking
    ? fields.flatMap(({ domain }, i) => {
        const ranks = subtractRanks(cube[i]!, blocking[i]!, domain.ranks);
        return ranks.length > 0 ? [{ i, ranks }] : [];
      })
    : [];
  if (ways.length === 0) {
    const other = cubes[rule]![Math.floor(next() * cubes[rule]!.length)]!;
    return {
      rule,
      cube: other,
      packet: other.map((set, i) => pick(set ?? [0, fields[i]!.domain.ranks], next)),
      around: other,
    };
  }
  const { i, ranks } = ways[Math.floor(next() * ways.length)]!;
  const rank = pick(ranks, next);
  return { rule, cube, packet: packet.with(i, rank), around: cube.with(i, [rank, rank + 1]) };
}

function pick(ranks: readonly number[], next: () => number): number {
  const pair = 2 * Math.floor((next() * ranks.length) / 2);
  return ranks[pair]! + Math.floor(next() * (ranks[pair + 1]! - ranks[pair]!));
}

function covers(outer: RankedCube, inner: RankedCube, domains: readonly Domain<Value>[]): boolean {
  return outer.every((set, i) => subtractRanks(inner[i]!, set, domains[i]!.ranks).length === 0);
}

interface SecondThought {
  readonly rule: number;
  /** The verdict that some packet, which `rule` decides, would get without it. */
  readonly next: number;
}

/**
 * For each suspect that decides anything, every verdict that its packets would get without it.
 *
 * A terminal is a name and a verdict. The name is that of the first matching rule, or `UNNAMED` for rules that are no
 * suspects; of these the verdict is their own, of suspects it is that of the next rule, 0 as long as none is known.
 */
function secondThoughts<P extends Packet>(
  list: RuleList<P>,
  suspects: readonly number[],
  otherwise: Diagram,
  excluded: Diagram,
): SecondThought[] {
  const { space } = list;
  const { operations } = space.engine;
  const verdicts = [
    0,
    ...new Set([...list.verdicts, ...verdictsOf(space, otherwise)].filter((v) => v !== 0)),
  ];
  const codes = new Map(verdicts.map((verdict, code) => [verdict, code]));
  const width = verdicts.length;
  const names = new Map(suspects.map((rule, i) => [rule, i + 1]));
  const UNNAMED = 0;

  const nameOf = (code: number): number => Math.floor(code / width);
  const settled = (code: number): boolean => code !== 0 && code % width !== 0;
  /** What a rule decides that comes after another one. */
  const ownVerdict = (code: number): number =>
    nameOf(code) === UNNAMED ? code : codes.get(list.verdicts[suspects[nameOf(code) - 1]!]!)!;
  const merge = (first: number, second: number): number => {
    if (first === 0) return second;
    if (settled(first)) return first;
    // Two cubes of one rule: the second knows what comes after both.
    if (nameOf(first) === nameOf(second)) return second;
    return first + ownVerdict(second);
  };
  const shortcuts = { settled: (code: number) => settled(code), neutral: true };
  const merged = operations.combiner(merge, shortcuts);
  const overlay = (first: number, second: number): number =>
    first === NONE ? second : merged(first, second);

  const { map: composed } = compose(
    list,
    {
      terminalOf: (rule) => {
        const name = names.get(rule);
        return terminal(name === undefined ? codes.get(list.verdicts[rule]!)! : name * width);
      },
      overlay,
      settled: (id) => settled(verdictOf(id)),
    },
    // A settled code without a name.
    operations.map(excluded, (verdict) => (verdict === 0 ? 0 : 1)),
  );
  const whole = overlay(
    composed,
    operations.map(otherwise, (verdict) => codes.get(verdict)!),
  );
  const found: SecondThought[] = [];
  for (const code of verdictsOf(space, whole as Diagram)) {
    if (nameOf(code) === UNNAMED) continue;
    found.push({ rule: suspects[nameOf(code) - 1]!, next: verdicts[code % width]! });
  }
  return found;
}

/** Numbers from 0 to below 1 (mulberry32), the same for the same seed: a check must not depend on chance. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

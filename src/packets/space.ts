import type { Condition, Domain, Value } from "./domain.ts";
import {
  BudgetSpent,
  branchesOf,
  createNodes,
  type Diagram,
  levelOf,
  MOST_LEVELS,
  MOST_NODES,
  NONE,
  type Nodes,
  terminal,
  verdictOf,
} from "./nodes.ts";
import { type Combine, createOperations, type Operations, type Shortcuts } from "./operations.ts";
import type { RankSet } from "./ranks.ts";

/** The fields of a packet and the kind of their values: `{ source: bigint; sourcePort: number; … }`. */
export type Packet = { readonly [field: string]: Value };

/** Packets whose every field meets its condition; a field that is left out may be anything. */
export type Cube<P extends Packet> = { readonly [F in keyof P]?: Condition<P[F]> | undefined };

/** A cube in ranks, one entry a field. */
export type RankedCube = readonly RankSet[];

/** One field and the levels that spell its rank, two bits each, the most significant first. */
export interface Field {
  readonly name: string;
  readonly domain: Domain<Value>;
  readonly firstLevel: number;
  readonly levels: number;
}

/**
 * All packets, as far as the declared ranges can tell them apart, and the diagrams over them. A diagram maps each packet
 * to a verdict; 0 means "not decided". A set of packets is a diagram of verdicts 0 and 1, and wherever a set is asked
 * for, any diagram stands for the packets that it decides.
 */
export interface Space<P extends Packet> {
  /** In the order of their variables, top first. */
  readonly fields: readonly Field[];
  /** No packet. */
  readonly nothing: Diagram;
  /** Every packet. */
  readonly everything: Diagram;
  constant(verdict: number): Diagram;
  /** The packets of any of the cubes. */
  set(cubes: readonly Cube<P>[]): Diagram;
  /** The verdict of `first` where it decides, else that of `second`. Associative. */
  overlay(first: Diagram, second: Diagram): Diagram;
  union(a: Diagram, b: Diagram): Diagram;
  intersection(a: Diagram, b: Diagram): Diagram;
  difference(a: Diagram, b: Diagram): Diagram;
  complement(set: Diagram): Diagram;
  /** The map as it is on `set`, undecided elsewhere. */
  restrict(map: Diagram, set: Diagram): Diagram;
  /** The map as it is outside `set`, undecided on it. */
  without(map: Diagram, set: Diagram): Diagram;
  /** The packets that a map decides. */
  decided(map: Diagram): Diagram;
  /** The packets to which a map gives one of these verdicts. */
  where(map: Diagram, ...verdicts: readonly number[]): Diagram;
  /** Replaces each verdict, 0 included. */
  map(map: Diagram, f: (verdict: number) => number): Diagram;
  /** Gives each packet `f` of its verdicts in `a` and `b`. */
  combine(a: Diagram, b: Diagram, f: Combine, shortcuts?: Shortcuts): Diagram;
  /** Whether the two have a packet in common. Stops at the first. */
  intersects(a: Diagram, b: Diagram): boolean;
  /** Whether every packet of `a` is in `b`. Stops at the first that is not. */
  subset(a: Diagram, b: Diagram): boolean;
  /** Whether `test` holds for the two verdicts of some packet. Stops at the first. */
  some(a: Diagram, b: Diagram, test: (a: number, b: number) => boolean): boolean;
  /** The verdict of one packet. */
  verdict(map: Diagram, packet: P): number;
  /**
   * Runs `work` and then drops every node it made, except what its results need. Diagrams made before stay as they are;
   * of those made inside only the returned ones, under their new numbers, may be used afterwards.
   */
  tidy<R extends readonly Diagram[]>(work: () => R): R;
  /** For the other files of this folder. */
  readonly engine: Engine;
}

export interface Engine {
  readonly nodes: Nodes;
  readonly operations: Operations;
  rankCube(cube: { readonly [field: string]: Condition<Value> | undefined }): RankedCube | null;
  /** The diagram with `verdict` on the cube, undecided elsewhere. */
  cube(cube: RankedCube, verdict: number): number;
  /** The diagram that goes on as `inside` for the ranks of a set and is undecided for others. */
  select(field: Field, ranks: RankSet, inside: number): number;
  /** The diagram that asks for one field and goes on as `nodes[i]` from rank `starts[i]` on; `starts[0]` is 0. */
  branch(field: Field, starts: readonly number[], nodes: readonly number[]): number;
  /** Ids that a collection must keep and rewrite: a stack of what is in use. */
  readonly pins: number[];
  /** Collects garbage from `base` on where enough has gathered. Ids that are not pinned are void afterwards. */
  collectIfWorthwhile(base: number): void;
}

/** What a computation under a node budget came to. */
export type Conclusion<T> =
  | { readonly kind: "conclusive"; readonly value: T }
  /** The diagrams outgrew the budget: nothing is known, and whoever asked must say so. */
  | { readonly kind: "inconclusive"; readonly budget: number };

const FIRST_COLLECTION = 1 << 19;

/**
 * A space over these fields, in the order in which diagrams ask for them. Fields that share a domain share their
 * classes, so a rule and the same rule with its ends swapped are both exact. What decides most should stand first:
 * path, interfaces and protocol, then destination, destination port, source, source port (measured: `docs/engine.md`).
 */
export function createSpace<P extends Packet>(
  domains: { readonly [F in keyof P]: Domain<P[F]> },
  options: { readonly nodeBudget?: number } = {},
): Space<P> {
  const fields = layOut(domains as { readonly [field: string]: Domain<Value> });
  const nodes = createNodes(Math.min(options.nodeBudget ?? MOST_NODES, MOST_NODES));
  const operations = createOperations(nodes);
  const pins: number[] = [];
  let threshold = FIRST_COLLECTION;

  const engine: Engine = {
    nodes,
    operations,
    pins,
    rankCube: (cube) => rankCube(fields, cube),
    cube(cube, verdict) {
      let id = terminal(verdict);
      for (let i = fields.length - 1; i >= 0; i--) id = select(nodes, fields[i]!, cube[i]!, id);
      return id;
    },
    select: (field, ranks, inside) => select(nodes, field, ranks, inside),
    branch: (field, starts, ids) => branch(nodes, field, starts, ids),
    collectIfWorthwhile(base) {
      if (nodes.count - base < threshold) return;
      operations.collect(base, pins);
      threshold = Math.max(FIRST_COLLECTION, 3 * (nodes.count - base));
    },
  };
  const everything = terminal(1) as Diagram;
  const { overlay, keep, drop, map } = operations;
  const asSet = (verdict: number): number => (verdict === 0 ? 0 : 1);

  return {
    fields,
    nothing: NONE as Diagram,
    everything,
    constant: (verdict) => terminal(verdict) as Diagram,
    set(cubes) {
      let union = NONE;
      for (const cube of cubes) {
        const ranked = engine.rankCube(cube as { readonly [field: string]: Condition<Value> });
        if (ranked) union = overlay(union, engine.cube(ranked, 1));
      }
      return union as Diagram;
    },
    overlay: (a, b) => overlay(a, b) as Diagram,
    union: (a, b) => overlay(a, b) as Diagram,
    intersection: (a, b) => keep(a, b) as Diagram,
    difference: (a, b) => drop(a, b) as Diagram,
    complement: (set) => drop(everything, set) as Diagram,
    restrict: (a, set) => keep(a, set) as Diagram,
    without: (a, set) => drop(a, set) as Diagram,
    decided: (a) => map(a, asSet) as Diagram,
    where: (a, ...verdicts) => map(a, (verdict) => (verdicts.includes(verdict) ? 1 : 0)) as Diagram,
    map: (a, f) => operations.map(a, f) as Diagram,
    combine: (a, b, f, shortcuts) => operations.combine(a, b, f, shortcuts) as Diagram,
    intersects: operations.intersects,
    subset: operations.subset,
    some: operations.some,
    verdict: (a, packet) => verdictOfPacket(nodes, fields, a, packet),
    tidy(work) {
      const base = nodes.count;
      const results: number[] = [...work()];
      operations.collect(base, results);
      return results as readonly number[] as ReturnType<typeof work>;
    },
    engine,
  };
}

/** Runs `work`; where it outgrows the node budget of `space`, drops what it made and says so. */
export function attempt<P extends Packet, T>(space: Space<P>, work: () => T): Conclusion<T> {
  const { nodes, operations, pins } = space.engine;
  const base = nodes.count;
  const pinned = pins.length;
  try {
    return { kind: "conclusive", value: work() };
  } catch (error) {
    if (!(error instanceof BudgetSpent)) throw error;
    pins.length = pinned;
    operations.collect(base, []);
    return { kind: "inconclusive", budget: error.budget };
  }
}

function layOut(domains: { readonly [field: string]: Domain<Value> }): Field[] {
  let firstLevel = 0;
  const fields = Object.entries(domains).map(([name, domain]) => {
    const field = { name, domain, firstLevel, levels: Math.ceil(domain.bits / 2) };
    firstLevel += field.levels;
    return field;
  });
  if (firstLevel > MOST_LEVELS) throw new RangeError(`${firstLevel} levels; a space has ${MOST_LEVELS}`);
  return fields;
}

function rankCube(
  fields: readonly Field[],
  cube: { readonly [field: string]: Condition<Value> | undefined },
): RankedCube | null {
  const ranked: RankSet[] = new Array(fields.length);
  for (let i = 0; i < fields.length; i++) {
    const { name, domain } = fields[i]!;
    const condition = cube[name];
    const ranks = condition === undefined ? null : domain.ranksOf(condition);
    if (ranks?.length === 0) return null;
    ranked[i] = ranks;
  }
  return ranked;
}

/** The diagram that goes on as `inside` for the ranks of a set and is undecided for others. */
function select(nodes: Nodes, field: Field, ranks: RankSet, inside: number): number {
  if (ranks === null) return inside;
  if (ranks.length === 2) return selectInterval(nodes, field, ranks[0]!, ranks[1]!, inside);
  const starts: number[] = [];
  const ids: number[] = [];
  let next = 0;
  for (let i = 0; i < ranks.length; i += 2) {
    if (ranks[i]! > next) {
      starts.push(next);
      ids.push(NONE);
    }
    starts.push(ranks[i]!);
    ids.push(inside);
    next = ranks[i + 1]!;
  }
  if (next < field.domain.ranks) {
    starts.push(next);
    ids.push(NONE);
  }
  return branch(nodes, field, starts, ids);
}

/** The same for the ranks from `start` up to, not including, `stop`: nearly all sets are such. */
function selectInterval(nodes: Nodes, field: Field, start: number, stop: number, inside: number): number {
  const bottom = field.firstLevel + field.levels;
  const codes = 1 << (2 * field.levels);
  const end = stop === field.domain.ranks ? codes : stop;
  if (start === 0 && end === codes) return inside;
  /** For the codes from `code` on that share the digits above `level`, of which the interval holds some and not all. */
  const build = (level: number, code: number): number => {
    const step = 1 << (2 * (bottom - level - 1));
    const part = (from: number): number => {
      if (from >= end || from + step <= start) return NONE;
      return start <= from && from + step <= end ? inside : build(level + 1, from);
    };
    return nodes.make(level, part(code), part(code + step), part(code + 2 * step), part(code + 3 * step));
  };
  return build(field.firstLevel, 0);
}

/**
 * Codes that no rank uses behave as the last rank does, here and so everywhere, because every operation works packet
 * by packet: two diagrams cannot differ in a code that stands for nothing.
 */
function branch(nodes: Nodes, field: Field, starts: readonly number[], ids: readonly number[]): number {
  const end = field.firstLevel + field.levels;
  /** The index of the last piece, at least `from`, that starts at or before `code`. */
  const pieceAt = (code: number, from: number): number => {
    let first = from;
    let last = starts.length - 1;
    while (first < last) {
      const middle = (first + last + 1) >> 1;
      if (starts[middle]! <= code) first = middle;
      else last = middle - 1;
    }
    return first;
  };
  /** For the codes from `code` on that share the digits above `level`; the first is in piece `from`. */
  const build = (level: number, code: number, from: number): number => {
    const size = 1 << (2 * (end - level));
    if (from === starts.length - 1 || starts[from + 1]! >= code + size) return ids[from]!;
    const step = size >> 2;
    const second = pieceAt(code + step, from);
    const third = pieceAt(code + 2 * step, second);
    const fourth = pieceAt(code + 3 * step, third);
    return nodes.make(
      level,
      build(level + 1, code, from),
      build(level + 1, code + step, second),
      build(level + 1, code + 2 * step, third),
      build(level + 1, code + 3 * step, fourth),
    );
  };
  return build(field.firstLevel, 0, 0);
}

function verdictOfPacket(nodes: Nodes, fields: readonly Field[], diagram: number, packet: Packet): number {
  return verdictOfRanks(
    nodes,
    fields,
    diagram,
    fields.map(({ name, domain }) => domain.rankOf(packet[name]!)),
  );
}

/** The verdict of a packet in ranks. */
export function verdictOfRanks(
  nodes: Nodes,
  fields: readonly Field[],
  diagram: number,
  ranks: readonly number[],
): number {
  let id = diagram;
  fields.forEach(({ firstLevel, levels }, i) => {
    const end = firstLevel + levels;
    while (levelOf(id) < end) {
      id = nodes.branches[branchesOf(id) + ((ranks[i]! >> (2 * (end - levelOf(id) - 1))) & 3)]!;
    }
  });
  return verdictOf(id);
}

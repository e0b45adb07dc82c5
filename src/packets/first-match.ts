import { type Diagram, NONE, terminal } from "./nodes.ts";
import { indexOf, type RankSet } from "./ranks.ts";
import type { RuleList } from "./rules.ts";
import { createSearch, type Found } from "./search.ts";
import type { Packet, RankedCube, Space } from "./space.ts";

/** What is worked out for each packet from the rules that match it, in order. */
export interface Composition {
  /** The terminal for packets that only this rule matches. Neighbours with the same one may change places. */
  readonly terminalOf: (rule: number) => number;
  /** What the rules of `first`, then those of `second`, come to. Associative; `NONE` is neutral. */
  readonly overlay: (first: number, second: number) => number;
  /** Whether a terminal is the last word, whatever rules come after. */
  readonly settled: (terminal: number) => boolean;
}

/** Cubes and their terminals, in the order of their rules. */
interface Entries {
  readonly cubes: RankedCube[];
  readonly terminals: number[];
  /** By cube, the index after the last field that it restricts. */
  readonly restricted: number[];
}

/**
 * Splitting a list by the classes of a field copies each rule into every class it meets. Where that makes no more
 * copies than there are rules, it is cheaper than an overlay, and so it is where there are so few classes.
 */
const FEW = 4;

/** What a list of rules comes to. */
export interface Composed {
  readonly map: Diagram;
  /** By rule, a packet of it that was not settled when its turn came. */
  readonly unsettled: readonly Found[];
}

/** How a list is gone through. What it comes to is the same at any pace. */
export interface Pace {
  /** Rules that are taken together, at first: at least 1. */
  readonly firstChunk?: number;
  /** Nodes that a search visits before it gives up. */
  readonly mostSteps?: number;
}

/** Rules that are taken together, at first. */
const FIRST_CHUNK = 64;

/** The verdict of the first rule that matches, for every packet; 0 where none does. */
export function firstMatch<P extends Packet>(list: RuleList<P>): Diagram {
  return compose(list, firstMatches(list)).map;
}

/** How verdicts are worked out where the first match wins. */
export function firstMatches<P extends Packet>(list: RuleList<P>): Composition {
  return {
    terminalOf: (rule) => terminal(list.verdicts[rule]!),
    overlay: list.space.engine.operations.overlay,
    settled: (id) => id !== NONE,
  };
}

/**
 * Works out a composition for every packet, behind what is known `before` it. A chunk of rules is taken after the other,
 * each as long as all before it, and of a chunk only those cubes of which the rules before leave something: of a long
 * list whose rules overlap, few. (What the rules of one chunk settle for each other is not seen: `unsettled` may name
 * a packet of a rule that decides nothing.)
 */
export function compose<P extends Packet>(
  list: RuleList<P>,
  composition: Composition,
  before: number = NONE,
  { firstChunk = FIRST_CHUNK, mostSteps }: Pace = {},
): Composed {
  const { engine, fields } = list.space;
  const search = createSearch(engine, fields, (id) => id !== NONE && composition.settled(id), mostSteps);
  const unsettled: Found[] = [];
  const base = engine.nodes.count;
  let map = before;
  for (let start = 0, end = 0; start < list.count; start = end) {
    end = Math.min(list.count, start + Math.max(firstChunk, start));
    const entries: Entries = { cubes: [], terminals: [], restricted: [] };
    for (let rule = start; rule < end; rule++) {
      const own = composition.terminalOf(rule);
      let ofRule: Found = "settled";
      for (const cube of list.cubes[rule]!) {
        const left = search(map, cube);
        if (left === "settled") continue;
        if (typeof ofRule === "string") ofRule = left;
        entries.cubes.push(cube);
        entries.terminals.push(own);
        entries.restricted.push(cube.findLastIndex((ranks) => ranks !== null) + 1);
      }
      unsettled.push(ofRule);
    }
    if (entries.cubes.length === 0) continue;
    engine.pins.push(map);
    const chunk = composeCubes(list.space, entries, composition, base);
    map = composition.overlay(engine.pins.pop()!, chunk);
  }
  return { map: map as Diagram, unsettled };
}

/**
 * The composition of cubes, all at once.
 *
 * Two ways to divide are mixed. Where rules mostly stay within one class of the next field each, the list is split by
 * these classes, and the field is done with. Where they do not (wildcards, nested prefixes), it is cut in two, and the
 * diagram of the first half overlaid on that of the second: overlay is associative, so any bracketing will do, and the
 * balanced one merges small diagrams often and large ones seldom. Inside a run of rules with one terminal order means
 * nothing, so runs are sorted first, and the halves have little to do with each other.
 */
function composeCubes<P extends Packet>(
  { engine, fields }: Space<P>,
  entries: Entries,
  { overlay, settled }: Composition,
  base: number,
): number {
  const { cubes, terminals, restricted } = entries;

  /** The diagram of `items`, whose fields before `from` are settled. `sorted`: runs are in order of field `from`. */
  const build = (items: readonly number[], from: number, sorted: boolean): number => {
    const live = visible(items, from);
    if (live.length === 0) return NONE;
    if (live.length === 1) return lower(live[0]!, from);
    if (from === fields.length) return live.map((item) => terminals[item]!).reduce(overlay);
    if (live.every((item) => cubes[item]![from] === null)) return build(live, from + 1, false);
    engine.collectIfWorthwhile(base);

    const field = fields[from]!;
    const starts = boundaries(cubes, live, from, field.domain.ranks);
    if (starts.length <= FEW || countCopies(cubes, live, from, starts) <= live.length) {
      const bottom = engine.pins.length;
      for (const part of distribute(cubes, live, from, starts))
        engine.pins.push(build(part, from + 1, false));
      return engine.branch(field, starts, engine.pins.splice(bottom));
    }
    const order = sorted ? live : sortRuns(entries, live, from);
    const middle = order.length >> 1;
    engine.pins.push(build(order.slice(0, middle), from, true));
    const second = build(order.slice(middle), from, true);
    return overlay(engine.pins.pop()!, second);
  };

  /** Leaves out what stands after rules that match whatever is left and settle it. */
  const visible = (items: readonly number[], from: number): readonly number[] => {
    let known = NONE;
    for (let i = 0; i < items.length; i++) {
      if (restricted[items[i]!]! > from) continue;
      known = overlay(known, terminals[items[i]!]!);
      if (settled(known)) return items.slice(0, i + 1);
    }
    return items;
  };

  /** The diagram of one cube from field `from` on. */
  const lower = (item: number, from: number): number => {
    let id = terminals[item]!;
    for (let i = fields.length - 1; i >= from; i--) id = engine.select(fields[i]!, cubes[item]![i]!, id);
    return id;
  };

  const all = cubes.map((_, i) => i);
  return build(all, 0, false);
}

/** Room for `boundaries` to work in, which is asked too often to make it anew. Nothing is left in it between two calls. */
let marks = new Uint8Array(1 << 10);
let unsorted = new Int32Array(1 << 10);

/** The ranks, out of `ranks`, at which the list of matching rules may change; the first is 0. */
export function boundaries(
  cubes: readonly RankedCube[],
  items: readonly number[],
  from: number,
  ranks: number,
): number[] {
  const starts: number[] = [];
  // The same set often stands in many rules that follow each other.
  let last: RankSet = null;
  if (ranks <= 8 * items.length) {
    // Many for their number: mark them, and collect the marks.
    if (marks.length <= ranks) marks = new Uint8Array(2 * ranks);
    marks[0] = 1;
    for (const item of items) {
      const set = cubes[item]![from]!;
      if (set === last || set === null) continue;
      last = set;
      for (let i = 0; i < set.length; i++) marks[set[i]!] = 1;
    }
    for (let rank = 0; rank < ranks; rank++) if (marks[rank] === 1) starts.push(rank);
    marks.fill(0, 0, ranks + 1);
    return starts;
  }
  let count = 0;
  unsorted[count++] = 0;
  for (const item of items) {
    const set = cubes[item]![from]!;
    if (set === last || set === null) continue;
    last = set;
    if (count + set.length > unsorted.length) {
      const old = unsorted;
      unsorted = new Int32Array(2 * (count + set.length));
      unsorted.set(old);
    }
    for (let i = 0; i < set.length; i++) unsorted[count++] = set[i]!;
  }
  const sorted = unsorted.subarray(0, count).sort();
  let previous = -1;
  for (let i = 0; i < count && sorted[i]! < ranks; i++) {
    if (sorted[i] !== previous) starts.push(sorted[i]!);
    previous = sorted[i]!;
  }
  return starts;
}

function countCopies(
  cubes: readonly RankedCube[],
  items: readonly number[],
  from: number,
  starts: readonly number[],
): number {
  let copies = 0;
  for (const item of items) {
    const ranks = cubes[item]![from]!;
    if (ranks === null) copies += starts.length;
    else
      for (let i = 0; i < ranks.length; i += 2)
        copies += indexOf(starts, ranks[i + 1]!) - indexOf(starts, ranks[i]!);
  }
  return copies;
}

function distribute(
  cubes: readonly RankedCube[],
  items: readonly number[],
  from: number,
  starts: readonly number[],
): number[][] {
  const lists: number[][] = starts.map(() => []);
  for (const item of items) {
    const ranks: RankSet = cubes[item]![from]!;
    if (ranks === null) {
      for (const list of lists) list.push(item);
      continue;
    }
    for (let i = 0; i < ranks.length; i += 2) {
      const end = indexOf(starts, ranks[i + 1]!);
      for (let k = indexOf(starts, ranks[i]!); k < end; k++) lists[k]!.push(item);
    }
  }
  return lists;
}

/** Sorts each run of one terminal by its first rank of field `from`, wildcards first. */
function sortRuns({ cubes, terminals }: Entries, items: readonly number[], from: number): number[] {
  const sorted: number[] = [];
  for (let start = 0; start < items.length; ) {
    let end = start + 1;
    while (end < items.length && terminals[items[end]!] === terminals[items[start]!]) end++;
    const run = items.slice(start, end);
    if (run.length > 1) run.sort((a, b) => (cubes[a]![from]?.[0] ?? -1) - (cubes[b]![from]?.[0] ?? -1));
    sorted.push(...run);
    start = end;
  }
  return sorted;
}

import type { RankSet } from "./domain.ts";
import { type Diagram, NONE, terminal } from "./nodes.ts";
import type { RuleList } from "./rules.ts";
import type { Engine, Field, Packet, RankedCube } from "./space.ts";

/** Cubes with verdicts, the first match first. */
interface Entries {
  readonly cubes: readonly RankedCube[];
  readonly verdicts: readonly number[];
  /** By cube, the index after the last field that it restricts. */
  readonly restricted: readonly number[];
}

/**
 * Splitting a list by the classes of a field copies each rule into every class it meets. Up to this many copies a rule
 * on average that is cheaper than an overlay.
 */
const MOST_COPIES = 1;

/**
 * The verdict of the first rule that matches, for every packet; 0 where none does.
 *
 * Two ways to divide are mixed. Where rules mostly stay within one class of the next field each, the list is split by
 * these classes, and the field is done with. Where they do not (wildcards, nested prefixes), it is cut in two, and the
 * diagram of the first half overlaid on that of the second: overlay is associative, so any bracketing will do, and the
 * balanced one merges small diagrams often and large ones seldom. Inside a run of rules with one verdict order means
 * nothing, so runs are sorted first, and the halves have little to do with each other.
 */
export function firstMatch<P extends Packet>(list: RuleList<P>, start = 0, end = list.count): Diagram {
  const { engine, fields } = list.space;
  const entries = flatten(list, start, end);
  const base = engine.nodes.count;
  const all = entries.cubes.map((_, i) => i);
  return build(engine, fields, entries, all, 0, false, base) as Diagram;
}

function flatten<P extends Packet>(list: RuleList<P>, start: number, end: number): Entries {
  const cubes: RankedCube[] = [];
  const verdicts: number[] = [];
  const restricted: number[] = [];
  for (let rule = start; rule < end; rule++) {
    for (const cube of list.cubes[rule]!) {
      cubes.push(cube);
      verdicts.push(list.verdicts[rule]!);
      restricted.push(cube.findLastIndex((ranks) => ranks !== null) + 1);
    }
  }
  return { cubes, verdicts, restricted };
}

/** The diagram of `items`, whose fields before `from` are settled. `sorted`: runs are in order of field `from`. */
function build(
  engine: Engine,
  fields: readonly Field[],
  entries: Entries,
  items: readonly number[],
  from: number,
  sorted: boolean,
  base: number,
): number {
  if (items.length === 0) return NONE;
  const { cubes, verdicts, restricted } = entries;
  // What matches everything that is left hides what stands after it.
  const last = items.findIndex((item) => restricted[item]! <= from);
  if (last === 0) return terminal(verdicts[items[0]!]!);
  const live = last < 0 ? items : items.slice(0, last + 1);
  if (live.length === 1) return lower(engine, fields, cubes[live[0]!]!, verdicts[live[0]!]!, from);
  if (live.every((item) => cubes[item]![from] === null)) {
    return build(engine, fields, entries, live, from + 1, false, base);
  }
  engine.collectIfWorthwhile(base);

  const field = fields[from]!;
  const starts = boundaries(cubes, live, from, field.domain.ranks);
  const copies = countCopies(cubes, live, from, starts);
  if (copies <= MOST_COPIES * live.length) {
    const lists = distribute(cubes, live, from, starts);
    const bottom = engine.pins.length;
    for (const part of lists) engine.pins.push(build(engine, fields, entries, part, from + 1, false, base));
    return engine.branch(field, starts, engine.pins.splice(bottom));
  }
  const order = sorted ? live : sortRuns(entries, live, from);
  const middle = order.length >> 1;
  engine.pins.push(build(engine, fields, entries, order.slice(0, middle), from, true, base));
  const second = build(engine, fields, entries, order.slice(middle), from, true, base);
  return engine.operations.overlay(engine.pins.pop()!, second);
}

/** The diagram of one cube from field `from` on. */
function lower(
  engine: Engine,
  fields: readonly Field[],
  cube: RankedCube,
  verdict: number,
  from: number,
): number {
  let id = terminal(verdict);
  for (let i = fields.length - 1; i >= from; i--) id = engine.select(fields[i]!, cube[i]!, id);
  return id;
}

/** The ranks, out of `ranks`, at which the list of matching rules may change; the first is 0. */
function boundaries(
  cubes: readonly RankedCube[],
  items: readonly number[],
  from: number,
  ranks: number,
): number[] {
  const found: number[] = [0];
  for (const item of items) for (const rank of cubes[item]![from] ?? []) found.push(rank);
  found.sort((a, b) => a - b);
  return found.filter((rank, i) => rank < ranks && rank !== found[i - 1]);
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

/** Sorts each run of one verdict by its first rank of field `from`, wildcards first. */
function sortRuns({ cubes, verdicts }: Entries, items: readonly number[], from: number): number[] {
  const sorted: number[] = [];
  for (let start = 0; start < items.length; ) {
    let end = start + 1;
    while (end < items.length && verdicts[items[end]!] === verdicts[items[start]!]) end++;
    const run = items.slice(start, end);
    if (run.length > 1) run.sort((a, b) => (cubes[a]![from]?.[0] ?? -1) - (cubes[b]![from]?.[0] ?? -1));
    sorted.push(...run);
    start = end;
  }
  return sorted;
}

/** Where `rank` stands in `starts`. */
function indexOf(starts: readonly number[], rank: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! < rank) low = middle + 1;
    else high = middle;
  }
  return low;
}

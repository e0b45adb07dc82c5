import type { Range } from "../../address/ranges.ts";
import type { Box, Field } from "../../netfilter/grouped.ts";

/** A box and what happens to the packets in it, unless an earlier one has them. */
export interface Layer {
  readonly box: Box;
  readonly effect: string;
}

/** Pieces that a cut may make for each layer. Past that the layers stay as they are. */
const MOST_PIECES = 4;

/**
 * Cuts layers, of which the first that holds a packet decides, into boxes of which no two overlap: by effect, in the
 * order in which effects first occur. Null where that takes more than a few times as many boxes as there are layers.
 *
 * One field, the *pivot*, may hold ranges that nest and overlap as they like. In every other field overlapping ranges are
 * cut at each other's ends first, so that two layers are either apart there or equal; layers that are equal in all of
 * them are then swept along the pivot. Takes n log n time.
 */
export function cutLayers(
  layers: readonly Layer[],
  fields: readonly Field[],
): ReadonlyMap<string, readonly Box[]> | null {
  const cuts = fields.map((_, at) => fieldCuts(layers.map(({ box }) => box[at]!)));
  const pivot = pickPivot(cuts, fields);
  const stacks = stackLayers(layers, cuts, pivot);
  if (stacks === null) return null;
  const byEffect = new Map<string, Box[]>(layers.map(({ effect }) => [effect, []]));
  for (const { others, layers: stack } of stacks.values()) {
    for (const { range, effect } of sweep(stack)) byEffect.get(effect)!.push(others.with(pivot, range));
  }
  for (const [effect, boxes] of byEffect) byEffect.set(effect, join(boxes, cuts, pivot));
  return byEffect;
}

interface Cuts {
  readonly distinct: number;
  /** Where elementary ranges begin; null where no two distinct ranges overlap. */
  readonly starts: readonly bigint[] | null;
}

function fieldCuts(ranges: readonly Range<bigint>[]): Cuts {
  const distinct = [...new Map(ranges.map((range) => [rangeKey(range), range])).values()].sort((a, b) =>
    compare(a.first, b.first),
  );
  const overlap = distinct.some((range, at) => at > 0 && distinct[at - 1]!.last >= range.first);
  if (!overlap) return { distinct: distinct.length, starts: null };
  const starts = new Set(distinct.flatMap(({ first, last }) => [first, last + 1n]));
  return { distinct: distinct.length, starts: [...starts].sort(compare) };
}

/**
 * The field that has most to gain from the sweep: one whose ranges overlap, and then the one with most of them.
 * Protocols come last, because neighbours among them are none that a reader would put together.
 */
function pickPivot(cuts: readonly Cuts[], fields: readonly Field[]): number {
  const weight = (at: number): number =>
    fields[at]!.kind === "protocol" ? 0 : (cuts[at]!.starts ? 1e9 : 0) + cuts[at]!.distinct;
  return [...cuts.keys()].reduce((best, at) => (weight(at) > weight(best) ? at : best), 0);
}

/** Ranges of the pivot, the first in front, that lie in the same box of the other fields. */
interface Stack {
  /** What stands in the place of the pivot means nothing. */
  readonly others: readonly Range<bigint>[];
  readonly layers: { readonly range: Range<bigint>; readonly effect: string }[];
}

function stackLayers(
  layers: readonly Layer[],
  cuts: readonly Cuts[],
  pivot: number,
): ReadonlyMap<string, Stack> | null {
  const stacks = new Map<string, Stack>();
  let room = MOST_PIECES * layers.length + 16;
  for (const { box, effect } of layers) {
    let pieces: (readonly Range<bigint>[])[] = [[]];
    for (const [at, range] of box.entries()) {
      const { starts } = cuts[at]!;
      const parts = at === pivot || starts === null ? [range] : elementary(range, starts);
      if (pieces.length * parts.length > room) return null;
      pieces = pieces.flatMap((piece) => parts.map((part) => [...piece, part]));
    }
    room -= pieces.length;
    for (const others of pieces) {
      const key = others.map((range, at) => (at === pivot ? "" : rangeKey(range))).join(" ");
      const stack = stacks.get(key) ?? { others, layers: [] };
      stacks.set(key, stack);
      stack.layers.push({ range: box[pivot]!, effect });
    }
  }
  return stacks;
}

function elementary(range: Range<bigint>, starts: readonly bigint[]): readonly Range<bigint>[] {
  const parts: Range<bigint>[] = [];
  for (let at = indexOf(starts, range.first); at < starts.length && starts[at]! <= range.last; at++)
    parts.push({ first: starts[at]!, last: starts[at + 1]! - 1n });
  return parts;
}

/** The place of a value that is among ascending values. */
function indexOf(values: readonly bigint[], value: bigint): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The line of sight from above: disjoint ranges in ascending order, each with the effect of the first layer over it. */
function sweep(
  layers: Stack["layers"],
): readonly { readonly range: Range<bigint>; readonly effect: string }[] {
  if (layers.length === 1) return layers;
  const seen: { range: Range<bigint>; effect: string }[] = [];
  const show = (first: bigint, last: bigint, effect: string): void => {
    const before = seen.at(-1);
    if (before && before.effect === effect && before.range.last + 1n === first)
      before.range = { first: before.range.first, last };
    else seen.push({ range: { first, last }, effect });
  };
  const byStart = [...layers.keys()].sort(
    (a, b) => compare(layers[a]!.range.first, layers[b]!.range.first) || a - b,
  );
  const open = new Heap();
  let next = 0;
  for (let at = 0n; next < byStart.length || open.top !== undefined; ) {
    while (open.top !== undefined && layers[open.top]!.range.last < at) open.pop();
    if (open.top === undefined) {
      if (next === byStart.length) break;
      const start = layers[byStart[next]!]!.range.first;
      if (start > at) at = start;
    }
    while (next < byStart.length && layers[byStart[next]!]!.range.first <= at) open.push(byStart[next++]!);
    const top = open.top;
    if (top === undefined) continue;
    const { range, effect } = layers[top]!;
    if (range.last < at) continue;
    const following = next < byStart.length ? layers[byStart[next]!]!.range.first : null;
    const last = following !== null && following <= range.last ? following - 1n : range.last;
    show(at, last, effect);
    at = last + 1n;
  }
  return seen;
}

/** Numbers, of which the smallest is on top. */
class Heap {
  readonly #items: number[] = [];

  get top(): number | undefined {
    return this.#items[0];
  }

  push(value: number): void {
    const items = this.#items;
    let at = items.length;
    items.push(value);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (items[parent]! <= value) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = value;
  }

  pop(): void {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child++;
      if (items[child]! >= last) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
  }
}

/** Puts together again what was cut in vain: boxes that differ in one field only and touch there. */
function join(boxes: readonly Box[], cuts: readonly Cuts[], pivot: number): Box[] {
  let joined = [...boxes];
  for (const [at, { starts }] of cuts.entries()) {
    if (at === pivot || starts === null) continue;
    const rows = new Map<string, Box[]>();
    for (const box of joined) {
      const key = box.map((range, other) => (other === at ? "" : rangeKey(range))).join(" ");
      const row = rows.get(key);
      if (row) row.push(box);
      else rows.set(key, [box]);
    }
    joined = [...rows.values()].flatMap((row) => {
      const whole: Box[] = [];
      for (const box of row.sort((a, b) => compare(a[at]!.first, b[at]!.first))) {
        const before = whole.at(-1);
        if (before && before[at]!.last + 1n === box[at]!.first)
          whole[whole.length - 1] = before.with(at, { first: before[at]!.first, last: box[at]!.last });
        else whole.push(box);
      }
      return whole;
    });
  }
  return joined.sort(inOrder);
}

function inOrder(a: Box, b: Box): number {
  for (const [at, range] of a.entries()) {
    const order = compare(range.first, b[at]!.first);
    if (order !== 0) return order;
  }
  return 0;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function rangeKey({ first, last }: Range<bigint>): string {
  return `${first.toString(36)}-${last.toString(36)}`;
}

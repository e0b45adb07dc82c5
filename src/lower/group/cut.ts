import type { Range } from "../../address/ranges.ts";
import type { Box, Field } from "../../netfilter/grouped.ts";
import { numbering, type Scale, scaleOf } from "./scale.ts";

/** A box and what happens to the packets in it, unless an earlier one has them. */
export interface Layer {
  readonly box: Box;
  readonly effect: string;
}

/** Pieces that a cut may make for each layer. Past that the layers stay as they are. */
const MOST_PIECES = 4;

/** A box in the marks of its fields: where it begins and is over in the first field, then in the second, … */
type Piece = readonly number[];

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
  const scales = fields.map((_, at) => scaleOf(layers.map(({ box }) => box[at]!)));
  const pivot = pickPivot(scales, fields);
  const stacks = stackLayers(layers.length, scales, pivot);
  if (stacks === null) return null;
  const byEffect = new Map<string, Piece[]>(layers.map(({ effect }) => [effect, []]));
  for (const { others, layers: stack } of stacks) {
    for (const { start, end, effect } of sweep(stack, layers, scales[pivot]!)) {
      const piece = [...others];
      piece[2 * pivot] = start;
      piece[2 * pivot + 1] = end;
      byEffect.get(effect)!.push(piece);
    }
  }
  const boxOf = boxMaker(scales);
  return new Map(
    [...byEffect].map(([effect, pieces]) => [effect, join(pieces, scales, pivot).map(boxOf)] as const),
  );
}

/**
 * The field that has most to gain from the sweep: one whose ranges overlap, and then the one with most of them.
 * Protocols come last, because neighbours among them are none that a reader would put together.
 */
function pickPivot(scales: readonly Scale[], fields: readonly Field[]): number {
  const weight = (at: number): number =>
    fields[at]!.kind === "protocol" ? 0 : (scales[at]!.overlaps ? 1e9 : 0) + scales[at]!.distinct;
  return [...scales.keys()].reduce((best, at) => (weight(at) > weight(best) ? at : best), 0);
}

/** Layers, the first in front, that lie in the same box of the other fields. */
interface Stack {
  /** What stands in the place of the pivot means nothing. */
  readonly others: Piece;
  /** By number. */
  readonly layers: number[];
}

function stackLayers(count: number, scales: readonly Scale[], pivot: number): readonly Stack[] | null {
  const stacks: Stack[] = [];
  const byNumber = new Map<number, Stack>();
  const number = numbering(Math.max(...scales.map(({ marks }) => marks.length)));
  const others = scales.flatMap(() => [0, 0]);
  /** Puts a layer on the stacks of all combinations of its pieces in the fields from `at` on. */
  const put = (layer: number, at: number, before: number): void => {
    const scale = scales[at];
    if (!scale) {
      const stack = byNumber.get(before) ?? { others: [...others], layers: [] };
      if (stack.layers.length === 0) {
        byNumber.set(before, stack);
        stacks.push(stack);
      }
      stack.layers.push(layer);
    } else if (at === pivot) put(layer, at + 1, before);
    else {
      const end = scale.ends[layer]!;
      for (let start = scale.starts[layer]!; start < end; start = others[2 * at + 1]!) {
        others[2 * at] = start;
        others[2 * at + 1] = scale.overlaps ? start + 1 : end;
        // Ranges that do not overlap differ where they begin.
        put(layer, at + 1, number(before, start));
      }
    }
  };
  let room = MOST_PIECES * count + 16;
  for (let layer = 0; layer < count; layer++) {
    const pieces = scales.reduce(
      (product, { starts, ends, overlaps }, at) =>
        at === pivot || !overlaps ? product : product * (ends[layer]! - starts[layer]!),
      1,
    );
    if (pieces > room) return null;
    room -= pieces;
    put(layer, 0, 0);
  }
  return stacks;
}

/** A stretch of the pivot, and what happens there. */
interface Stretch {
  readonly start: number;
  end: number;
  readonly effect: string;
}

/** The line of sight from above: disjoint stretches in ascending order, each with the effect of the first layer over it. */
function sweep(
  stack: readonly number[],
  layers: readonly Layer[],
  { starts, ends }: Scale,
): readonly Stretch[] {
  const seen: Stretch[] = [];
  const show = (start: number, end: number, effect: string): void => {
    const before = seen.at(-1);
    if (before && before.effect === effect && before.end === start) before.end = end;
    else seen.push({ start, end, effect });
  };
  const byStart = [...stack].sort((a, b) => starts[a]! - starts[b]! || a - b);
  const open = new Heap();
  let next = 0;
  for (let at = 0; next < byStart.length || open.top !== undefined; ) {
    while (open.top !== undefined && ends[open.top]! <= at) open.pop();
    if (open.top === undefined) {
      if (next === byStart.length) break;
      at = Math.max(at, starts[byStart[next]!]!);
    }
    while (next < byStart.length && starts[byStart[next]!]! <= at) open.push(byStart[next++]!);
    const top = open.top;
    if (top === undefined || ends[top]! <= at) continue;
    const following = next < byStart.length ? starts[byStart[next]!]! : ends[top]!;
    const end = Math.min(following, ends[top]!);
    show(at, end, layers[top]!.effect);
    at = end;
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

/** Puts together again what was cut in vain: pieces that differ in one field only and touch there. In the order of fields. */
function join(pieces: readonly Piece[], scales: readonly Scale[], pivot: number): readonly Piece[] {
  let joined = [...pieces];
  for (const [at, { overlaps }] of scales.entries()) {
    if (at === pivot || !overlaps) continue;
    const number = numbering(Math.max(...scales.map(({ marks }) => marks.length)));
    const rows = new Map<number, Piece[]>();
    for (const piece of joined) {
      let key = 0;
      for (let i = 0; i < piece.length; i++) if (i >> 1 !== at) key = number(key, piece[i]!);
      const row = rows.get(key);
      if (row) row.push(piece);
      else rows.set(key, [piece]);
    }
    joined = [...rows.values()].flatMap((row) => joinRow(row, 2 * at));
  }
  return joined.sort(inOrder);
}

/** Joins the pieces of a row that touch in the field whose beginnings stand at `start`. */
function joinRow(row: Piece[], start: number): readonly Piece[] {
  const whole: Piece[] = [];
  for (const piece of row.sort((a, b) => a[start]! - b[start]!)) {
    const before = whole.at(-1);
    if (before?.[start + 1] === piece[start])
      whole[whole.length - 1] = before!.with(start + 1, piece[start + 1]!);
    else whole.push(piece);
  }
  return whole;
}

function inOrder(a: Piece, b: Piece): number {
  for (let i = 0; i < a.length; i += 2) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return 0;
}

/** Makes boxes of pieces, with one object for each range of a field. */
function boxMaker(scales: readonly Scale[]): (piece: Piece) => Box {
  const known = scales.map(() => new Map<number, Range<bigint>>());
  return (piece) =>
    scales.map(({ marks }, at) => {
      const start = piece[2 * at]!;
      const end = piece[2 * at + 1]!;
      const key = start * marks.length + end;
      const range = known[at]!.get(key) ?? { first: marks[start]!, last: marks[end]! - 1n };
      known[at]!.set(key, range);
      return range;
    });
}

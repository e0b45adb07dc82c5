import { lastAddress, type Range } from "../../address/ranges.ts";
import type { Box, Field } from "../../netfilter/grouped.ts";

/**
 * What lookups cost a packet, in nanoseconds, measured with `npm run bench:packets -- --sets`. The kernel hashes single values;
 * addresses of one prefix length are single values too, once the packet's address is cut to that length. Ranges of one
 * field go into a balanced tree, boxes of several into bit maps that a packet reads whole (nft_set_pipapo).
 */
const HASH = 200;
const TREE_LEVEL = 70;
const BITMAPS = 450;
const BITMAPS_ELEMENT = 0.13;

/** Prefixes that ranges may come to, for each box. */
const MOST_PREFIXES = 2;

/** A box, and what belongs to it. */
export interface Valued<T> {
  readonly box: Box;
  readonly value: T;
}

/**
 * Parts disjoint boxes into the sets in which they cost a packet least: one for each combination of prefix lengths that
 * holds many of them (tuple space search: Srinivasan, Suri, Varghese, 1999), and one for the rest. The boxes of a part are
 * either all of one size in every field, and aligned to it, or they are the rest. Largest first. A box that is parted gives
 * its value to each piece.
 */
export function valuedLookupsOf<T>(
  fields: readonly Field[],
  boxes: readonly Valued<T>[],
): readonly (readonly Valued<T>[])[] {
  const room = MOST_PREFIXES * boxes.length + 16;
  const sizes = new Map<string, Valued<T>[]>();
  const ranges: Valued<T>[] = [];
  let count = 0;
  for (const one of boxes) {
    const pieces = prefixBoxes(fields, one.box);
    count += pieces?.length ?? 1;
    if (count > room) return [boxes];
    if (pieces === null) ranges.push(one);
    else {
      for (const box of pieces) {
        const size = sizeOf(box);
        const piece = { box, value: one.value };
        const same = sizes.get(size);
        if (same) same.push(piece);
        else sizes.set(size, [piece]);
      }
    }
  }
  const bySize = [...sizes.values()].sort((a, b) => b.length - a.length);
  const hashed = cheapest(bySize, ranges.length, fields.length === 1);
  if (hashed === 0) return [boxes];
  const rest = bySize.slice(hashed).flat().concat(ranges);
  return [...bySize.slice(0, hashed), ...(rest.length > 0 ? [rest] : [])];
}

/** The same for boxes without values. */
export function lookupsOf(fields: readonly Field[], boxes: readonly Box[]): readonly (readonly Box[])[] {
  const valued = boxes.map((box) => ({ box, value: null }));
  return valuedLookupsOf(fields, valued).map((part) => part.map(({ box }) => box));
}

/** How many of the classes, the largest first, are better hashed. */
function cheapest(bySize: readonly (readonly unknown[])[], ranges: number, isTree: boolean): number {
  let left = bySize.reduce((sum, { length }) => sum + length, ranges);
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let hashed = 0; hashed <= bySize.length; hashed++) {
    if (hashed > 0) left -= bySize[hashed - 1]!.length;
    const cost = hashed * HASH + restCost(left, isTree);
    if (cost >= least) continue;
    least = cost;
    best = hashed;
  }
  return best;
}

function restCost(elements: number, isTree: boolean): number {
  if (elements === 0) return 0;
  return isTree ? TREE_LEVEL * Math.log2(2 * elements) : BITMAPS + BITMAPS_ELEMENT * elements;
}

/** The prefixes that a box comes to, in its addresses; null for one with a range of something else. */
function prefixBoxes(fields: readonly Field[], box: Box): readonly Box[] | null {
  let pieces: readonly Box[] = [[]];
  for (const [at, field] of fields.entries()) {
    const range = box[at]!;
    if (field.kind !== "address" && range.first !== range.last) return null;
    const parts = field.kind === "address" ? prefixesOf(range, field.family) : [range];
    pieces = pieces.flatMap((piece) => parts.map((part) => [...piece, part]));
  }
  return pieces;
}

/** The fewest prefixes that a range of addresses comes to, in ascending order. */
function prefixesOf({ first, last }: Range<bigint>, family: 4 | 6): readonly Range<bigint>[] {
  const prefixes: Range<bigint>[] = [];
  const all = lastAddress(family) + 1n;
  for (let at = first; at <= last; ) {
    let size = at === 0n ? all : at & -at;
    while (at + size - 1n > last) size >>= 1n;
    prefixes.push({ first: at, last: at + size - 1n });
    at += size;
  }
  return prefixes;
}

function sizeOf(box: Box): string {
  return box.map(({ first, last }) => (last - first).toString(36)).join(" ");
}

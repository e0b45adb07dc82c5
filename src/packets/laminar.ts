import type { Range } from "../address/ranges.ts";

/** A value of a packet's field: an address as a bigint, anything else as a number. */
export type Value = bigint | number;

/** Pieces in depth-first order, and what the numbering says about each. */
export interface RankTree {
  /** By rank, the piece that it is the rest of. */
  readonly ownPiece: readonly number[];
  /** By rank, how many values it stands for. */
  readonly ownSize: readonly bigint[];
  /** By piece, the first rank in it; one entry more for the end. */
  readonly rankStart: Int32Array;
  /** By piece, the index after its last descendant. */
  readonly subtreeEnd: Int32Array;
  /** By piece, the smallest that holds it; −1 for the whole domain. */
  readonly parent: Int32Array;
}

/** Numbers the ranks of laminar pieces that come depth first: one for each piece that its children do not cover. */
export function rankTree<T extends Value>(pieces: readonly Range<T>[], one: T): RankTree {
  const count = pieces.length;
  const parent = new Int32Array(count).fill(-1);
  const subtreeEnd = new Int32Array(count).fill(count);
  const rest: bigint[] = [];
  const open: number[] = [];
  for (let i = 0; i < count; i++) {
    const { first, last } = pieces[i]!;
    while (open.length > 0 && pieces[open.at(-1)!]!.last < first) subtreeEnd[open.pop()!] = i;
    const size = BigInt(plus(minus(last, first), one));
    rest.push(size);
    const outer = open.at(-1);
    if (outer !== undefined) {
      parent[i] = outer;
      rest[outer]! -= size;
    }
    open.push(i);
  }
  const rankStart = new Int32Array(count + 1);
  const ownPiece: number[] = [];
  const ownSize: bigint[] = [];
  for (let i = 0; i < count; i++) {
    rankStart[i] = ownPiece.length;
    if (rest[i]! > 0n) {
      ownPiece.push(i);
      ownSize.push(rest[i]!);
    }
  }
  rankStart[count] = ownPiece.length;
  return { ownPiece, ownSize, rankStart, subtreeEnd, parent };
}

/**
 * Cuts ranges until any two are nested or disjoint; sorted depth first, without repetition. A laminar family over m
 * points has fewer than 2m members, so this cannot grow beyond four times the ranges.
 */
export function laminar<T extends Value>(ranges: readonly Range<T>[], last: T, one: T): Range<T>[] {
  for (let current = ranges; ; ) {
    const sorted = sortedUnique(current);
    const next: Range<T>[] = [];
    const open: Range<T>[] = [];
    let crossed = false;
    for (const range of sorted) {
      if (!(range.first >= 0 && range.last <= last)) {
        throw new RangeError(`${range.first}…${range.last} is outside the domain 0…${last}`);
      }
      while (open.length > 0 && open.at(-1)!.last < range.first) open.pop();
      if (open.length === 0 || open.at(-1)!.last >= range.last) {
        open.push(range);
        next.push(range);
        continue;
      }
      crossed = true;
      let first = range.first;
      for (let i = open.length - 1; i >= 0 && open[i]!.last < range.last; i--) {
        const cut = open[i]!.last;
        if (cut < first) continue;
        next.push({ first, last: cut });
        first = plus(cut, one);
      }
      next.push({ first, last: range.last });
    }
    if (!crossed) return next;
    current = next;
  }
}

/** Ranges by their start, the larger first, without repetition and without empty ones. */
export function sortedUnique<T extends Value>(ranges: readonly Range<T>[]): Range<T>[] {
  const some = ranges.filter(({ first, last }) => first <= last);
  // Floating point orders most of them at once; only between neighbours that it takes for equal is more to be asked.
  const firsts = Float64Array.from(some, ({ first }) => Number(first));
  const order = Array.from(some, (_, i) => i).sort(
    (a, b) => firsts[a]! - firsts[b]! || inOrder(some[a]!, some[b]!),
  );
  const sorted: Range<T>[] = [];
  for (const at of order) {
    const range = some[at]!;
    const previous = sorted.at(-1);
    if (previous?.first !== range.first || previous.last !== range.last) sorted.push(range);
  }
  return sorted;
}

function inOrder<T extends Value>(a: Range<T>, b: Range<T>): number {
  return a.first < b.first ? -1 : a.first > b.first ? 1 : a.last > b.last ? -1 : a.last < b.last ? 1 : 0;
}

// The two kinds of value do not mix: a domain is all bigint or all number.
export function plus<T extends Value>(a: T, b: T): T {
  return ((a as number) + (b as number)) as T;
}

export function minus<T extends Value>(a: T, b: T): T {
  return ((a as number) - (b as number)) as T;
}

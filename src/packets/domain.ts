import type { Range, Ranges } from "../address/ranges.ts";
import { laminar, minus, plus, type RankTree, rankTree, sortedUnique, type Value } from "./laminar.ts";
import { complementRanks, indexOf, mergeRanks, type RankSet } from "./ranks.ts";

// What domains are asked for comes with the operations on it.
export type { Value } from "./laminar.ts";
export { intersectRanks, type RankSet } from "./ranks.ts";

/** What one field must be: one of these ranges, or anything else than these. */
export type Condition<T extends Value> = Ranges<T> | { readonly except: Ranges<T> };

/**
 * The values of a field, cut into as few classes as the declared ranges can tell apart. A diagram branches on the
 * number of the class, its *rank*, so an IPv6 address costs what an IPv4 address costs: the logarithm of how many
 * prefixes there are, not of how many addresses.
 */
export interface Domain<T extends Value> {
  /** How many values there are: 0 to `size` − 1. */
  readonly size: T;
  /** How many classes. */
  readonly ranks: number;
  /** Bits that a rank needs. */
  readonly bits: number;
  /** The class of a value. */
  rankOf(value: T): number;
  /** The classes that a condition is made of. Throws where it splits one, for want of a declared range: the caller's bug. */
  ranksOf(condition: Condition<T>): RankSet;
  /** How many values the ranks from `start` up to, not including, `end` have together. */
  weight(start: number, end: number): bigint;
  /** The values of some ranks. */
  valuesOf(ranks: RankSet): Ranges<T>;
  /** The ranks that have a value in `range`, declared or not. Remembered by object. */
  touching(range: Range<T>): RankSet;
  /** The first values of a rank that lie in `range` and follow each other; null where none lies there. */
  firstRun(rank: number, range: Range<T>): Range<T> | null;
}

/**
 * Ranks the values below `size` so that each of `ranges`, which may come in any order, overlap and repeat, becomes an
 * interval of ranks (a few where ranges cross each other).
 *
 * The ranges are made laminar: where two cross, one is cut at the end of the other, so any two pieces are nested or
 * disjoint. A rank stands for what a piece holds and its children do not, numbered depth first. Prefixes are laminar
 * from the start. The gain over numbering the gaps between all boundaries: whatever lies around a thousand hosts of a
 * prefix is *one* class, not a thousand, and the diagrams do not have to say the same thing in a thousand places.
 *
 * A piece that its children cover gets no rank of its own. So every rank has a value, every path through a diagram has
 * a packet, and two diagrams that mean the same are the same.
 */
export function rankDomain(size: bigint, ranges: Iterable<Range<bigint>>): Domain<bigint>;
export function rankDomain(size: number, ranges: Iterable<Range<number>>): Domain<number>;
export function rankDomain<T extends Value>(size: T, ranges: Iterable<Range<T>>): Domain<T> {
  const one = (typeof size === "bigint" ? 1n : 1) as T;
  const last = minus(size, one);
  const pieces = laminar([{ first: minus(one, one), last }, ...ranges], last, one);
  const tree = rankTree(pieces, one);
  const { ownPiece, rankStart, subtreeEnd, parent } = tree;
  const ranks = ownPiece.length;
  /** By piece, its first value in floating point, which orders most pieces without a look at their big integers. */
  const firsts = Float64Array.from(pieces, ({ first }) => Number(first));
  let sums: readonly bigint[] | null = null;
  /** By piece, its ranks: most conditions are one declared range, and share what it comes to. */
  const known: RankSet[] = [];
  const knownBits = new Map<number, RankSet>();
  const knownLists = new WeakMap<object, RankSet>();
  const touched = new WeakMap<object, RankSet>();

  const endRank = (piece: number): number => rankStart[subtreeEnd[piece]!]!;

  function rankOf(value: T): number {
    if (!(value >= 0 && value <= last)) throw new RangeError(`${value} is outside the domain 0…${last}`);
    let piece = firstIndex(pieces.length, (i) => pieces[i]!.first > value) - 1;
    while (pieces[piece]!.last < value) piece = parent[piece]!;
    return rankStart[piece]!;
  }

  /** The largest piece that starts at a value and does not go beyond another, or one that starts elsewhere. */
  function largestFrom(at: T, end: T): number {
    // Pieces are ordered by first value, the largest first among equals.
    const near = Number(at);
    let low = indexOf(firsts, near);
    let high = firsts[low] === near ? firstIndex(pieces.length, (i) => firsts[i]! > near) : low;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { first, last } = pieces[middle]!;
      if (first > at || (first === at && last <= end)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Appends the ranks of one range; false where declared ranges do not make it up. */
  function rankRange(range: Range<T>, into: number[]): boolean {
    if (range.first > range.last) return true;
    for (let at = range.first; ; ) {
      const piece = largestFrom(at, range.last);
      const found = pieces[piece];
      if (found?.first !== at) return false;
      into.push(rankStart[piece]!, endRank(piece));
      if (found.last === range.last) return true;
      at = plus(found.last, one);
    }
  }

  /** The ranks of one range. */
  function rankSingle(range: Range<T>): RankSet {
    const piece = largestFrom(range.first, range.last);
    const found = pieces[piece];
    if (found?.first !== range.first || found.last !== range.last) return rankRanges([range]);
    const set = known[piece];
    if (set !== undefined) return set;
    const start = rankStart[piece]!;
    const end = endRank(piece);
    known[piece] = start === 0 && end === ranks ? null : [start, end];
    return known[piece];
  }

  function rankRanges(ranges: Ranges<T>): RankSet {
    const intervals: number[] = [];
    if (ranges.every((range) => rankRange(range, intervals))) return mergeRanks(intervals, ranks);
    // What declared ranges leave between them is no declared range, but all of it together may well be a class.
    const touched = mergeRanks(
      ranges.flatMap((range) => touching(range, pieces, tree, one)),
      ranks,
    );
    const wanted = ranges.reduce((sum, { first, last }) => sum + BigInt(last) - BigInt(first) + 1n, 0n);
    if (weightOf(touched) === wanted) return touched;
    const words = ranges.map(({ first, last }) => `${first}…${last}`).join(", ");
    throw new RangeError(`${words} cannot be told from other values: not declared to the domain`);
  }

  function weightOf(set: RankSet): bigint {
    let sum = 0n;
    const intervals = set ?? [0, ranks];
    for (let i = 0; i < intervals.length; i += 2) sum += weight(intervals[i]!, intervals[i + 1]!);
    return sum;
  }

  function weight(start: number, end: number): bigint {
    sums ??= prefixSums(tree.ownSize);
    return sums[end]! - sums[start]!;
  }

  /** The values of a condition as bits; null where there are too many values. */
  function bitsOf(condition: Condition<T>): number | null {
    if (size > MOST_BITS) return null;
    const isNegated = "except" in condition;
    let bits = 0;
    for (const { first, last } of isNegated ? condition.except : condition) {
      if (last >= size) return null;
      for (let value = Number(first); value <= last; value++) bits |= 1 << value;
    }
    return isNegated ? ~bits : bits;
  }

  function compute(condition: Condition<T>): RankSet {
    return "except" in condition
      ? complementRanks(rankRanges(condition.except), ranks)
      : rankRanges(condition);
  }

  return {
    size,
    ranks,
    bits: Math.ceil(Math.log2(ranks)),
    rankOf,
    ranksOf(condition) {
      const bits = bitsOf(condition);
      if (bits !== null) {
        const found = knownBits.get(bits);
        if (found !== undefined) return found;
        const set = compute(condition);
        knownBits.set(bits, set);
        return set;
      }
      if (!("except" in condition) && condition.length === 1) return rankSingle(condition[0]!);
      // Long lists are named sets, shared by many rules; short ones are cheaper to look up than to remember.
      const length = "except" in condition ? condition.except.length : condition.length;
      if (length < 4) return compute(condition);
      return remembered(knownLists, condition, () => compute(condition));
    },
    weight,
    valuesOf: (set) => valuesOf(set ?? [0, ranks], pieces, tree, one),
    touching: (range) =>
      remembered(touched, range, () => mergeRanks(touching(range, pieces, tree, one), ranks)),
    firstRun: (rank, range) => firstRun(ownPiece[rank]!, range, pieces, tree, one),
  };
}

/** Paths, devices and states are so few values that any set of them is remembered, as a number. */
const MOST_BITS = 31;

/** A domain of `size` values that are all told apart. */
export function enumerated(size: number): Domain<number> {
  return rankDomain(
    size,
    Array.from({ length: size }, (_, value) => ({ first: value, last: value })),
  );
}

function valuesOf<T extends Value>(
  set: readonly number[],
  pieces: readonly Range<T>[],
  tree: RankTree,
  one: T,
): Ranges<T> {
  const { ownPiece, rankStart, subtreeEnd } = tree;
  const found: Range<T>[] = [];
  const add = (first: T, last: T): void => {
    const previous = found.at(-1);
    if (previous && plus(previous.last, one) === first)
      found[found.length - 1] = { first: previous.first, last };
    else found.push({ first, last });
  };
  /** Adds, in ascending order, what the ranks from `start` to `end` hold of a piece. */
  const visit = (piece: number, start: number, end: number): void => {
    const { first, last } = pieces[piece]!;
    const from = rankStart[piece]!;
    const to = rankStart[subtreeEnd[piece]!]!;
    if (end <= from || to <= start) return;
    if (start <= from && to <= end) {
      add(first, last);
      return;
    }
    const own = ownPiece[from] === piece && start <= from && from < end;
    if (!own) {
      // Of a piece that holds thousands, a set mostly takes one or two.
      for (let child = piece + 1; child < subtreeEnd[piece]!; child = subtreeEnd[child]!) {
        if (rankStart[child]! >= end) break;
        if (rankStart[subtreeEnd[child]!]! > start) visit(child, start, end);
      }
      return;
    }
    let next = first;
    for (let child = piece + 1; child < subtreeEnd[piece]!; child = subtreeEnd[child]!) {
      const range = pieces[child]!;
      if (range.first > next) add(next, minus(range.first, one));
      visit(child, start, end);
      next = plus(range.last, one);
    }
    if (next <= last) add(next, last);
  };
  const merged: Range<T>[] = [];
  for (let i = 0; i < set.length; i += 2) {
    found.length = 0;
    visit(0, set[i]!, set[i + 1]!);
    merged.push(...found);
  }
  // The rest of a prefix lies around its children, so intervals of ranks need not come out in the order of values.
  return mergeSorted(merged, one);
}

/** The part of the rest of a piece, what its children do not hold, that comes first in `range`. */
function firstRun<T extends Value>(
  piece: number,
  range: Range<T>,
  pieces: readonly Range<T>[],
  { subtreeEnd }: RankTree,
  one: T,
): Range<T> | null {
  const { first, last } = pieces[piece]!;
  const end = last < range.last ? last : range.last;
  let next = first > range.first ? first : range.first;
  for (let child = piece + 1; child < subtreeEnd[piece]! && next <= end; child = subtreeEnd[child]!) {
    const hole = pieces[child]!;
    if (hole.last < next) continue;
    if (hole.first > next) return { first: next, last: hole.first > end ? end : minus(hole.first, one) };
    next = plus(hole.last, one);
  }
  return next <= end ? { first: next, last: end } : null;
}

/** Intervals, in any order, of the ranks that have a value in `range`. */
function touching<T extends Value>(
  range: Range<T>,
  pieces: readonly Range<T>[],
  tree: RankTree,
  one: T,
): number[] {
  const { ownPiece, rankStart, subtreeEnd } = tree;
  const found: number[] = [];
  const visit = (piece: number): void => {
    const { first, last } = pieces[piece]!;
    if (last < range.first || range.last < first) return;
    const start = rankStart[piece]!;
    const end = subtreeEnd[piece]!;
    if (range.first <= first && last <= range.last) {
      found.push(start, rankStart[end]!);
      return;
    }
    if (ownPiece[start] === piece && firstRun(piece, range, pieces, tree, one)) found.push(start, start + 1);
    for (let child = piece + 1; child < end; child = subtreeEnd[child]!) visit(child);
  };
  visit(0);
  return found;
}

function mergeSorted<T extends Value>(ranges: readonly Range<T>[], one: T): Ranges<T> {
  const merged: Range<T>[] = [];
  for (const range of sortedUnique(ranges)) {
    const previous = merged.at(-1);
    if (previous && plus(previous.last, one) === range.first) {
      merged[merged.length - 1] = { first: previous.first, last: range.last };
    } else merged.push(range);
  }
  return merged;
}

function prefixSums(sizes: readonly bigint[]): bigint[] {
  const sums = [0n];
  for (const size of sizes) sums.push(sums.at(-1)! + size);
  return sums;
}

function remembered(known: WeakMap<object, RankSet>, key: object, compute: () => RankSet): RankSet {
  const found = known.get(key);
  if (found !== undefined) return found;
  const ranks = compute();
  known.set(key, ranks);
  return ranks;
}

/** The first of `count` indices for which `holds` is true, which it then is for all after it; `count` where none is. */
function firstIndex(count: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Ranks as half-open intervals, flat: `[start, end, start, end, …]`, ascending, disjoint, not adjacent.
 * Null stands for every rank.
 */
export type RankSet = readonly number[] | null;

/** Merges intervals of ranks, out of `ranks`, that overlap or touch; null where they hold every rank. */
export function mergeRanks(intervals: readonly number[], ranks: number): RankSet {
  const order: number[] = [];
  for (let i = 0; i < intervals.length; i += 2) order.push(i);
  order.sort((a, b) => intervals[a]! - intervals[b]!);
  const merged: number[] = [];
  for (const i of order) {
    const start = intervals[i]!;
    const end = intervals[i + 1]!;
    if (merged.length > 0 && start <= merged.at(-1)!)
      merged[merged.length - 1] = Math.max(merged.at(-1)!, end);
    else merged.push(start, end);
  }
  return merged.length === 2 && merged[0] === 0 && merged[1] === ranks ? null : merged;
}

/** The ranks, out of `ranks`, that a set does not hold. */
export function complementRanks(set: RankSet, ranks: number): RankSet {
  if (set === null) return [];
  const gaps: number[] = [];
  let next = 0;
  for (let i = 0; i < set.length; i += 2) {
    if (set[i]! > next) gaps.push(next, set[i]!);
    next = set[i + 1]!;
  }
  if (next < ranks) gaps.push(next, ranks);
  return gaps.length === 2 && gaps[0] === 0 && gaps[1] === ranks ? null : gaps;
}

/** The ranks, out of `ranks`, that `a` holds and `b` does not. */
export function subtractRanks(a: RankSet, b: RankSet, ranks: number): readonly number[] {
  if (b === null) return [];
  const left: number[] = [];
  const gaps = complementRanks(b, ranks) ?? [0, ranks];
  const whole = a ?? [0, ranks];
  for (let i = 0, j = 0; i < whole.length && j < gaps.length; ) {
    const start = Math.max(whole[i]!, gaps[j]!);
    const end = Math.min(whole[i + 1]!, gaps[j + 1]!);
    if (start < end) left.push(start, end);
    if (whole[i + 1]! < gaps[j + 1]!) i += 2;
    else j += 2;
  }
  return left;
}

/** The ranks that both sets hold: the very set of which the other holds all, where both are single intervals. */
export function intersectRanks(a: RankSet, b: RankSet): RankSet {
  if (a === null || a === b) return b;
  if (b === null) return a;
  if (a.length === 2 && b.length === 2) {
    if (b[0]! <= a[0]! && a[1]! <= b[1]!) return a;
    if (a[0]! <= b[0]! && b[1]! <= a[1]!) return b;
  }
  const both: number[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const start = Math.max(a[i]!, b[j]!);
    const end = Math.min(a[i + 1]!, b[j + 1]!);
    if (start < end) both.push(start, end);
    if (a[i + 1]! < b[j + 1]!) i += 2;
    else j += 2;
  }
  return both;
}

/** Whether two sets of ranks share one. */
export function ranksMeet(a: RankSet, b: RankSet): boolean {
  if (a === null || b === null) return a !== b ? (a ?? b)!.length > 0 : true;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i]! < b[j + 1]! && b[j]! < a[i + 1]!) return true;
    if (a[i + 1]! < b[j + 1]!) i += 2;
    else j += 2;
  }
  return false;
}

/** Whether a set holds a rank. */
export function holdsRank(set: RankSet, rank: number): boolean {
  if (set === null) return true;
  if (set.length === 2) return set[0]! <= rank && rank < set[1]!;
  return indexOf(set, rank + 1) % 2 === 1;
}

/** Where `rank` stands in `starts`, or would stand if it were there. */
export function indexOf(starts: ArrayLike<number>, rank: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! < rank) low = middle + 1;
    else high = middle;
  }
  return low;
}

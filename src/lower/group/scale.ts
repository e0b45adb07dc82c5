import type { Range } from "../../address/ranges.ts";

/**
 * The values of one field, cut wherever a range of some list begins or is over: no range tells two values apart that lie
 * between the same two *marks*. So ranges are compared, sorted and counted by the small numbers of their marks, and addresses
 * of 128 bits cost no more than ports.
 */
export interface Scale {
  /** Ascending. */
  readonly marks: readonly bigint[];
  /** By range of the list, the number of the mark at which it begins. */
  readonly starts: Int32Array;
  /** The same of the mark that follows its last value. */
  readonly ends: Int32Array;
  /** How many different ranges there are. */
  readonly distinct: number;
  /** Some two different ranges have values in common. */
  readonly overlaps: boolean;
}

/** The scale of some ranges. Takes n log n time. */
export function scaleOf(ranges: readonly Range<bigint>[]): Scale {
  const { marks, numberOf } = isSmall(ranges) ? smallMarks(ranges) : largeMarks(ranges);
  const starts = Int32Array.from(ranges, ({ first }) => numberOf(first));
  const ends = Int32Array.from(ranges, ({ last }) => numberOf(last + 1n));
  const pairs = Float64Array.from(starts, (start, at) => start * marks.length + ends[at]!).sort();
  let distinct = 0;
  let overlaps = false;
  let over = 0;
  for (let i = 0; i < pairs.length; i++) {
    if (pairs[i] === pairs[i - 1]) continue;
    distinct++;
    overlaps ||= Math.floor(pairs[i]! / marks.length) < over;
    over = pairs[i]! % marks.length;
  }
  return { marks, starts, ends, distinct, overlaps };
}

/** Marks, and the number of a value that is one. */
interface Marks {
  readonly marks: readonly bigint[];
  readonly numberOf: (value: bigint) => number;
}

/** Whether all values are those of an IPv4 address or smaller: floating point holds them, and sorts without a comparator. */
function isSmall(ranges: readonly Range<bigint>[]): boolean {
  return ranges.every(({ last }) => last < 1n << 32n);
}

function smallMarks(ranges: readonly Range<bigint>[]): Marks {
  const ends = new Float64Array(2 * ranges.length);
  ranges.forEach(({ first, last }, i) => {
    ends[2 * i] = Number(first);
    ends[2 * i + 1] = Number(last) + 1;
  });
  ends.sort();
  const marks = ends.filter((value, i) => value !== ends[i - 1]);
  return {
    marks: Array.from(marks, (value) => BigInt(value)),
    numberOf: (value) => indexOf(marks, Number(value)),
  };
}

function largeMarks(ranges: readonly Range<bigint>[]): Marks {
  const ends = ranges.flatMap(({ first, last }) => [first, last + 1n]);
  ends.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const marks = ends.filter((value, i) => value !== ends[i - 1]);
  return { marks, numberOf: (value) => indexOf(marks, value) };
}

/** Where a value stands that is among ascending ones. */
function indexOf<T extends bigint | number>(values: ArrayLike<T>, value: T): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Tells lists of numbers apart: gives the number of a list, given that of the list without its last member. */
export type Numbering = (before: number, member: number) => number;

/** A fresh numbering of lists whose members are below `bound`. The empty list is number 0. */
export function numbering(bound: number): Numbering {
  const known = new Map<number, number>();
  return (before, member) => {
    const key = before * bound + member;
    const found = known.get(key) ?? known.size + 1;
    known.set(key, found);
    return found;
  };
}

/** An IP version. */
export type Family = 4 | 6;

/** Values from `first` to `last`, both included. */
export interface Range<T extends bigint | number> {
  readonly first: T;
  readonly last: T;
}

/** Ascending, disjoint and not adjacent. */
export type Ranges<T extends bigint | number> = readonly Range<T>[];

/** Addresses of one family as numbers: 32 bits for IPv4, 128 for IPv6. */
export type AddressRanges = Ranges<bigint>;

/** Ports, 0 to 65535. */
export type PortRanges = Ranges<number>;

/** The largest address of a family. */
export function lastAddress(family: Family): bigint {
  return family === 4 ? 0xffff_ffffn : (1n << 128n) - 1n;
}

export const LAST_PORT = 65535;

/** Whether no value lies between two ranges, of which `a` starts first. */
function touches<T extends bigint | number>(a: Range<T>, b: Range<T>): boolean {
  if (a.last >= b.first) return true;
  return typeof a.last === "bigint" ? a.last + 1n === b.first : (a.last as number) + 1 === b.first;
}

function ascending<T extends bigint | number>(a: Range<T>, b: Range<T>): number {
  return a.first < b.first ? -1 : a.first > b.first ? 1 : 0;
}

/** The union of any ranges, in any order, overlapping or not. */
export function mergeRanges<T extends bigint | number>(ranges: readonly Range<T>[]): Ranges<T> {
  if (ranges.length < 2) return ranges;
  const merged: Range<T>[] = [];
  for (const range of [...ranges].sort(ascending)) {
    const previous = merged.at(-1);
    if (previous && touches(previous, range)) {
      if (range.last > previous.last) merged[merged.length - 1] = { first: previous.first, last: range.last };
    } else merged.push(range);
  }
  return merged;
}

/** The values that both hold. */
export function intersectRanges<T extends bigint | number>(a: Ranges<T>, b: Ranges<T>): Ranges<T> {
  const common: Range<T>[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const x = a[i]!;
    const y = b[j]!;
    const first = x.first > y.first ? x.first : y.first;
    const last = x.last < y.last ? x.last : y.last;
    if (first <= last) common.push({ first, last });
    if (x.last < y.last) i++;
    else j++;
  }
  return common;
}

/** Addresses of the family that `ranges` does not hold. */
export function complementAddresses(ranges: AddressRanges, family: Family): AddressRanges {
  const gaps: Range<bigint>[] = [];
  let next = 0n;
  for (const { first, last } of ranges) {
    if (first > next) gaps.push({ first: next, last: first - 1n });
    next = last + 1n;
  }
  if (next <= lastAddress(family)) gaps.push({ first: next, last: lastAddress(family) });
  return gaps;
}

/** Ports that `ranges` does not hold. */
export function complementPorts(ranges: PortRanges): PortRanges {
  const gaps: Range<number>[] = [];
  let next = 0;
  for (const { first, last } of ranges) {
    if (first > next) gaps.push({ first: next, last: first - 1 });
    next = last + 1;
  }
  if (next <= LAST_PORT) gaps.push({ first: next, last: LAST_PORT });
  return gaps;
}

/** Whether `ranges` holds `value`. Binary search. */
export function holds<T extends bigint | number>(ranges: Ranges<T>, value: T): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle]!;
    if (value < range.first) high = middle - 1;
    else if (value > range.last) low = middle + 1;
    else return true;
  }
  return false;
}

/** The range of one number. */
export function single(value: number): Range<number> {
  return { first: value, last: value };
}

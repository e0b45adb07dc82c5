import { type Prefix, prefixesOf } from "../address/print.ts";
import type { Family, Range } from "../address/ranges.ts";

/*
 * What the sets of the kernel (`ipset`) hold, and what asking them takes: known to who decides for a set, and to who prints
 * it. Lists of addresses are `hash:net`, addresses with a protocol and a port `hash:net,port`, ports `bitmap:port`.
 */

/** Protocols whose ports an element of `hash:net,port` may name (`get_port` in ip_set_getport.c). DCCP is not among them. */
export const PROTOCOLS_IN_SETS: ReadonlySet<number> = new Set([6, 17, 132, 136]);

/** Protocols whose packets `bitmap:port` ever matches (`ip_set_get_ip_port` in ip_set_bitmap_port.c). */
export const PROTOCOLS_OF_BITMAPS: ReadonlySet<number> = new Set([6, 17]);

/** A hash is asked once for each prefix length that its elements have. So many lengths are left as they are. */
const FEW_LENGTHS = 4;

/** Elements that there may be for each prefix, once prefixes are cut into longer ones to have fewer lengths. */
const MOST_COPIES = 4;

/** The prefixes that ranges of addresses are said in, none of length zero: a hash has no such element. */
export function elementPrefixes(family: Family, range: Range<bigint>): readonly Prefix[] {
  return prefixesOf(family, range).flatMap((prefix) => (prefix.length === 0 ? halves(family) : [prefix]));
}

function halves(family: Family): readonly Prefix[] {
  return [0n, 1n << (family === 4 ? 31n : 127n)].map((address) => ({ address, length: 1 }));
}

/**
 * The prefix lengths that elements are best given, ascending: the fewest with which there are not more than a few times as
 * many elements as prefixes. Prefixes of another length are cut into those of the next longer one (controlled prefix
 * expansion: Srinivasan and Varghese, 1998).
 */
export function elementLengths(prefixes: readonly Prefix[]): readonly number[] {
  const counts = new Map<number, number>();
  for (const { length } of prefixes) counts.set(length, (counts.get(length) ?? 0) + 1);
  const lengths = [...counts.keys()].sort((a, b) => a - b);
  if (lengths.length <= FEW_LENGTHS) return lengths;
  // Of the first `at` lengths, when the last of them is kept: the fewest elements for one more kept length in each round.
  let best: readonly Choice[] = [{ elements: 0, kept: [] }];
  for (let round = 1; round < lengths.length; round++) {
    best = lengths.map((_, at) => cheapest(best, round, at, lengths, counts));
    const whole = best.at(-1)!;
    if (whole.elements <= MOST_COPIES * prefixes.length) return whole.kept;
  }
  return lengths;
}

interface Choice {
  readonly elements: number;
  readonly kept: readonly number[];
}

/** The best way to keep `lengths[at]`, given the best ways to keep one length less. */
function cheapest(
  before: readonly Choice[],
  round: number,
  at: number,
  lengths: readonly number[],
  counts: ReadonlyMap<number, number>,
): Choice {
  let best: Choice = { elements: Number.POSITIVE_INFINITY, kept: [] };
  let more = 0;
  for (let below = at; below >= 0; below--) {
    more += counts.get(lengths[below]!)! * 2 ** (lengths[at]! - lengths[below]!);
    // Whoever keeps one length only cuts all shorter ones into it.
    const rest = round > 1 ? before[below - 1] : below === 0 ? before[0] : undefined;
    if (rest && rest.elements + more < best.elements)
      best = { elements: rest.elements + more, kept: [...rest.kept, lengths[at]!] };
  }
  return best;
}

/** The elements that prefixes come to, cut to one of some lengths. */
export function countElements(prefixes: readonly Prefix[], lengths: readonly number[]): number {
  return prefixes.reduce((sum, { length }) => sum + 2 ** (lengthFor(length, lengths) - length), 0);
}

function lengthFor(length: number, lengths: readonly number[]): number {
  return lengths.find((one) => one >= length)!;
}

/** The prefixes of one of some lengths that a prefix comes to. `lengths`: ascending, the longest not shorter than it. */
export function cutToLengths(prefix: Prefix, lengths: readonly number[], family: Family): readonly Prefix[] {
  const length = lengthFor(prefix.length, lengths);
  const size = 1n << BigInt((family === 4 ? 32 : 128) - length);
  return Array.from({ length: 2 ** (length - prefix.length) }, (_, at) => ({
    address: prefix.address + BigInt(at) * size,
    length,
  }));
}

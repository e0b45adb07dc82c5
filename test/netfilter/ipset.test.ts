import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Prefix, printPrefix } from "../../src/address/print.ts";
import { mergeRanges, type Range } from "../../src/address/ranges.ts";
import { cutToLengths, elementLengths, elementPrefixes } from "../../src/netfilter/ipset.ts";
import { ip } from "../netfilter/build.ts";

const prefix = (length: number, at = 0): Prefix => ({ address: ip(10, at, 0, 0), length });

/** So many prefixes of each length. */
function prefixes(counts: Readonly<Record<number, number>>): Prefix[] {
  return Object.entries(counts).flatMap(([length, count]) =>
    Array.from({ length: count }, (_, at) => prefix(Number(length), at)),
  );
}

describe("prefix lengths of a set", () => {
  test("stay as they are where there are few", () => {
    expect(elementLengths(prefixes({ 8: 1, 16: 1, 24: 5, 32: 9 }))).toEqual([8, 16, 24, 32]);
  });

  test("are fewer where that does not take many more elements", () => {
    expect(elementLengths(prefixes({ 27: 10, 28: 10, 29: 10, 30: 10, 31: 10, 32: 10 }))).toEqual([29, 32]);
  });

  test("stay apart where one would have to be cut into very many of the next", () => {
    expect(elementLengths(prefixes({ 2: 1, 8: 1, 14: 1, 20: 1, 26: 1, 32: 1 }))).toEqual([
      2, 8, 14, 20, 26, 32,
    ]);
  });
});

test("the prefixes of a set hold what the ranges hold, each address once", () => {
  const range = fc
    .tuple(fc.nat(2000), fc.nat(300))
    .map(([first, more]): Range<bigint> => ({ first: BigInt(first), last: BigInt(first + more) }));
  fc.assert(
    fc.property(fc.array(range, { minLength: 1, maxLength: 20 }), (some) => {
      const ranges = mergeRanges(some);
      const whole = ranges.flatMap((one) => elementPrefixes(4, one));
      const lengths = elementLengths(whole);
      const cut = whole.flatMap((one) => cutToLengths(one, lengths, 4));
      expect(cut.every(({ length }) => lengths.includes(length))).toBe(true);
      expect(cut.length).toBeLessThanOrEqual(4 * whole.length);
      const held = cut.map(({ address, length }) => ({
        first: address,
        last: address + (1n << BigInt(32 - length)) - 1n,
      }));
      expect(mergeRanges(held)).toEqual(ranges);
      const sizes = (all: readonly Range<bigint>[]) =>
        all.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
      expect(sizes(held)).toBe(sizes(ranges));
    }),
  );
});

test("all addresses are two prefixes, because no hash holds one of length zero", () => {
  const all = (bits: bigint): Range<bigint> => ({ first: 0n, last: (1n << bits) - 1n });
  const shown = (family: 4 | 6) =>
    elementPrefixes(family, all(family === 4 ? 32n : 128n)).map((one) => printPrefix(family, one));
  expect(shown(4)).toEqual(["0.0.0.0/1", "128.0.0.0/1"]);
  expect(shown(6)).toEqual(["::/1", "8000::/1"]);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { holds, mergeRanges, type Range } from "../../src/address/ranges.ts";
import { rankDomain } from "../../src/packets/domain.ts";

const SIZE = 40;
const range = fc
  .tuple(fc.nat(SIZE - 1), fc.nat(SIZE - 1))
  .map(([a, b]): Range<number> => ({ first: Math.min(a, b), last: Math.max(a, b) }));
const ranges = fc.array(range, { maxLength: 12 });
const values = Array.from({ length: SIZE }, (_, value) => value);

function inRanks(set: readonly number[] | null, rank: number): boolean {
  return set === null || set.some((start, i) => i % 2 === 0 && start <= rank && rank < set[i + 1]!);
}

describe("rankDomain", () => {
  test("tells the values of every declared range from all others", () => {
    fc.assert(
      fc.property(ranges, (declared) => {
        const domain = rankDomain(SIZE, declared);
        for (const one of declared) {
          const ranks = domain.ranksOf([one]);
          for (const value of values) {
            expect(inRanks(ranks, domain.rankOf(value))).toBe(one.first <= value && value <= one.last);
          }
        }
      }),
    );
  });

  test("gives every rank a value and weighs it by how many it has", () => {
    fc.assert(
      fc.property(ranges, (declared) => {
        const domain = rankDomain(SIZE, declared);
        const weights = Array<bigint>(domain.ranks).fill(0n);
        for (const value of values) weights[domain.rankOf(value)]! += 1n;
        weights.forEach((weight, rank) => {
          expect(weight).toBeGreaterThan(0n);
          expect(domain.weight(rank, rank + 1)).toBe(weight);
        });
      }),
    );
  });

  test("finds the values of ranks, merged and ascending", () => {
    fc.assert(
      fc.property(ranges, ranges, (declared, more) => {
        const domain = rankDomain(SIZE, [...declared, ...more]);
        const union = mergeRanges(declared);
        expect(domain.valuesOf(domain.ranksOf(union))).toEqual(union);
        expect(domain.valuesOf(domain.ranksOf({ except: union }))).toEqual(
          mergeRanges(
            values.filter((value) => !holds(union, value)).map((value) => ({ first: value, last: value })),
          ),
        );
      }),
    );
  });

  test("finds the ranks that touch any range, and where they do first", () => {
    fc.assert(
      fc.property(ranges, range, (declared, wanted) => {
        const domain = rankDomain(SIZE, declared);
        const inside = values.filter((value) => wanted.first <= value && value <= wanted.last);
        const ranks = domain.touching(wanted);
        for (let rank = 0; rank < domain.ranks; rank++) {
          const own = inside.filter((value) => domain.rankOf(value) === rank);
          expect(inRanks(ranks, rank)).toBe(own.length > 0);
          const run = domain.firstRun(rank, wanted);
          expect(run?.first).toBe(own[0]);
          if (run) {
            expect(own).toContain(run.last);
            expect(own).not.toContain(run.last + 1);
          }
        }
      }),
    );
  });

  test("has one rank for what lies around a thousand hosts", () => {
    const hosts = Array.from({ length: 1000 }, (_, i) => ({ first: BigInt(20 * i), last: BigInt(20 * i) }));
    expect(rankDomain(1n << 32n, hosts).ranks).toBe(1001);
  });

  test("numbers the prefixes below a prefix in one interval", () => {
    const below = (first: bigint, bits: bigint) => ({ first, last: first + (1n << bits) - 1n });
    const outer = below(0x0a00_0000n, 24n);
    const inner = Array.from({ length: 50 }, (_, i) => below(0x0a00_0000n + BigInt(i * 3 * 256), 8n));
    const domain = rankDomain(1n << 32n, [...inner, outer]);
    expect(domain.ranksOf([outer])).toHaveLength(2);
  });

  test("gives no rank to a prefix that its halves cover", () => {
    const domain = rankDomain(16, [
      { first: 0, last: 7 },
      { first: 8, last: 15 },
      { first: 0, last: 15 },
    ]);
    expect(domain.ranks).toBe(2);
    expect(domain.ranksOf([{ first: 0, last: 15 }])).toBeNull();
  });

  test("stays small where every range crosses the next", () => {
    const stairs = Array.from({ length: 3000 }, (_, i) => ({ first: i, last: i + 3000 }));
    const domain = rankDomain(65536, stairs);
    expect(domain.ranks).toBe(6000);
    for (const step of [0, 1500, 2999]) {
      expect(domain.valuesOf(domain.ranksOf([stairs[step]!]))).toEqual([stairs[step]]);
    }
  });

  test("takes what declared ranges leave between them, if it is all of it", () => {
    const declared = [
      { first: 2, last: 5 },
      { first: 8, last: 9 },
    ];
    const domain = rankDomain(16, declared);
    const between = [
      { first: 0, last: 1 },
      { first: 6, last: 7 },
      { first: 10, last: 15 },
    ];
    expect(domain.ranksOf(between)).toEqual(domain.ranksOf({ except: declared }));
    expect(() => domain.ranksOf(between.slice(1))).toThrow("not declared");
  });

  test("refuses ranges that were not declared and values outside", () => {
    const domain = rankDomain(16, [{ first: 2, last: 5 }]);
    expect(() => domain.ranksOf([{ first: 2, last: 4 }])).toThrow("not declared");
    expect(() => domain.rankOf(16)).toThrow("outside");
    expect(() => domain.rankOf(-1)).toThrow("outside");
    expect(() => rankDomain(16, [{ first: 8, last: 16 }])).toThrow("outside");
  });
});

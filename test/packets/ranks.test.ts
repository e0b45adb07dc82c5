import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  complementRanks,
  holdsRank,
  intersectRanks,
  mergeRanks,
  type RankSet,
  ranksMeet,
  subtractRanks,
} from "../../src/packets/ranks.ts";

const RANKS = 12;
const every = Array.from({ length: RANKS }, (_, rank) => rank);
const members = fc.uniqueArray(fc.nat(RANKS - 1), { maxLength: RANKS });

function setOf(ranks: readonly number[]): RankSet {
  return mergeRanks(
    ranks.flatMap((rank) => [rank, rank + 1]),
    RANKS,
  );
}

function membersOf(set: RankSet): number[] {
  return every.filter((rank) => holdsRank(set, rank));
}

const ascending = (ranks: readonly number[]): number[] => [...ranks].sort((a, b) => a - b);

describe("sets of ranks", () => {
  test("merge, hold, complement, subtract, intersect and meet as sets do", () => {
    fc.assert(
      fc.property(members, members, (a, b) => {
        expect(membersOf(setOf(a))).toEqual(ascending(a));
        expect(complementRanks(setOf(a), RANKS)).toEqual(setOf(every.filter((rank) => !a.includes(rank))));
        const left = a.filter((rank) => !b.includes(rank));
        expect(mergeRanks(subtractRanks(setOf(a), setOf(b), RANKS), RANKS)).toEqual(setOf(left));
        expect(ranksMeet(setOf(a), setOf(b))).toBe(left.length < a.length);
        expect(intersectRanks(setOf(a), setOf(b))).toEqual(setOf(a.filter((rank) => b.includes(rank))));
      }),
    );
  });

  test("are null when they hold everything, and only then", () => {
    expect(setOf(every)).toBeNull();
    expect(complementRanks([], RANKS)).toBeNull();
    expect(complementRanks(null, RANKS)).toEqual([]);
    expect(ranksMeet(null, [])).toBe(false);
    expect(ranksMeet([], null)).toBe(false);
    expect(ranksMeet(null, null)).toBe(true);
  });
});

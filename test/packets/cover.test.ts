import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countPackets } from "../../src/packets/count.ts";
import { coverOf } from "../../src/packets/cover.ts";
import { firstMatch } from "../../src/packets/first-match.ts";
import { rankRules } from "../../src/packets/rules.ts";
import { EVERY_PACKET, matches, rules, spaceOf, spaceOfRules } from "./small.ts";

describe("coverOf", () => {
  test("is exact: the cubes and the remainder are the set", () => {
    fc.assert(
      fc.property(rules(5), fc.integer({ min: 0, max: 4 }), (list, most) => {
        const space = spaceOfRules(list);
        const set = firstMatch(rankRules(space, list));
        const { cubes, remainder } = coverOf(space, set, most);
        expect(cubes.length).toBeLessThanOrEqual(most);
        for (const packet of EVERY_PACKET) {
          const covered = cubes.some((one) => matches(one, packet));
          const left = space.verdict(remainder, packet) !== 0;
          expect([covered && left, covered || left]).toEqual([false, space.verdict(set, packet) !== 0]);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("comes to an end, with nothing left and no cube that could be wider", () => {
    fc.assert(
      fc.property(rules(4), (list) => {
        const space = spaceOfRules(list);
        const set = firstMatch(rankRules(space, list));
        const { cubes, remainder } = coverOf(space, set, Number.POSITIVE_INFINITY);
        expect(remainder).toBe(space.nothing);
        for (const one of cubes) {
          for (const field of Object.keys(one))
            expect(space.subset(space.set([{ ...one, [field]: undefined }]), set)).toBe(false);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("puts the largest first and says what is left", () => {
    const small = { path: [{ first: 0, last: 0 }], source: [{ first: 1n, last: 1n }] };
    const large = { source: [{ first: 2n, last: 5n }] };
    const space = spaceOf([small, large]);
    const { cubes, remainder } = coverOf(space, space.set([small, large]), 1);
    expect(cubes).toEqual([large]);
    expect(remainder).toBe(space.set([small]));
  });

  test("finds a box again that was given in pieces", () => {
    const piece = (first: bigint, last: bigint) => ({
      source: [{ first, last }],
      port: [{ first: 3, last: 4 }],
    });
    const space = spaceOf([piece(0n, 1n), piece(2n, 2n), piece(3n, 6n)]);
    const { cubes } = coverOf(space, space.set([piece(3n, 6n), piece(0n, 1n), piece(2n, 2n)]), 9);
    expect(cubes).toEqual([piece(0n, 6n)]);
  });

  test("says what a field is not where that is shorter", () => {
    const hole = { source: { except: [{ first: 3n, last: 3n }] } };
    const space = spaceOf([hole]);
    expect(coverOf(space, space.set([hole]), 9).cubes).toEqual([hole]);
    expect(coverOf(space, space.everything, 9).cubes).toEqual([{}]);
    expect(coverOf(space, space.nothing, 9).cubes).toEqual([]);
    expect(countPackets(space, space.everything)).toBe(BigInt(EVERY_PACKET.length));
  });
});

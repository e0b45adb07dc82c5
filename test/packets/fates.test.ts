import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Fate, fatesOf } from "../../src/packets/fates.ts";
import { rankRules } from "../../src/packets/rules.ts";
import { EVERY_PACKET, ruleMatches, rules, type SmallRule, scan, spaceOfRules } from "./small.ts";

/** A fate by looking at every packet but those that some rule of `excluded` matches. */
function fateByScan(
  list: readonly SmallRule[],
  index: number,
  otherwise: number,
  excluded: readonly SmallRule[] = [],
): Fate {
  const all = EVERY_PACKET.filter((packet) => ruleMatches(list[index]!, packet));
  const own = all.filter((packet) => !excluded.some((one) => ruleMatches(one, packet)));
  const earlier = own.map((packet) => scan(list.slice(0, index), packet));
  const left = own.filter((_, i) => earlier[i] === 0);
  const afterwards = left.map((packet) => scan(list.slice(index + 1), packet) || otherwise);
  return {
    matches: all.length > 0,
    decides: left.length > 0,
    removable: afterwards.every((verdict) => verdict === list[index]!.verdict),
  };
}

function fates(list: readonly SmallRule[], otherwise = 0, rounds?: number): Fate[] {
  const space = spaceOfRules(list);
  return fatesOf(rankRules(space, list), space.constant(otherwise), rounds === undefined ? {} : { rounds });
}

const from = (first: bigint, last: bigint, verdict: number): SmallRule => ({
  match: [{ source: [{ first, last }] }],
  verdict,
});

describe("fatesOf", () => {
  test("agrees with a look at every packet", () => {
    fc.assert(
      fc.property(rules(12), fc.nat(3), (list, otherwise) => {
        const wanted = list.map((_, i) => fateByScan(list, i, otherwise));
        expect(fates(list, otherwise)).toEqual(wanted);
        expect(fates(list, otherwise, 0)).toEqual(wanted);
      }),
      { numRuns: 80 },
    );
  });

  test("leaves out what does not count", () => {
    fc.assert(
      fc.property(rules(12), rules(3), fc.nat(3), (list, out, otherwise) => {
        const space = spaceOfRules(list, out);
        const excluded = space.set(out.flatMap(({ match }) => match));
        const ranked = rankRules(space, list);
        const wanted = list.map((_, i) => fateByScan(list, i, otherwise, out));
        for (const rounds of [0, 3])
          expect(fatesOf(ranked, space.constant(otherwise), { excluded, rounds })).toEqual(wanted);
      }),
      { numRuns: 80 },
    );
  });

  test("sees a rule that two earlier ones cover together", () => {
    const [, , covered] = fates([from(0n, 3n, 1), from(4n, 7n, 2), from(2n, 5n, 1)]);
    expect(covered).toEqual({ matches: true, decides: false, removable: true });
  });

  test("sees a rule that a later one repeats, unless another verdict comes between", () => {
    expect(fates([from(2n, 3n, 1), from(0n, 7n, 1)])[0]!.removable).toBe(true);
    expect(fates([from(2n, 3n, 1), from(3n, 3n, 2), from(0n, 7n, 1)])[0]!.removable).toBe(false);
  });

  test("sees a rule that says what happens anyway", () => {
    expect(fates([from(2n, 3n, 2)], 2)[0]!.removable).toBe(true);
    expect(fates([from(2n, 3n, 2)], 1)[0]!.removable).toBe(false);
    expect(fates([from(2n, 3n, 2)], 0)[0]!.removable).toBe(false);
  });

  test("does not take a rule's second cube for another rule", () => {
    const { match } = from(2n, 3n, 1);
    const twice = { match: [...match, ...match], verdict: 1 };
    expect(fates([twice], 2, 0)[0]!.removable).toBe(false);
    expect(fates([twice], 1, 0)[0]!.removable).toBe(true);
  });

  test("is right for many rules", () => {
    const list = Array.from({ length: 5000 }, (_, i) => from(BigInt(i % 8), BigInt(i % 8), 1 + (i % 2)));
    const found = fates(list);
    expect(found.map(({ decides }) => decides).indexOf(false)).toBe(8);
    expect(found.slice(8).every(({ decides, removable }) => !decides && removable)).toBe(true);
    expect(found.slice(0, 8).every(({ removable }) => removable)).toBe(true);
  });

  test("leaves the space as it was", () => {
    const list = [from(0n, 3n, 1), from(2n, 5n, 2)];
    const space = spaceOfRules(list);
    const ranked = rankRules(space, list);
    const before = space.set(list[0]!.match);
    fatesOf(ranked, space.nothing);
    expect(space.engine.pins).toEqual([]);
    expect(space.set(list[0]!.match)).toBe(before);
    expect(fates([])).toEqual([]);
  });
});

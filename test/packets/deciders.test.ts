import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decidersOf, takersOf } from "../../src/packets/deciders.ts";
import { matchOf, rankRules, rulesMeet, sliceRules } from "../../src/packets/rules.ts";
import { lookUp } from "../../src/packets/samples.ts";
import {
  cube,
  EVERY_PACKET,
  matches,
  ruleMatches,
  rules,
  type SmallRule,
  spaceOf,
  spaceOfRules,
} from "./small.ts";

function firstRule(list: readonly SmallRule[], packet: (typeof EVERY_PACKET)[number]): number {
  return list.findIndex((rule) => ruleMatches(rule, packet));
}

describe("decidersOf", () => {
  test("names every rule that decides packets of a region, and which", () => {
    fc.assert(
      fc.property(rules(6), cube, (list, region) => {
        const space = spaceOf([...list.flatMap(({ match }) => match), region]);
        const found = decidersOf(rankRules(space, list), space.set([region]));
        const counts = new Map<number, bigint>();
        for (const packet of EVERY_PACKET) {
          const rule = matches(region, packet) ? firstRule(list, packet) : -1;
          if (rule >= 0) counts.set(rule, (counts.get(rule) ?? 0n) + 1n);
          for (const decider of found) {
            expect(space.verdict(decider.packets, packet)).toBe(decider.rule === rule ? 1 : 0);
          }
        }
        expect(new Map(found.map(({ rule, count }) => [rule, count]))).toEqual(counts);
        expect(found).toEqual([...found].sort((a, b) => Number(b.count - a.count) || a.rule - b.rule));
      }),
      { numRuns: 40 },
    );
  });
});

describe("takersOf", () => {
  test("is what the earlier rules decide of a rule's packets", () => {
    fc.assert(
      fc.property(rules(6), (list) => {
        const space = spaceOfRules(list);
        const ranked = rankRules(space, list);
        list.forEach((_, rule) => {
          expect(takersOf(ranked, rule)).toEqual(
            decidersOf(sliceRules(ranked, 0, rule), matchOf(ranked, rule)),
          );
        });
      }),
      { numRuns: 40 },
    );
  });

  test("puts the rule that takes most first", () => {
    const from = (first: bigint, last: bigint): SmallRule => ({
      match: [{ source: [{ first, last }] }],
      verdict: 1,
    });
    const list = [from(0n, 0n), from(0n, 3n), from(6n, 7n), from(0n, 7n)];
    const space = spaceOfRules(list);
    expect(takersOf(rankRules(space, list), 3).map(({ rule }) => rule)).toEqual([1, 2, 0]);
  });
});

describe("rulesMeet", () => {
  test("tells whether a packet matches both", () => {
    fc.assert(
      fc.property(rules(5), (list) => {
        const space = spaceOfRules(list);
        const ranked = rankRules(space, list);
        list.forEach((a, i) => {
          list.forEach((b, j) => {
            const meet = EVERY_PACKET.some((packet) => ruleMatches(a, packet) && ruleMatches(b, packet));
            expect(rulesMeet(ranked, i, j)).toBe(meet);
          });
        });
      }),
      { numRuns: 30 },
    );
  });
});

describe("lookUp", () => {
  test("finds the first two rules of each packet", () => {
    fc.assert(
      fc.property(rules(8), (list) => {
        const space = spaceOfRules(list);
        const packets = EVERY_PACKET.filter((_, i) => i % 7 === 0);
        const ranked = packets.map((packet) =>
          space.fields.map(({ name, domain }) => domain.rankOf(packet[name]!)),
        );
        const found = lookUp(rankRules(space, list), ranked);
        packets.forEach((packet, i) => {
          const first = firstRule(list, packet);
          const second = list.findIndex((rule, k) => k > first && ruleMatches(rule, packet));
          expect(found[i]).toEqual({ first, second: first < 0 ? -1 : second });
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe("rankRules", () => {
  test("refuses a rule that does not decide", () => {
    expect(() => rankRules(spaceOf([]), [{ match: [], verdict: 0 }])).toThrow("verdict 0");
  });
});

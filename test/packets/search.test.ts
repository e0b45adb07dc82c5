import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstMatch } from "../../src/packets/first-match.ts";
import { NONE, verdictOf } from "../../src/packets/nodes.ts";
import { rankRules } from "../../src/packets/rules.ts";
import { contains } from "../../src/packets/samples.ts";
import { createSearch } from "../../src/packets/search.ts";
import { verdictOfRanks } from "../../src/packets/space.ts";
import { cube, EVERY_PACKET, matches, rules, scan, spaceOfRules } from "./small.ts";

describe("createSearch", () => {
  test("finds a packet of the cube that is not settled wherever there is one, or gives up", () => {
    fc.assert(
      fc.property(
        rules(10),
        fc.array(cube, { minLength: 1, maxLength: 8 }),
        fc.nat(2),
        fc.constantFrom(2, 10, Number.POSITIVE_INFINITY),
        (list, cubes, settled, mostSteps) => {
          const space = spaceOfRules(list, [{ match: cubes, verdict: 1 }]);
          const { engine, fields } = space;
          const map = firstMatch(rankRules(space, list));
          const isSettled = (verdict: number): boolean => verdict > settled;
          const search = createSearch(engine, fields, (id) => isSettled(verdictOf(id)), mostSteps);
          // Several questions of one search: the answer to one must not stay for the next.
          for (const asked of cubes) {
            const ranked = engine.rankCube(asked);
            if (!ranked) continue;
            const found = search(map, ranked);
            const exists = EVERY_PACKET.some((one) => matches(asked, one) && !isSettled(scan(list, one)));
            if (found === "unknown") expect(mostSteps).toBeLessThan(Number.POSITIVE_INFINITY);
            else expect(found !== "settled").toBe(exists);
            if (typeof found === "string") continue;
            expect(contains(ranked, found)).toBe(true);
            expect(isSettled(verdictOfRanks(engine.nodes, fields, map, found))).toBe(false);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("goes on where the diagrams have grown since the last question", () => {
    const [first, ...rest] = fc.sample(rules(10), { numRuns: 20, seed: 7 });
    const space = spaceOfRules(first!, ...rest);
    const { engine, fields } = space;
    const search = createSearch(engine, fields, (id) => id !== NONE);
    for (const list of rest) {
      const map = firstMatch(rankRules(space, list));
      const whole = engine.rankCube({})!;
      expect(search(map, whole) === "settled").toBe(EVERY_PACKET.every((one) => scan(list, one) > 0));
    }
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countPackets } from "../../src/packets/count.ts";
import { rankDomain } from "../../src/packets/domain.ts";
import { firstMatch } from "../../src/packets/first-match.ts";
import { branchesOf, type Diagram, levelOf, RADIX } from "../../src/packets/nodes.ts";
import { rankRules } from "../../src/packets/rules.ts";
import { attempt, createSpace, type Space } from "../../src/packets/space.ts";
import { sizeOf, verdictsOf } from "../../src/packets/walk.ts";
import {
  EVERY_PACKET,
  ruleMatches,
  rules,
  type Small,
  type SmallRule,
  scan,
  spaceOf,
  spaceOfRules,
} from "./small.ts";

const RULES = rules(6);
const SEVERAL = { numRuns: 60 };

/** Two lists of rules as maps of one space. */
function twoMaps(first: readonly SmallRule[], second: readonly SmallRule[]) {
  const space = spaceOfRules(first, second);
  return {
    space,
    a: firstMatch(rankRules(space, first)),
    b: firstMatch(rankRules(space, second)),
  };
}

function expectMap(space: Space<Small>, map: Diagram, meaning: (packet: Small) => number): void {
  const wrong = EVERY_PACKET.find((packet) => space.verdict(map, packet) !== meaning(packet));
  expect(wrong).toBeUndefined();
}

/** Unique, reduced, ordered, ascending: see `Nodes`. */
function expectInvariants(space: Space<Small>): void {
  const { nodes } = space.engine;
  const seen = new Set<string>();
  for (let index = 0; index < nodes.count; index++) {
    const id = nodes.idAt(index);
    const at = branchesOf(id);
    expect(at).toBe(index * RADIX);
    const branches = [...nodes.branches.subarray(at, at + RADIX)];
    expect(new Set(branches).size).toBeGreaterThan(1);
    for (const branch of branches) {
      expect(levelOf(branch)).toBeGreaterThan(levelOf(id));
      if (branch >= 0) expect(branchesOf(branch)).toBeLessThan(at);
    }
    seen.add(`${levelOf(id)} ${branches}`);
  }
  expect(seen.size).toBe(nodes.count);
}

describe("diagrams", () => {
  test("keep their invariants through operations and collections", () => {
    fc.assert(
      fc.property(RULES, RULES, (first, second) => {
        const { space, a, b } = twoMaps(first, second);
        expectInvariants(space);
        const [c] = space.tidy(() => [space.combine(a, space.complement(b), (x, y) => 2 * x + y)]);
        expectInvariants(space);
        expectMap(space, c!, (packet) => 2 * scan(first, packet) + (scan(second, packet) === 0 ? 1 : 0));
      }),
      SEVERAL,
    );
  });

  test("are the same exactly when they mean the same", () => {
    fc.assert(
      fc.property(rules(4, 1), rules(4, 1), (first, second) => {
        const { a, b } = twoMaps(first, second);
        const same = EVERY_PACKET.every((packet) => scan(first, packet) === scan(second, packet));
        expect(a === b).toBe(same);
      }),
      SEVERAL,
    );
  });

  test("are the same for a set said in one piece and in many", () => {
    fc.assert(
      fc.property(RULES, (list) => {
        const space = spaceOfRules(list);
        const set = space.decided(firstMatch(rankRules(space, list)));
        let union = space.nothing;
        for (const { match } of [...list].reverse()) union = space.union(space.set(match), union);
        expect(union).toBe(set);
        expect(space.complement(space.complement(set))).toBe(set);
      }),
      SEVERAL,
    );
  });
});

describe("operations", () => {
  test("do to each packet what they say", () => {
    fc.assert(
      fc.property(RULES, RULES, (first, second) => {
        const { space, a, b } = twoMaps(first, second);
        const one = (packet: Small) => scan(first, packet);
        const two = (packet: Small) => scan(second, packet);
        expectMap(space, a, one);
        expectMap(space, space.overlay(a, b), (packet) => one(packet) || two(packet));
        expectMap(space, space.restrict(a, b), (packet) => (two(packet) ? one(packet) : 0));
        expectMap(space, space.without(a, b), (packet) => (two(packet) ? 0 : one(packet)));
        expectMap(space, space.decided(a), (packet) => (one(packet) ? 1 : 0));
        expectMap(space, space.where(a, 0, 2), (packet) => ([0, 2].includes(one(packet)) ? 1 : 0));
        expectMap(space, space.complement(a), (packet) => (one(packet) ? 0 : 1));
        expectMap(
          space,
          space.map(a, (verdict) => verdict + 5),
          (packet) => one(packet) + 5,
        );
        expectMap(
          space,
          space.combine(a, b, (x, y) => 4 * x + y),
          (packet) => 4 * one(packet) + two(packet),
        );
      }),
      SEVERAL,
    );
  });

  test("obey the laws of sets", () => {
    fc.assert(
      fc.property(RULES, RULES, (first, second) => {
        const maps = twoMaps(first, second);
        const { space } = maps;
        const a = space.decided(maps.a);
        const b = space.decided(maps.b);
        expect(space.union(a, b)).toBe(space.union(b, a));
        expect(space.intersection(a, b)).toBe(space.intersection(b, a));
        expect(space.difference(a, b)).toBe(space.intersection(a, space.complement(b)));
        expect(space.complement(space.union(a, b))).toBe(
          space.intersection(space.complement(a), space.complement(b)),
        );
        expect(space.union(space.intersection(a, b), space.difference(a, b))).toBe(a);
      }),
      SEVERAL,
    );
  });

  test("overlay in any bracketing", () => {
    fc.assert(
      fc.property(RULES, RULES, RULES, (first, second, third) => {
        const space = spaceOfRules(first, second, third);
        const [a, b, c] = [first, second, third].map((list) => firstMatch(rankRules(space, list)));
        expect(space.overlay(space.overlay(a!, b!), c!)).toBe(space.overlay(a!, space.overlay(b!, c!)));
      }),
      SEVERAL,
    );
  });

  test("that stop early answer as those that do not", () => {
    fc.assert(
      fc.property(RULES, RULES, (first, second) => {
        const { space, a, b } = twoMaps(first, second);
        expect(space.intersects(a, b)).toBe(space.intersection(a, b) !== space.nothing);
        expect(space.subset(a, b)).toBe(space.difference(a, b) === space.nothing);
        const swapped = (x: number, y: number): boolean => x === 1 && y === 2;
        expect(space.some(a, b, swapped)).toBe(
          EVERY_PACKET.some((packet) => swapped(scan(first, packet), scan(second, packet))),
        );
      }),
      SEVERAL,
    );
  });

  test("answer anew for each function", () => {
    fc.assert(
      fc.property(RULES, RULES, (first, second) => {
        const { space, a, b } = twoMaps(first, second);
        expectMap(
          space,
          space.combine(a, b, (x) => x),
          (packet) => scan(first, packet),
        );
        expectMap(
          space,
          space.combine(a, b, (_, y) => y),
          (packet) => scan(second, packet),
        );
        expect(space.some(a, b, () => false)).toBe(false);
        expect(space.some(a, b, () => true)).toBe(true);
      }),
      SEVERAL,
    );
  });

  test("list the verdicts that occur", () => {
    fc.assert(
      fc.property(RULES, (list) => {
        const space = spaceOfRules(list);
        const occurring = new Set(EVERY_PACKET.map((packet) => scan(list, packet)));
        expect(verdictsOf(space, firstMatch(rankRules(space, list)))).toEqual([...occurring].sort());
      }),
      SEVERAL,
    );
  });
});

describe("large diagrams", () => {
  test("list their verdicts as small ones do", () => {
    const value = (first: bigint) => [{ first, last: first }];
    const all = Array.from({ length: 6000 }, (_, i) => BigInt(i) * 2n);
    const address = rankDomain(
      1n << 32n,
      all.map((first) => ({ first, last: first })),
    );
    const space = createSpace<{ [field: string]: bigint; destination: bigint; source: bigint }>({
      destination: address,
      source: address,
    });
    const list = all.map((at, i) => ({
      match: [{ destination: value(at), source: value(all[(i * 7) % 6000]!) }],
      verdict: 1 + (i % 4000),
    }));
    const map = firstMatch(rankRules(space, list));
    expect(sizeOf(space, map)).toBeGreaterThan(10_000);
    expect(verdictsOf(space, map)).toEqual(Array.from({ length: 4001 }, (_, verdict) => verdict));
    const low = space.map(map, (verdict) => (verdict > 3990 ? verdict : 1));
    expect(verdictsOf(space, low)).toEqual([1, ...Array.from({ length: 10 }, (_, i) => 3991 + i)]);
  });
});

describe("countPackets", () => {
  test("counts what a map decides", () => {
    fc.assert(
      fc.property(RULES, (list) => {
        const space = spaceOfRules(list);
        const decided = EVERY_PACKET.filter((packet) => scan(list, packet) !== 0).length;
        expect(countPackets(space, firstMatch(rankRules(space, list)))).toBe(BigInt(decided));
      }),
      SEVERAL,
    );
  });
});

describe("tidy", () => {
  test("keeps what was there and what comes out, and drops the rest", () => {
    fc.assert(
      fc.property(RULES, RULES, (first, second) => {
        const { space, a } = twoMaps(first, []);
        const before = space.engine.nodes.count;
        const [b] = space.tidy(() => [firstMatch(rankRules(space, first)), space.nothing]);
        expect(b).toBe(a);
        expect(space.engine.nodes.count).toBe(before);

        const other = spaceOfRules(first, second);
        const map = firstMatch(rankRules(other, first));
        const results = other.tidy(() => {
          const made = firstMatch(rankRules(other, second));
          other.complement(made);
          return [other.overlay(map, made), made] as const;
        });
        expectInvariants(other);
        expectMap(other, map, (packet) => scan(first, packet));
        expectMap(other, results[0], (packet) => scan(first, packet) || scan(second, packet));
        expectMap(other, results[1], (packet) => scan(second, packet));
        expect(other.tidy(() => [firstMatch(rankRules(other, second))])[0]).toBe(results[1]);
      }),
      SEVERAL,
    );
  });
});

describe("the node budget", () => {
  test("ends in an honest answer, and the space goes on working", () => {
    const list: SmallRule[] = Array.from({ length: 8 }, (_, i) => ({
      match: [
        { source: [{ first: BigInt(i), last: BigInt(Math.min(7, 2 * i)) }], port: [{ first: i, last: i }] },
      ],
      verdict: 1 + (i % 3),
    }));
    const make = (nodeBudget: number) => {
      const space = spaceOf(
        list.flatMap(({ match }) => match),
        nodeBudget,
      );
      return { space, kept: space.set(list[3]!.match), ranked: rankRules(space, list) };
    };
    const generous = make(1_000_000);
    firstMatch(generous.ranked);
    const needed = generous.space.engine.nodes.count;

    for (const budget of [needed - 1, needed >> 1]) {
      const { space, kept, ranked } = make(budget);
      const count = space.engine.nodes.count;
      expect(attempt(space, () => firstMatch(ranked))).toEqual({ kind: "inconclusive", budget });
      expect(space.engine.nodes.count).toBe(count);
      expect(space.engine.pins).toEqual([]);
      expectInvariants(space);
      expectMap(space, kept, (packet) => (ruleMatches(list[3]!, packet) ? 1 : 0));
    }

    const enough = make(needed);
    const conclusion = attempt(enough.space, () => firstMatch(enough.ranked));
    if (conclusion.kind !== "conclusive") throw new Error("the budget is enough");
    expectMap(enough.space, conclusion.value, (packet) => scan(list, packet));
  });

  test("lets other errors pass", () => {
    const space = spaceOfRules([]);
    expect(() =>
      attempt(space, () => {
        throw new TypeError("a bug");
      }),
    ).toThrow("a bug");
  });
});

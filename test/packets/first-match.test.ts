import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Family, Range } from "../../src/address/ranges.ts";
import { type Condition, enumerated, rankDomain, type Value } from "../../src/packets/domain.ts";
import { boundaries, compose, firstMatch, firstMatches } from "../../src/packets/first-match.ts";
import { terminal } from "../../src/packets/nodes.ts";
import { type MatchRule, rankRules } from "../../src/packets/rules.ts";
import { createSpace, type Space, verdictOfRanks } from "../../src/packets/space.ts";
import { EVERY_PACKET, rules, scan, spaceOfRules } from "./small.ts";

/** A world of real size. */
interface Real {
  readonly [field: string]: number | bigint;
  readonly path: number;
  readonly destinationPort: number;
  readonly destination: bigint;
  readonly source: bigint;
  readonly sourcePort: number;
}

type RealRule = MatchRule<Real>;

const bits = (family: Family): number => (family === 4 ? 32 : 128);

/** Prefixes around three addresses, so that they nest, and ranges that are no prefixes and cross them. */
function addressRange(family: Family): fc.Arbitrary<Range<bigint>> {
  const size = BigInt(bits(family));
  const near = fc
    .tuple(fc.constantFrom(10n, 172n, 192n), fc.nat(7))
    .map(([top, low]) => (top << (size - 8n)) + BigInt(low));
  const prefix = fc.tuple(near, fc.integer({ min: 0, max: bits(family) })).map(([address, length]) => {
    const host = size - BigInt(length);
    const first = (address >> host) << host;
    return { first, last: first + (1n << host) - 1n };
  });
  const anything = fc
    .tuple(near, near)
    .map(([a, b]) => (a < b ? { first: a, last: b } : { first: b, last: a }));
  return fc.oneof(prefix, prefix, anything);
}

const portRange = fc
  .tuple(fc.constantFrom(0, 22, 53, 443, 1024, 65535), fc.constantFrom(0, 22, 53, 443, 1024, 65535))
  .map(([a, b]): Range<number> => ({ first: Math.min(a, b), last: Math.max(a, b) }));

function condition<T extends Value>(range: fc.Arbitrary<Range<T>>): fc.Arbitrary<Condition<T>> {
  return fc.tuple(range, fc.nat(4)).map(([one, kind]) => (kind === 0 ? { except: [one] } : [one]));
}

function realRules(family: Family): fc.Arbitrary<RealRule[]> {
  const fields = {
    path: condition(fc.nat(3).map((path) => ({ first: path, last: path }))),
    destinationPort: condition(portRange),
    destination: condition(addressRange(family)),
    source: condition(addressRange(family)),
    sourcePort: condition(portRange),
  };
  const match = fc.record(fields, { requiredKeys: [] }).map((cube) => [cube as RealRule["match"][number]]);
  return fc.array(fc.record({ match, verdict: fc.integer({ min: 1, max: 3 }) }), { maxLength: 40 });
}

function ranges<T extends Value>(condition: Condition<T> | undefined): readonly Range<T>[] {
  return condition === undefined ? [] : "except" in condition ? condition.except : condition;
}

function valuesAround<T extends Value>(conditions: readonly (Condition<T> | undefined)[], size: T): T[] {
  const near = conditions
    .flatMap(ranges)
    .flatMap(({ first, last }) => [step(first, -1), first, last, step(last, 1)]);
  return [...new Set(near)].filter((value) => value >= 0 && value < size);
}

function step<T extends Value>(value: T, by: 1 | -1): T {
  return (typeof value === "bigint" ? value + BigInt(by) : (value as number) + by) as T;
}

function meets<T extends Value>(condition: Condition<T> | undefined, value: T): boolean {
  if (condition === undefined) return true;
  const inside = ranges(condition).some(({ first, last }) => first <= value && value <= last);
  return "except" in condition ? !inside : inside;
}

function scanReal(list: readonly RealRule[], packet: Real): number {
  const matches = ({ match }: RealRule): boolean =>
    match.some((cube) =>
      Object.entries(cube).every(([field, condition]) => meets<Value>(condition, packet[field]!)),
    );
  return list.find(matches)?.verdict ?? 0;
}

function realSpace(family: Family, list: readonly RealRule[]): Space<Real> {
  const cubes = list.flatMap(({ match }) => match);
  const address = rankDomain(
    1n << BigInt(bits(family)),
    cubes.flatMap(({ source, destination }) => [...ranges(source), ...ranges(destination)]),
  );
  const port = rankDomain(
    65536,
    cubes.flatMap(({ sourcePort, destinationPort }) => [...ranges(sourcePort), ...ranges(destinationPort)]),
  );
  return createSpace<Real>({
    path: enumerated(4),
    destinationPort: port,
    destination: address,
    source: address,
    sourcePort: port,
  });
}

describe("firstMatch", () => {
  test.each([4, 6] as const)("agrees with a linear scan on the borders of every cube, IPv%i", (family) => {
    fc.assert(
      fc.property(
        realRules(family),
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        (list, stream) => {
          const space = realSpace(family, list);
          const map = firstMatch(rankRules(space, list));
          const cubes = list.flatMap(({ match }) => match);
          const addresses = valuesAround(
            cubes.flatMap(({ source, destination }) => [source, destination]),
            1n << BigInt(bits(family)),
          );
          const ports = valuesAround(
            cubes.flatMap(({ sourcePort, destinationPort }) => [sourcePort, destinationPort]),
            65536,
          );
          const draw = <T>(values: readonly T[], otherwise: T): T =>
            values[Math.floor(stream.next().value * values.length)] ?? otherwise;
          for (let i = 0; i < 200; i++) {
            const packet: Real = {
              path: draw([0, 1, 2, 3], 0),
              destinationPort: draw(ports, 0),
              destination: draw(addresses, 0n),
              source: draw(addresses, 0n),
              sourcePort: draw(ports, 0),
            };
            expect(space.verdict(map, packet)).toBe(scanReal(list, packet));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("is the overlay of its rules, one after the other", () => {
    fc.assert(
      fc.property(rules(10), (list) => {
        const space = spaceOfRules(list);
        const oneByOne = list.reduceRight(
          (rest, { match, verdict }) =>
            space.overlay(
              space.map(space.set(match), (is) => is && verdict),
              rest,
            ),
          space.nothing,
        );
        expect(firstMatch(rankRules(space, list))).toBe(oneByOne);
      }),
    );
  });

  test("does not care where collections fall", () => {
    fc.assert(
      fc.property(rules(10), rules(4), (list, before) => {
        const space = spaceOfRules(list, before);
        const other = firstMatch(rankRules(space, before));
        const eager: typeof space = {
          ...space,
          engine: {
            ...space.engine,
            collectIfWorthwhile: (base) => space.engine.operations.collect(base, space.engine.pins),
          },
        };
        const found = firstMatch(rankRules(eager, list));
        expect(firstMatch(rankRules(space, list))).toBe(found);
        expect(
          EVERY_PACKET.find((packet) => space.verdict(found, packet) !== scan(list, packet)),
        ).toBeUndefined();
        const wrong = EVERY_PACKET.find((packet) => space.verdict(other, packet) !== scan(before, packet));
        expect(wrong).toBeUndefined();
        expect(space.engine.pins).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test("of swapped rules compares with the original: both ends share their classes", () => {
    const out: RealRule = {
      match: [{ destination: [{ first: 5n, last: 9n }], destinationPort: [{ first: 53, last: 53 }] }],
      verdict: 1,
    };
    const back: RealRule = {
      match: [{ source: [{ first: 5n, last: 9n }], sourcePort: [{ first: 53, last: 53 }] }],
      verdict: 1,
    };
    const space = realSpace(4, [out]);
    const swapped = firstMatch(rankRules(space, [back]));
    const packet = { path: 0, destinationPort: 40000, destination: 1n, source: 7n, sourcePort: 53 };
    expect(space.verdict(swapped, packet)).toBe(1);
    expect(space.verdict(swapped, { ...packet, source: 10n })).toBe(0);
  });

  test("of no rules decides nothing, of a rule for everything decides all", () => {
    const space = spaceOfRules([]);
    expect(firstMatch(rankRules(space, []))).toBe(space.nothing);
    expect(firstMatch(rankRules(space, [{ match: [{}], verdict: 7 }]))).toBe(terminal(7));
    expect(firstMatch(rankRules(space, [{ match: [], verdict: 7 }]))).toBe(space.nothing);
  });
});

describe("compose", () => {
  test("comes to the same at any pace", () => {
    fc.assert(
      fc.property(
        rules(40),
        rules(2),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(30),
        (list, known, chunk, steps) => {
          const space = spaceOfRules(list, known);
          const ranked = rankRules(space, list);
          const before = firstMatch(rankRules(space, known));
          const pace = { firstChunk: chunk, mostSteps: steps };
          const { map, unsettled } = compose(ranked, firstMatches(ranked), before, pace);
          expect(map).toBe(firstMatch(rankRules(space, [...known, ...list])));
          expect(unsettled).toHaveLength(list.length);
          // What is left of a rule is its own, and known before it; where nothing is left, nothing is.
          unsettled.forEach((found, rule) => {
            const earlier = [...known, ...list.slice(0, rule)];
            const left = EVERY_PACKET.some((one) => scan([list[rule]!], one) > 0 && scan(earlier, one) === 0);
            if (found === "settled") expect(left).toBe(false);
            else if (found !== "unknown")
              expect(verdictOfRanks(space.engine.nodes, space.fields, before, found)).toBe(0);
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("boundaries", () => {
  test("are where a set of ranks begins or ends, few or many of them", () => {
    const set = fc
      .uniqueArray(fc.nat(3000), { minLength: 2, maxLength: 8 })
      .map((ranks) => (ranks.length % 2 === 0 ? ranks : ranks.slice(1)).sort((a, b) => a - b));
    const sets = fc.oneof(
      fc.array(fc.oneof(set, fc.constant(null)), { maxLength: 12 }),
      fc.array(set, { minLength: 380, maxLength: 450 }),
    );
    fc.assert(
      fc.property(sets, (list) => {
        const wanted = new Set([0, ...list.flatMap((one) => one ?? [])]);
        const found = boundaries(
          list.map((one) => [null, one]),
          list.map((_, i) => i),
          1,
          3000,
        );
        expect(found).toEqual([...wanted].filter((rank) => rank < 3000).sort((a, b) => a - b));
      }),
      { numRuns: 60 },
    );
  });
});

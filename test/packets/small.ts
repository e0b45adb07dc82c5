import fc from "fast-check";
import { mergeRanges, type Range } from "../../src/address/ranges.ts";
import { type Condition, enumerated, rankDomain, type Value } from "../../src/packets/domain.ts";
import type { MatchRule } from "../../src/packets/rules.ts";
import { type Cube, createSpace, type Space } from "../../src/packets/space.ts";

/** A world small enough to look at every packet. */
export interface Small {
  readonly [field: string]: number | bigint;
  readonly path: number;
  readonly port: number;
  readonly destination: bigint;
  readonly source: bigint;
}

const PATHS = 3;
const PORTS = 10;
const ADDRESSES = 8;

export const EVERY_PACKET: readonly Small[] = Array.from(
  { length: PATHS * PORTS * ADDRESSES ** 2 },
  (_, i) => ({
    path: i % PATHS,
    port: Math.floor(i / PATHS) % PORTS,
    destination: BigInt(Math.floor(i / PATHS / PORTS) % ADDRESSES),
    source: BigInt(Math.floor(i / PATHS / PORTS / ADDRESSES)),
  }),
);

export type SmallRule = MatchRule<Small>;

/** Conditions on a field of `size` values: single ranges, lists of ranges, and everything else than those. */
function condition<T extends Value>(size: number, as: (n: number) => T): fc.Arbitrary<Condition<T>> {
  const range = fc
    .tuple(fc.nat(size - 1), fc.nat(size - 1))
    .map(([a, b]): Range<T> => ({ first: as(Math.min(a, b)), last: as(Math.max(a, b)) }));
  const prefix = fc.tuple(fc.nat(size - 1), fc.nat(2)).map(
    ([a, bits]): Range<T> => ({
      first: as((a >> bits) << bits),
      last: as(Math.min(size - 1, ((a >> bits) << bits) + (1 << bits) - 1)),
    }),
  );
  const list = fc.array(range, { maxLength: 4 }).map((ranges) => mergeRanges(ranges));
  return fc.oneof(
    range.map((one) => [one]),
    prefix.map((one) => [one]),
    list,
    list.map((except) => ({ except })),
  );
}

export const cube: fc.Arbitrary<Cube<Small>> = fc
  .record(
    {
      path: condition(PATHS, Number),
      port: condition(PORTS, Number),
      destination: condition(ADDRESSES, BigInt),
      source: condition(ADDRESSES, BigInt),
    },
    { requiredKeys: [] },
  )
  .map((fields) => fields as Cube<Small>);

export const rule = (verdicts = 3): fc.Arbitrary<SmallRule> =>
  fc.record({ match: fc.array(cube, { maxLength: 2 }), verdict: fc.integer({ min: 1, max: verdicts }) });

export const rules = (maxLength: number, verdicts = 3): fc.Arbitrary<SmallRule[]> =>
  fc.array(rule(verdicts), { maxLength });

/** A space in which all these cubes can be said. */
export function spaceOf(cubes: readonly Cube<Small>[], nodeBudget?: number): Space<Small> {
  const addresses = cubes.flatMap((c) => [...rangesOf(c.source), ...rangesOf(c.destination)]);
  const address = rankDomain(BigInt(ADDRESSES), addresses);
  return createSpace<Small>(
    {
      path: enumerated(PATHS),
      port: rankDomain(
        PORTS,
        cubes.flatMap((c) => rangesOf(c.port)),
      ),
      destination: address,
      source: address,
    },
    nodeBudget === undefined ? {} : { nodeBudget },
  );
}

export function spaceOfRules(...lists: readonly (readonly SmallRule[])[]): Space<Small> {
  return spaceOf(lists.flat().flatMap(({ match }) => match));
}

function rangesOf<T extends Value>(condition: Condition<T> | undefined): readonly Range<T>[] {
  if (condition === undefined) return [];
  return "except" in condition ? condition.except : condition;
}

function meets<T extends Value>(condition: Condition<T> | undefined, value: T): boolean {
  if (condition === undefined) return true;
  if ("except" in condition) return !meets(condition.except, value);
  return condition.some(({ first, last }) => first <= value && value <= last);
}

/** What a cube means, read off its definition. */
export function matches(cube: Cube<Small>, packet: Small): boolean {
  return (
    meets(cube.path, packet.path) &&
    meets(cube.port, packet.port) &&
    meets(cube.destination, packet.destination) &&
    meets(cube.source, packet.source)
  );
}

export function ruleMatches({ match }: SmallRule, packet: Small): boolean {
  return match.some((one) => matches(one, packet));
}

/** The verdict of the first rule that matches, by looking at one after the other. */
export function scan(rules: readonly SmallRule[], packet: Small): number {
  return rules.find((one) => ruleMatches(one, packet))?.verdict ?? 0;
}

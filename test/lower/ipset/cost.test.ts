import { describe, expect, test } from "vitest";
import type { Range } from "../../../src/address/ranges.ts";
import { isWorthASet, isWorthASetOfPorts, MEASURED_COSTS } from "../../../src/lower/ipset/cost.ts";

/** So many IPv6 prefixes, of lengths in turn, no two of which touch. */
function prefixes(count: number, ...lengths: readonly number[]): readonly Range<bigint>[] {
  return Array.from({ length: count }, (_, at) => {
    const size = 1n << BigInt(128 - lengths[at % lengths.length]!);
    const first = BigInt(at) << 70n;
    return { first, last: first + size - 1n };
  });
}

/** Too far apart to be cut into each other. */
const MANY = [64, 70, 76, 82, 88, 94, 100, 106, 112, 118, 124];

describe("addresses are a set", () => {
  test.each([
    ["as soon as asking for one length is quicker than lines", 11, [64], true],
    ["not where few lines are quicker", 9, [64], false],
    ["not where a small tree is quicker than many lengths", 40, MANY, false],
    ["where they are many and of few lengths", 20_000, [64, 96, 128], true],
    ["not where they are many and of many lengths", 100_000, MANY, false],
  ])("%s", (_, count, lengths, isSet) => {
    expect(isWorthASet(6, prefixes(count, ...lengths), MEASURED_COSTS)).toBe(isSet);
  });
});

test("ports are a set from eight lines of multiport on", () => {
  const ports = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ first: 3 * at, last: 3 * at + 1 }));
  expect(isWorthASetOfPorts(ports(50), MEASURED_COSTS)).toBe(false);
  expect(isWorthASetOfPorts(ports(65), MEASURED_COSTS)).toBe(true);
});

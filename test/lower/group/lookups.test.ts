import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printRange } from "../../../src/address/print.ts";
import type { Range } from "../../../src/address/ranges.ts";
import { lookupsOf } from "../../../src/lower/group/lookups.ts";
import { type Box, commonSize, type Field } from "../../../src/netfilter/grouped.ts";
import { ip } from "../../netfilter/build.ts";

const SOURCE: Field = { kind: "address", side: "source", family: 4 };
const PORT: Field = { kind: "port", side: "destination" };

const prefix = (first: bigint, length: number): Range<bigint> => ({
  first,
  last: first + (1n << BigInt(32 - length)) - 1n,
});
const port = (first: number, last = first): Range<bigint> => ({ first: BigInt(first), last: BigInt(last) });

/** Clients of one prefix length, each with its port, far apart. */
function clients(count: number, length: number, net: number): Box[] {
  return Array.from({ length: count }, (_, at) => [
    prefix(ip(net, at >> 8, at & 255, 0), length),
    port(1000 + at),
  ]);
}

const shown = (parts: readonly (readonly Box[])[]) =>
  parts.map((part) => ({ boxes: part.length, isHashed: commonSize(part) !== null }));

describe("boxes go", () => {
  test("into one hash where all prefixes are of one length", () => {
    expect(shown(lookupsOf([SOURCE, PORT], clients(100, 28, 10)))).toEqual([{ boxes: 100, isHashed: true }]);
  });

  test("into a hash for each length that many have, and bit maps for the rest", () => {
    const rest = [25, 26, 27].flatMap((length, at) => clients(50, length, 20 + at));
    const boxes = [...rest, ...clients(2000, 29, 40), ...clients(3000, 28, 10)];
    expect(shown(lookupsOf([SOURCE, PORT], boxes))).toEqual([
      { boxes: 3000, isHashed: true },
      { boxes: 2000, isHashed: true },
      { boxes: 150, isHashed: false },
    ]);
  });

  test("into bit maps all together where no length has many", () => {
    const boxes = [24, 25, 26, 27, 28, 29].flatMap((length, at) => clients(40, length, 10 + at));
    expect(shown(lookupsOf([SOURCE, PORT], boxes))).toEqual([{ boxes: 240, isHashed: false }]);
  });

  test("into bit maps where ports are ranges", () => {
    const boxes = clients(100, 28, 10).map((box, at) => box.with(1, port(at * 10, at * 10 + 3)));
    expect(shown(lookupsOf([SOURCE, PORT], boxes))).toEqual([{ boxes: 100, isHashed: false }]);
  });
});

test("a range of addresses is cut into the fewest prefixes", () => {
  const ranges = Array.from({ length: 40 }, (_, at) => [{ first: ip(10, at, 0, 1), last: ip(10, at, 0, 2) }]);
  const [part, ...others] = lookupsOf([SOURCE], ranges);
  expect(others).toEqual([]);
  expect(part!.slice(0, 2).map((box) => printRange(4, box[0]!))).toEqual(["10.0.0.1", "10.0.0.2"]);
  expect(part).toHaveLength(80);
});

test("the parts hold what the boxes hold, and nothing twice", () => {
  const range = fc
    .tuple(fc.nat(255), fc.nat(40))
    .map(([first, more]) => ({ first: BigInt(first), last: BigInt(first + more) }));
  const box = fc.tuple(range, fc.nat(3)).map(([addresses, at]): Box => [addresses, port(at)]);
  fc.assert(
    fc.property(fc.array(box, { maxLength: 30 }), (boxes) => {
      // No two boxes that are given overlap.
      const apart = boxes.filter((one, at) => !boxes.slice(0, at).some((other) => meet(one, other)));
      const held = (all: readonly Box[]) => all.flatMap(values).sort();
      expect(held(lookupsOf([SOURCE, PORT], apart).flat())).toEqual(held(apart));
    }),
  );
});

function meet(a: Box, b: Box): boolean {
  return a.every(({ first, last }, at) => first <= b[at]!.last && b[at]!.first <= last);
}

function values([addresses, ports]: Box): string[] {
  const count = Number(addresses!.last - addresses!.first) + 1;
  return Array.from({ length: count }, (_, at) => `${addresses!.first + BigInt(at)} ${ports!.first}`);
}

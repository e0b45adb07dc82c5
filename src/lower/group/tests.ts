import { mergeRanges, type Range } from "../../address/ranges.ts";
import { type Box, commonSize, type Field, type GroupedMatch } from "../../netfilter/grouped.ts";
import type { Match } from "../../netfilter/ruleset.ts";
import { lookupsOf } from "./lookups.ts";
import { scaleOf } from "./scale.ts";

/** Fewer ranges of addresses are as well kept in one test. */
const LEAST_APART = 16;

/**
 * Tests that the packets in some disjoint boxes pass, and no others: lists of them, and a packet passes all tests of one
 * list. `name`: what sets are called.
 */
export function testsOf(
  fields: readonly Field[],
  boxes: readonly Box[],
  name: string,
): readonly (readonly GroupedMatch[])[] {
  const values = valuesOf(fields, boxes);
  const combinations = values.reduce((count, { length }) => count * length, 1);
  // Boxes that are every combination of some values need not be listed.
  if (combinations === boxes.length) return productTests(fields, values, name);
  const { common, places } = varyingOf(fields, values, name);
  const some = places.map((at) => fields[at]!);
  return lookupsOf(
    some,
    boxes.map((box) => places.map((at) => box[at]!)),
  ).map((part) => [...common, { kind: "tuple", fields: some, boxes: part, name }]);
}

/** The values of each field. */
export function valuesOf(
  fields: readonly Field[],
  boxes: readonly Box[],
): readonly (readonly Range<bigint>[])[] {
  return fields.map((_, at) => distinctRanges(boxes.map((box) => box[at]!)));
}

/** The places of the fields that only a list of boxes can tell, and tests for the others. */
export function varyingOf(
  fields: readonly Field[],
  values: readonly (readonly Range<bigint>[])[],
  name: string,
): { readonly places: readonly number[]; readonly common: readonly Match[] } {
  const protocol = fields.findIndex(({ kind }) => kind === "protocol");
  // Where the protocol is one of several fields that vary, its ports stand beside it.
  const varies = (field: Field, at: number): boolean =>
    values[at]!.length > 1 || (field.kind === "port" && protocol >= 0 && values[protocol]!.length > 1);
  const places = [...fields.keys()].filter((at) => varies(fields[at]!, at));
  const plain = [...fields.keys()].filter((at) => !places.includes(at));
  return { places, common: plain.map((at) => plainTest(fields[at]!, values[at]!, name)) };
}

/** Tests for every combination of some values of each field. */
function productTests(
  fields: readonly Field[],
  values: readonly (readonly Range<bigint>[])[],
  name: string,
): readonly (readonly GroupedMatch[])[] {
  const tests: readonly GroupedMatch[] = fields.map((field, at) => plainTest(field, values[at]!, name));
  const longest = values.reduce((best, { length }, at) => (length > values[best]!.length ? at : best), 0);
  const field = fields[longest]!;
  const ranges = mergeRanges(values[longest]!);
  if (field.kind !== "address" || ranges.length < LEAST_APART) return [tests];
  const parts = lookupsOf(
    [field],
    ranges.map((range) => [range]),
  );
  return parts.map((part) => {
    const isPlain = part.length < LEAST_APART || commonSize(part) === null;
    const some = part.flat();
    return tests.with(
      longest,
      isPlain ? plainTest(field, some, name) : { kind: "tuple", fields: [field], boxes: part, name },
    );
  });
}

/** Each range once, in the order in which they first occur. */
export function distinctRanges(ranges: readonly Range<bigint>[]): readonly Range<bigint>[] {
  const { marks, starts, ends } = scaleOf(ranges);
  const seen = new Set<number>();
  return ranges.filter((_, at) => {
    const { size } = seen;
    return seen.add(starts[at]! * marks.length + ends[at]!).size > size;
  });
}

/** A test of one field for any of some ranges. */
export function plainTest(field: Field, ranges: readonly Range<bigint>[], name: string): Match {
  const union = mergeRanges(ranges);
  switch (field.kind) {
    case "address": {
      // A single range is no list that needs a name.
      return { ...field, ranges: union, name: union.length > 1 ? name : null, negated: false };
    }
    case "protocol":
      return { kind: "protocol", protocols: union.flatMap(numbers), negated: false };
    case "port": {
      const ports = union.map(({ first, last }) => ({ first: Number(first), last: Number(last) }));
      return { ...field, ports, negated: false };
    }
  }
}

function numbers({ first, last }: Range<bigint>): readonly number[] {
  return Array.from({ length: Number(last - first) + 1 }, (_, at) => Number(first) + at);
}

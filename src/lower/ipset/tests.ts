import { mergeRanges, type Range } from "../../address/ranges.ts";
import type { Box, Field, GroupedMatch } from "../../netfilter/grouped.ts";
import { PROTOCOLS_IN_SETS } from "../../netfilter/ipset.ts";
import type { MakeTests } from "../group/effect.ts";
import { distinctRanges, plainTest } from "../group/tests.ts";
import { isWorthASet, isWorthASetOfPorts, linesOfPorts, type SetCosts } from "./cost.ts";

/** Ports of one box that become an element each; of boxes with more of them the range stays a test of its own. */
const MOST_PORTS = 16n;

/** So few lines are always better than what they stand for. */
const FEW_LINES = 8;

/**
 * Tests that the packets in some disjoint boxes pass, and no others: lists of them, and a packet passes all tests of one
 * list. Of the fields that vary a list asks one address, one port, or both together with the protocol, which are the sets
 * that kernels have; everything else is equal in all boxes of that list. Null where that comes to hardly fewer lines than
 * there are boxes, because no list is long enough for a set, or a tree is quicker.
 */
export function setTests(costs: SetCosts): MakeTests {
  return (fields, boxes, name) => {
    const values = fields.map((_, at) => distinctRanges(boxes.map((box) => box[at]!)));
    const combinations = values.reduce((count, { length }) => count * length, 1);
    // Boxes that are every combination of some values need not be listed.
    const parts = combinations === boxes.length ? [{ boxes, places: [] }] : partsOf(fields, boxes, values);
    const lines = parts.reduce((sum, part) => sum + linesOf(fields, part, costs), 0);
    if (lines > FEW_LINES && 2 * lines > boxes.length) return null;
    return parts.flatMap((part) => testsOfPart(fields, part, name, costs));
  };
}

/** Boxes that are every combination of some values, or are equal but for an address, a protocol and a port. */
interface Part {
  readonly boxes: readonly Box[];
  /** The places of these three, or of the one field in which they differ; none where several may. */
  readonly places: readonly number[];
}

function partsOf(
  fields: readonly Field[],
  boxes: readonly Box[],
  values: readonly (readonly Range<bigint>[])[],
): readonly Part[] {
  const address = longest(fields, values, "address");
  const port = longest(fields, values, "port");
  const protocol = fields.findIndex(({ kind }) => kind === "protocol");
  const alone = address ?? port;
  const three = address === null || port === null ? null : [address, protocol, port];
  // A test of the other port needs a protocol beside it, which then is one.
  const isOneProtocol = fields.some(({ kind }, at) => kind === "port" && at !== port);
  const parts = new Map<string, { boxes: Box[]; places: readonly number[] }>();
  for (const box of boxes) {
    const places = three && fitsSet(box[protocol]!, box[port!]!) ? three : alone === null ? [] : [alone];
    const others = box.map(({ first, last }, at) =>
      places.includes(at) && !(isOneProtocol && at === protocol) ? "" : `${first}-${last}`,
    );
    const key = [places.length, ...others].join(" ");
    const part = parts.get(key);
    if (part) part.boxes.push(box);
    else parts.set(key, { boxes: [box], places });
  }
  return [...parts.values()];
}

/** The field of a kind that has most values; null where none has two. */
function longest(
  fields: readonly Field[],
  values: readonly (readonly Range<bigint>[])[],
  kind: Field["kind"],
): number | null {
  return [...fields.keys()].reduce<number | null>(
    (best, at) =>
      fields[at]!.kind === kind && values[at]!.length > (best === null ? 1 : values[best]!.length)
        ? at
        : best,
    null,
  );
}

function fitsSet(protocols: Range<bigint>, ports: Range<bigint>): boolean {
  return PROTOCOLS_IN_SETS.has(Number(protocols.first)) && ports.last - ports.first < MOST_PORTS;
}

/** Lines that a part comes to. */
function linesOf(fields: readonly Field[], part: Part, costs: SetCosts): number {
  const { boxes, places } = part;
  if (places.length > 1) return isLong(fields, part, costs) ? 1 : boxes.length;
  return fields.reduce(
    (lines, field, at) =>
      lines *
      linesOfField(
        field,
        boxes.map((box) => box[at]!),
        costs,
      ),
    1,
  );
}

/** Lines that test a field for any of some ranges. */
function linesOfField(field: Field, values: readonly Range<bigint>[], costs: SetCosts): number {
  const ranges = mergeRanges(values);
  switch (field.kind) {
    case "address":
      return isWorthASet(field.family, ranges, costs) ? 1 : ranges.length;
    case "port": {
      const ports = ranges.map(({ first, last }) => ({ first: Number(first), last: Number(last) }));
      return isWorthASetOfPorts(ports, costs) ? 1 : linesOfPorts(ports);
    }
    case "protocol":
      return distinctRanges(values).length;
  }
}

/** Whether addresses with protocols and ports are better asked for in a set. */
function isLong(fields: readonly Field[], { boxes, places }: Part, costs: SetCosts): boolean {
  const at = places[0]!;
  const field = fields[at]!;
  const ranges = boxes.map((box) => box[at]!);
  return boxes.length >= costs.least && field.kind === "address" && isWorthASet(field.family, ranges, costs);
}

function testsOfPart(
  fields: readonly Field[],
  part: Part,
  name: string,
  costs: SetCosts,
): readonly (readonly GroupedMatch[])[] {
  const { boxes, places } = part;
  if (places.length > 1 && !isLong(fields, part, costs))
    return boxes.map((box) => fields.map((field, at) => plainTest(field, [box[at]!], name)));
  const plain = fields.flatMap((field, at): readonly GroupedMatch[] => {
    const ranges = distinctRanges(boxes.map((box) => box[at]!));
    // A protocol that all of them have is tested before the set is asked.
    const isInSet =
      places.length > 1 && places.includes(at) && !(field.kind === "protocol" && ranges.length === 1);
    return isInSet ? [] : [plainTest(field, ranges, name)];
  });
  if (places.length <= 1) return [plain];
  const some = places.map((at) => fields[at]!);
  const held = boxes.map((box) => places.map((at) => box[at]!));
  return [[...plain, { kind: "tuple", fields: some, boxes: held, name }]];
}

import type { Family, Range } from "../../address/ranges.ts";
import type { Box, Field, GroupedMatch, MappedRule } from "../../netfilter/grouped.ts";

/** A line of a chain with what it leaves of each field that a tree can branch by. */
export interface Entry<R extends MappedRule> {
  readonly rule: R;
  readonly extents: Extents;
  /** It settles every packet within its extents. */
  readonly settles: boolean;
}

/** Null: packets with any value. */
export interface Extents {
  readonly protocol: number | null;
  readonly source: Range<bigint> | null;
  readonly destination: Range<bigint> | null;
  readonly sourcePort: Range<bigint> | null;
  readonly destinationPort: Range<bigint> | null;
}

export const ANYTHING: Extents = {
  protocol: null,
  source: null,
  destination: null,
  sourcePort: null,
  destinationPort: null,
};

const ICMP: { readonly [family in Family]: number } = { 4: 1, 6: 58 };

/** What tests leave of the fields of packets of one family. It may be more than what they match, never less. */
export function extentsOf(matches: readonly GroupedMatch[], family: Family): Extents {
  const extents: { -readonly [field in keyof Extents]: Extents[field] } = { ...ANYTHING };
  for (const match of matches) {
    switch (match.kind) {
      case "icmp":
        extents.protocol = ICMP[family];
        break;
      case "protocol":
        if (!match.negated && match.protocols.length === 1) extents.protocol = match.protocols[0]!;
        break;
      case "address":
        if (!match.negated)
          extents[match.side] = { first: match.ranges[0]!.first, last: match.ranges.at(-1)!.last };
        break;
      case "port":
        if (!match.negated)
          extents[`${match.side}Port`] = wide(match.ports[0]!.first, match.ports.at(-1)!.last);
        break;
      case "tuple":
        for (const [at, field] of match.fields.entries()) {
          const { first, last } = hullOf(match.boxes, at);
          if (field.kind !== "protocol") extents[fieldName(field)] = { first, last };
          else if (first === last) extents.protocol = Number(first);
        }
        break;
    }
  }
  return extents;
}

function fieldName(field: Exclude<Field, { kind: "protocol" }>): Exclude<keyof Extents, "protocol"> {
  return field.kind === "address" ? field.side : `${field.side}Port`;
}

function hullOf(boxes: readonly Box[], at: number): Range<bigint> {
  let { first, last } = boxes[0]![at]!;
  for (const box of boxes) {
    if (box[at]!.first < first) first = box[at]!.first;
    if (box[at]!.last > last) last = box[at]!.last;
  }
  return { first, last };
}

function wide(first: number, last: number): Range<bigint> {
  return { first: BigInt(first), last: BigInt(last) };
}

export function entryOf<R extends MappedRule>(rule: R, family: Family): Entry<R> {
  return {
    rule,
    extents: extentsOf(rule.matches, family),
    settles: isFinal(rule) && rule.matches.every(isBox),
  };
}

function isFinal({ statement }: MappedRule): boolean {
  switch (statement.kind) {
    case "accept":
    case "drop":
    case "reject":
    case "notrack":
      return true;
    default:
      return false;
  }
}

/** Whether packets of the family that lie within the extents of a test pass it. */
function isBox(match: GroupedMatch): boolean {
  switch (match.kind) {
    case "family":
      return true;
    case "protocol":
      return !match.negated && match.protocols.length === 1;
    case "address":
      return !match.negated && match.ranges.length === 1;
    case "port":
      return !match.negated && match.ports.length === 1;
    default:
      return false;
  }
}

/** The lines that packets of a region may come to: none behind one that settles all of them. */
export function reachable<R extends MappedRule>(
  entries: readonly Entry<R>[],
  region: Extents,
): readonly Entry<R>[] {
  const last = entries.findIndex(({ extents, settles }) => settles && covers(extents, region));
  return last < 0 ? entries : entries.slice(0, last + 1);
}

function covers(extents: Extents, region: Extents): boolean {
  return (
    (extents.protocol === null || extents.protocol === region.protocol) &&
    contains(extents.destinationPort, region.destinationPort) &&
    contains(extents.sourcePort, region.sourcePort) &&
    contains(extents.source, region.source) &&
    contains(extents.destination, region.destination)
  );
}

function contains(range: Range<bigint> | null, inner: Range<bigint> | null): boolean {
  if (range === null) return true;
  return inner !== null && range.first <= inner.first && inner.last <= range.last;
}

import { complementAddresses, type Family, intersectRanges, type Range } from "../../address/ranges.ts";
import type { AddressMatch, Match, RulesetRule } from "../../netfilter/ruleset.ts";

/** Lists longer than this are looked at by their first and last value only. */
const MOST_COMPARED = 32;

/** What some of the tests of a rule leave of a packet's fields; null where they say nothing. */
export interface Extent {
  readonly family: Family | null;
  readonly protocols: readonly number[] | null;
  readonly opening: boolean | null;
  readonly source: readonly Range<bigint>[] | null;
  readonly destination: readonly Range<bigint>[] | null;
  readonly sourcePorts: readonly Range<number>[] | null;
  readonly destinationPorts: readonly Range<number>[] | null;
  readonly icmpTypes: readonly number[] | null;
  readonly addressTypes: readonly (Match & { kind: "address-type" })[];
  readonly in: DevicesTest | null;
  readonly out: DevicesTest | null;
}

type DevicesTest = Match & { kind: "interface" };

const ICMP: { readonly [family in Family]: number } = { 4: 1, 6: 58 };
const TCP = 6;

export function extentOf({ matches }: RulesetRule): Extent {
  const extent: { -readonly [field in keyof Extent]: Extent[field] } = {
    family: null,
    protocols: null,
    opening: null,
    source: null,
    destination: null,
    sourcePorts: null,
    destinationPorts: null,
    icmpTypes: null,
    addressTypes: matches.filter((match) => match.kind === "address-type"),
    in: null,
    out: null,
  };
  // Of several tests of one field the last one stands: what it leaves is more than what all of them leave.
  for (const match of matches) {
    if ("family" in match) extent.family = match.family;
    switch (match.kind) {
      case "address":
        extent[match.side] = addressesOf(match);
        break;
      case "protocol":
        if (!match.negated) extent.protocols = match.protocols;
        break;
      case "port":
        if (!match.negated) extent[`${match.side}Ports`] = shortened(match.ports);
        break;
      case "icmp":
        extent.protocols = [ICMP[match.family]];
        extent.icmpTypes = match.types.map(({ type }) => type);
        break;
      case "opening":
        extent.protocols = [TCP];
        extent.opening = !match.negated;
        break;
      case "interface":
        extent[match.side] = match;
        break;
    }
  }
  return extent;
}

/** What two rules of one shape leave of a packet's fields together, and what lies between. */
export function hull(a: Extent, b: Extent): Extent {
  return {
    ...a,
    protocols: a.protocols && b.protocols && union(a.protocols, b.protocols),
    source: rangesHull(a.source, b.source),
    destination: rangesHull(a.destination, b.destination),
    sourcePorts: rangesHull(a.sourcePorts, b.sourcePorts),
    destinationPorts: rangesHull(a.destinationPorts, b.destinationPorts),
  };
}

function union(a: readonly number[], b: readonly number[]): readonly number[] {
  return b.every((value) => a.includes(value)) ? a : [...new Set([...a, ...b])];
}

function rangesHull<T extends bigint | number>(
  a: readonly Range<T>[] | null,
  b: readonly Range<T>[] | null,
): readonly Range<T>[] | null {
  const x = a?.[0];
  const y = b?.[0];
  if (!a || !b || !x || !y) return null;
  const lastOfA = a.at(-1)!.last;
  const lastOfB = b.at(-1)!.last;
  if (a.length === 1 && x.first <= y.first && lastOfA >= lastOfB) return a;
  return [{ first: x.first < y.first ? x.first : y.first, last: lastOfA > lastOfB ? lastOfA : lastOfB }];
}

function addressesOf({ ranges, negated, family }: AddressMatch): readonly Range<bigint>[] | null {
  if (!negated) return shortened(ranges);
  return ranges.length > MOST_COMPARED ? null : complementAddresses(ranges, family);
}

function shortened<T extends bigint | number>(ranges: readonly Range<T>[]): readonly Range<T>[] {
  return ranges.length > MOST_COMPARED ? [{ first: ranges[0]!.first, last: ranges.at(-1)!.last }] : ranges;
}

/** Whether some packet may match both. Says yes when in doubt. */
export function mayMeet(a: Extent, b: Extent): boolean {
  return (
    !(a.family !== null && b.family !== null && a.family !== b.family) &&
    !(a.opening !== null && b.opening !== null && a.opening !== b.opening) &&
    valuesMeet(a.protocols, b.protocols) &&
    rangesMeet(a.destinationPorts, b.destinationPorts) &&
    rangesMeet(a.sourcePorts, b.sourcePorts) &&
    valuesMeet(a.icmpTypes, b.icmpTypes) &&
    rangesMeet(a.source, b.source) &&
    rangesMeet(a.destination, b.destination) &&
    devicesMeet(a.in, b.in) &&
    devicesMeet(a.out, b.out) &&
    a.addressTypes.every((x) => b.addressTypes.every((y) => typesMeet(x, y)))
  );
}

function valuesMeet<T>(a: readonly T[] | null, b: readonly T[] | null): boolean {
  return a === null || b === null || a.some((value) => b.includes(value));
}

function rangesMeet<T extends bigint | number>(
  a: readonly Range<T>[] | null,
  b: readonly Range<T>[] | null,
): boolean {
  if (a === null || b === null) return true;
  if (a.length === 1 && b.length === 1) return a[0]!.first <= b[0]!.last && b[0]!.first <= a[0]!.last;
  return intersectRanges(a, b).length > 0;
}

function devicesMeet(a: DevicesTest | null, b: DevicesTest | null): boolean {
  if (a === null || b === null || (a.negated && b.negated)) return true;
  if (!a.negated && !b.negated)
    return a.devices.some((x) => b.devices.some((y) => covers(x, y) || covers(y, x)));
  const [wanted, others] = a.negated ? [b, a] : [a, b];
  return !wanted.devices.every((device) => others.devices.some((other) => covers(other, device)));
}

/** Whether every device that `narrow` matches is matched by `wide`. */
function covers(wide: string, narrow: string): boolean {
  return wide.endsWith("*") ? narrow.startsWith(wide.slice(0, -1)) : wide === narrow;
}

type TypesTest = Match & { kind: "address-type" };

function typesMeet(a: TypesTest, b: TypesTest): boolean {
  if (a.side !== b.side || (a.negated && b.negated)) return true;
  if (!a.negated && !b.negated) return a.types.some((type) => b.types.includes(type));
  const [wanted, others] = a.negated ? [b, a] : [a, b];
  return !wanted.types.every((type) => others.types.includes(type));
}

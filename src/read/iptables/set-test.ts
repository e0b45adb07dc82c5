import {
  complementAddresses,
  type Family,
  intersectRanges,
  mergeRanges,
  type Range,
} from "../../address/ranges.ts";
import type { Side } from "../../netfilter/ruleset.ts";
import type { ScriptMatch } from "../../netfilter/script.ts";
import { ALWAYS, type Alternatives, NEVER, protocolTest } from "../alternatives.ts";
import { TCP, UDP } from "../names.ts";
import { portTest } from "../ports.ts";
import type { Element, IpSet, Part } from "./ipset.ts";

/**
 * `--match-set NAME DIRECTIONS` in a rule of a family; null where it cannot be known what the set holds. `protocol`: the one
 * that the rule is about, where it names one before.
 */
export function setTest(
  set: IpSet | undefined,
  directions: string,
  family: Family,
  negated: boolean,
  protocol: number | null,
): Alternatives | null {
  if (!set || set.uncertain) return null;
  const sides = directions.split(",");
  if (sides.some((side) => side !== "src" && side !== "dst") || sides.length < set.dimensions.length)
    return null;
  const side = (at: number): Side => (sides[at] === "src" ? "source" : "destination");
  if (set.bitmap) return bitmapTest(set, side(0), negated, protocol);
  // A set of the other family holds none of the packets that the rule sees.
  if (set.family !== family || set.elements.length === 0) return negated ? ALWAYS : NEVER;
  if (set.dimensions.length === 1 && set.dimensions[0] !== "port") {
    const ranges = addressesOf.get(set) ?? addresses(set);
    addressesOf.set(set, ranges);
    if (ranges.length === 0) return negated ? ALWAYS : NEVER;
    return [[{ kind: "address", side: side(0), family, ranges, name: set.name, negated }]];
  }
  if (negated) return null;
  if (set.dimensions.length === 2 && set.dimensions.includes("port")) return pairTests(set, side);
  return isDisjoint(set) ? elementTests(set, side) : null;
}

/** One array for one side of one set, however many rules ask it. */
const addressesOf = new WeakMap<IpSet, readonly Range<bigint>[]>();

/** The protocols that the kernel looks up in a bitmap of ports (`ip_set_get_ip_port` in ip_set_bitmap_port.c). */
const BITMAP_PROTOCOLS: readonly number[] = [TCP, UDP];

function bitmapTest(
  { elements }: IpSet,
  side: Side,
  negated: boolean,
  protocol: number | null,
): Alternatives | null {
  const ports = elements.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.kind === "port" ? part.ports : [])),
  );
  if (ports.length === 0 || (protocol !== null && !BITMAP_PROTOCOLS.includes(protocol)))
    return negated ? ALWAYS : NEVER;
  const test = portTest(side, ports, negated);
  if (protocol !== null) return test;
  if (negated) return null;
  return BITMAP_PROTOCOLS.flatMap((one) => test.map((tests) => [protocolTest(one), ...tests]));
}

/** Pieces that ranges of ports may be cut into, for each element and beside. No tool saves ranges. */
const MOST_PIECES = 16;
const SOME_PIECES = 4096;

/** An address of a set, for some ports. */
interface Held {
  readonly ports: Range<number>;
  readonly range: Range<bigint>;
  readonly excluded: boolean;
}

/** A set of addresses with protocols and ports: for each port the addresses, ports of equal ones together. */
function pairTests(set: IpSet, side: (at: number) => Side): Alternatives | null {
  const portAt = set.dimensions.indexOf("port");
  const byProtocol = new Map<number, Held[]>();
  for (const { parts, excluded } of set.elements) {
    const port = parts[portAt]!;
    const address = parts[1 - portAt]!;
    if (port.kind !== "port" || address.kind !== "address") return null;
    const held = byProtocol.get(port.protocol) ?? [];
    byProtocol.set(port.protocol, held);
    held.push({ ports: port.ports, range: address.range, excluded });
  }
  const found: ScriptMatch[][] = [];
  for (const [protocol, all] of byProtocol) {
    const pieces = byPorts(all);
    if (pieces === null) return null;
    const equal = new Map<
      string,
      { readonly ranges: readonly Range<bigint>[]; readonly ports: Range<number>[] }
    >();
    for (const { ports, held } of pieces) {
      const ranges = mostSpecific(held, set.family);
      if (ranges.length === 0) continue;
      const key = ranges.map(({ first, last }) => `${first}-${last}`).join();
      const same = equal.get(key) ?? { ranges, ports: [] };
      equal.set(key, same);
      same.ports.push(ports);
    }
    for (const { ranges, ports } of equal.values())
      found.push([
        { kind: "address", side: side(1 - portAt), family: set.family, ranges, name: null, negated: false },
        protocolTest(protocol),
        { kind: "port", side: side(portAt), ports: mergeRanges(ports), negated: false },
      ]);
  }
  return found;
}

/** Ports that are asked for alike, with what is held of them; null where that would be very many. */
function byPorts(
  all: readonly Held[],
): readonly { readonly ports: Range<number>; readonly held: readonly Held[] }[] | null {
  const starts = [...new Set(all.flatMap(({ ports }) => [ports.first, ports.last + 1]))].sort(
    (a, b) => a - b,
  );
  const places = new Map(starts.map((start, at) => [start, at]));
  const pieces = starts.map((first, at) => ({
    ports: { first, last: (starts[at + 1] ?? first + 1) - 1 },
    held: [] as Held[],
  }));
  let room = MOST_PIECES * all.length + SOME_PIECES;
  for (const one of all)
    for (let at = places.get(one.ports.first)!; starts[at]! <= one.ports.last; at++) {
      if (room-- === 0) return null;
      pieces[at]!.held.push(one);
    }
  return pieces.filter(({ held }) => held.length > 0);
}

function elementTests(set: IpSet, side: (at: number) => Side): Alternatives {
  return set.elements.map(({ parts }) => parts.flatMap((part, at) => partTests(set, part, side(at))));
}

function partTests(set: IpSet, part: Part, side: Side): readonly ScriptMatch[] {
  switch (part.kind) {
    case "address": {
      const { family, first, last } = part.range;
      return [{ kind: "address", side, family, ranges: [{ first, last }], name: null, negated: false }];
    }
    case "port":
      return [
        { kind: "protocol", protocols: [part.protocol], negated: false },
        { kind: "port", side, ports: [part.ports], negated: false },
      ];
    case "unknown":
      return [{ kind: "unknown", text: set.name }];
  }
}

/** Whether no packet can be two of the elements, which is sure where each is single addresses and one port. */
function isDisjoint({ elements }: IpSet): boolean {
  return elements.every(({ parts, excluded }) => !excluded && parts.every(isSingle));
}

function isSingle(part: Part): boolean {
  return (
    (part.kind === "address" && part.range.first === part.range.last) ||
    (part.kind === "port" && part.ports.first === part.ports.last)
  );
}

/** What a set of addresses holds. */
function addresses({ elements, family }: IpSet): readonly Range<bigint>[] {
  return mostSpecific(
    elements.flatMap(({ parts, excluded }: Element) => {
      const [part] = parts;
      return part?.kind === "address" ? [{ range: part.range, excluded }] : [];
    }),
    family,
  );
}

/** Of prefixes that overlap the longest one decides, whether an address is in or out. */
function mostSpecific(
  held: readonly { readonly range: Range<bigint>; readonly excluded: boolean }[],
  family: Family,
): readonly Range<bigint>[] {
  if (!held.some(({ excluded }) => excluded))
    return mergeRanges(held.map(({ range: { first, last } }) => ({ first, last })));
  const bySize = new Map<bigint, { in: Range<bigint>[]; out: Range<bigint>[] }>();
  for (const { range, excluded } of held) {
    const { first, last } = range;
    const sized = bySize.get(last - first) ?? { in: [], out: [] };
    sized[excluded ? "out" : "in"].push({ first, last });
    bySize.set(last - first, sized);
  }
  let all: readonly Range<bigint>[] = [];
  for (const [, { in: more, out }] of [...bySize].sort(([a], [b]) => (a < b ? 1 : -1))) {
    all = mergeRanges([...all, ...more]);
    if (out.length > 0) all = intersectRanges(all, complementAddresses(mergeRanges(out), family));
  }
  return all;
}

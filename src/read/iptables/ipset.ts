import {
  complementAddresses,
  type Family,
  intersectRanges,
  mergeRanges,
  type Range,
} from "../../address/ranges.ts";
import type { Side } from "../../netfilter/ruleset.ts";
import type { ScriptMatch } from "../../netfilter/script.ts";
import type { Span } from "../../source/source.ts";
import { type FamilyRange, rangeOf } from "../addresses.ts";
import type { Alternatives } from "../alternatives.ts";
import { PROTOCOLS_WITH_PORTS, protocolOf } from "../names.ts";
import { portRange } from "../ports.ts";
import { noteUnknown, type ReadLog, reportSyntax } from "../reading.ts";
import { cutWords } from "./words.ts";

/** The sets that rules name. A name that is not among them is a set that nobody knows. */
export type IpSets = ReadonlyMap<string, IpSet>;

/** One set of `ipset save`. */
export interface IpSet {
  readonly name: string;
  readonly family: Family;
  /** What each element is made of: `hash:ip,port` is `["ip", "port"]`. */
  readonly dimensions: readonly string[];
  readonly elements: readonly Element[];
  /** Elements come and go by themselves, or the set is of a kind that is not understood. */
  readonly uncertain: boolean;
}

interface Element {
  readonly parts: readonly Part[];
  /** `nomatch`: what a wider element of the set holds is taken out again. */
  readonly excluded: boolean;
}

type Part =
  | { readonly kind: "address"; readonly range: FamilyRange }
  | { readonly kind: "port"; readonly protocol: number; readonly ports: Range<number> }
  | { readonly kind: "unknown" };

/** Reads what `ipset save` prints: `create` and `add`, one a line. */
export function readIpsets(log: ReadLog): IpSets {
  const { text } = log.source;
  const sets = new Map<string, { set: IpSet; elements: Element[] }>();
  for (let start = 0; start < text.length; ) {
    const feed = text.indexOf("\n", start);
    const end = feed < 0 ? text.length : feed;
    const words = text[start] === "#" ? [] : cutWords(text, start, end);
    start = end + 1;
    if (words.length === 0) continue;
    const span: Span = { source: log.source, start: words[0]!.start, end: words.at(-1)!.end };
    const refusal = readLine(
      words.map(({ text: word }) => word),
      span,
      sets,
      log,
    );
    if (refusal !== null) reportSyntax(log, span, refusal);
  }
  return new Map([...sets].map(([name, { set }]) => [name, set]));
}

/** A sentence where the tool would refuse the line. */
function readLine(
  words: readonly string[],
  span: Span,
  sets: Map<string, { set: IpSet; elements: Element[] }>,
  log: ReadLog,
): string | null {
  const [command, name, value] = words;
  if (name === undefined) return "a line of a set names the set";
  switch (command) {
    case "create":
    case "-N": {
      const elements: Element[] = [];
      const set = createSet(name, words.slice(2), elements);
      if (set.uncertain) noteUnknown(log, "set", span);
      sets.set(name, { set, elements });
      return null;
    }
    case "add":
    case "-A": {
      const entry = sets.get(name);
      if (!entry) return `there is no set \`${name}\``;
      if (value === undefined) return "nothing is added";
      const element = readElement(entry.set, value, words.includes("nomatch", 3));
      if (element === null) return `\`${value}\` is no element of \`${name}\``;
      entry.elements.push(element);
      return null;
    }
    default:
      // Anything else may change what a set holds.
      noteUnknown(log, "set", span);
      sets.delete(name);
      return null;
  }
}

const ADDRESS_PARTS: ReadonlySet<string> = new Set(["ip", "net"]);

function createSet(name: string, words: readonly string[], elements: readonly Element[]): IpSet {
  const [type = "", ...options] = words;
  const dimensions = (type.split(":")[1] ?? "").split(",");
  const family = options[options.indexOf("family") + 1] === "inet6" && options.includes("family") ? 6 : 4;
  const uncertain =
    !/^(?:hash|bitmap):/.test(type) ||
    dimensions.some((dimension) => !ADDRESS_PARTS.has(dimension) && dimension !== "port") ||
    options.some((option) => ["timeout", "netmask", "bitmask", "markmask"].includes(option)) ||
    // In a bitmap of ports an element has no protocol.
    type === "bitmap:port";
  return { name, family, dimensions, elements, uncertain };
}

function readElement(set: IpSet, text: string, excluded: boolean): Element | null {
  if (set.uncertain) return { parts: [], excluded };
  const values = text.split(",");
  if (values.length !== set.dimensions.length) return null;
  const parts = set.dimensions.map((dimension, at) =>
    dimension === "port" ? portPart(values[at]!) : addressPart(set.family, values[at]!),
  );
  return parts.every((part) => part !== null) ? { parts, excluded } : null;
}

function addressPart(family: Family, text: string): Part | null {
  const range = rangeOf(text);
  return range?.family === family ? { kind: "address", range } : null;
}

/** `tcp:80`, `udp:53-60`; a port alone is TCP's. */
function portPart(text: string): Part | null {
  const colon = text.indexOf(":");
  const protocol = colon < 0 ? 6 : protocolOf(text.slice(0, colon));
  if (protocol === null) return null;
  if (!PROTOCOLS_WITH_PORTS.has(protocol)) return { kind: "unknown" };
  const ports = portRange(text.slice(colon + 1), "-");
  return ports === null ? null : { kind: "port", protocol, ports };
}

/** One array for one side of one set, however many rules ask it. */
const addressesOf = new WeakMap<IpSet, readonly Range<bigint>[]>();

/** `--match-set NAME DIRECTIONS`; null where it cannot be known what the set holds. */
export function setTest(
  set: IpSet | undefined,
  directions: string,
  family: Family,
  negated: boolean,
): Alternatives | null {
  if (!set || set.uncertain) return null;
  const sides = directions.split(",");
  if (sides.some((side) => side !== "src" && side !== "dst") || sides.length < set.dimensions.length)
    return null;
  // A set of the other family holds none of the packets that the rule sees.
  if (set.family !== family || set.elements.length === 0) return negated ? [[]] : [];
  const side = (at: number): Side => (sides[at] === "src" ? "source" : "destination");
  if (set.dimensions.length === 1 && set.dimensions[0] !== "port") {
    const ranges = addressesOf.get(set) ?? addresses(set);
    addressesOf.set(set, ranges);
    if (ranges.length === 0) return negated ? [[]] : [];
    return [[{ kind: "address", side: side(0), family, ranges, name: set.name, negated }]];
  }
  if (negated || set.elements.some(({ excluded }) => excluded)) return null;
  return disjoint(set) ? elementTests(set, side) : null;
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

/** Whether no packet can be two of the elements, which is sure where each is one address and one port. */
function disjoint({ elements }: IpSet): boolean {
  return elements.every(({ parts }) =>
    parts.every(
      (part) =>
        (part.kind === "address" && part.range.first === part.range.last) ||
        (part.kind === "port" && part.ports.first === part.ports.last),
    ),
  );
}

/** What a set of addresses holds: of elements that overlap the longest prefix decides, whether it is in or out. */
function addresses({ elements, family }: IpSet): readonly Range<bigint>[] {
  const bySize = new Map<bigint, { in: Range<bigint>[]; out: Range<bigint>[] }>();
  for (const { parts, excluded } of elements) {
    const [part] = parts;
    if (part?.kind !== "address") continue;
    const { first, last } = part.range;
    const sized = bySize.get(last - first) ?? { in: [], out: [] };
    sized[excluded ? "out" : "in"].push({ first, last });
    bySize.set(last - first, sized);
  }
  let held: readonly Range<bigint>[] = [];
  for (const [, { in: more, out }] of [...bySize].sort(([a], [b]) => (a < b ? 1 : -1))) {
    held = mergeRanges([...held, ...more]);
    if (out.length > 0) held = intersectRanges(held, complementAddresses(mergeRanges(out), family));
  }
  return held;
}

import type { Family, Range } from "../../address/ranges.ts";
import type { Span } from "../../source/source.ts";
import { type FamilyRange, rangeOf } from "../addresses.ts";
import { protocolOf, SCTP, TCP, UDP, UDPLITE } from "../names.ts";
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
  /** The ports that a bitmap has room for, whose elements are ports of any protocol; null for every other set. */
  readonly bitmap: Range<number> | null;
  readonly elements: readonly Element[];
  /** Elements come and go by themselves, or the set is of a kind that is not understood. */
  readonly uncertain: boolean;
}

export interface Element {
  readonly parts: readonly Part[];
  /** `nomatch`: what a wider element of the set holds is taken out again. */
  readonly excluded: boolean;
}

export type Part =
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
      // A set that is there already stays as it is; without the option the tool would stop.
      if (sets.has(name)) return words.includes("-exist", 3) ? null : `there is a set \`${name}\` already`;
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
  const bitmap = type === "bitmap:port" ? rangeOption(options) : null;
  const family = options[options.indexOf("family") + 1] === "inet6" && options.includes("family") ? 6 : 4;
  const uncertain =
    !/^(?:hash|bitmap):/.test(type) ||
    dimensions.some((dimension) => !ADDRESS_PARTS.has(dimension) && dimension !== "port") ||
    options.some((option) => ["timeout", "netmask", "bitmask", "markmask"].includes(option)) ||
    (type === "bitmap:port") !== (bitmap !== null);
  return { name, family, dimensions, bitmap, elements, uncertain };
}

function rangeOption(options: readonly string[]): Range<number> | null {
  return portRange(options[options.indexOf("range") + 1] ?? "", "-");
}

function readElement(set: IpSet, text: string, excluded: boolean): Element | null {
  if (set.uncertain) return { parts: [], excluded };
  const values = text.split(",");
  if (values.length !== set.dimensions.length) return null;
  const parts = set.dimensions.map((dimension, at) =>
    dimension === "port" ? portPart(values[at]!, set.bitmap) : addressPart(set.family, values[at]!),
  );
  return parts.every((part) => part !== null) ? { parts, excluded } : null;
}

function addressPart(family: Family, text: string): Part | null {
  const range = rangeOf(text);
  return range?.family === family ? { kind: "address", range } : null;
}

/** Protocols whose ports the kernel looks up in a hash (`get_port` in ip_set_getport.c). */
const HASHED_PROTOCOLS: ReadonlySet<number> = new Set([TCP, UDP, SCTP, UDPLITE]);

/** `tcp:80`, `udp:53-60`; a port alone is TCP's, or in a bitmap any protocol's. */
function portPart(text: string, bitmap: Range<number> | null): Part | null {
  const colon = text.indexOf(":");
  const protocol = colon < 0 ? TCP : protocolOf(text.slice(0, colon));
  if (protocol === null) return null;
  if (!HASHED_PROTOCOLS.has(protocol)) return { kind: "unknown" };
  const ports = portRange(text.slice(colon + 1), "-");
  if (bitmap !== null && ports !== null && (ports.first < bitmap.first || ports.last > bitmap.last))
    return null;
  return ports === null ? null : { kind: "port", protocol, ports };
}

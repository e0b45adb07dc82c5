import { printPrefix } from "../address/print.ts";
import type { Family, PortRanges, Range } from "../address/ranges.ts";
import type { Field, GroupedMatch, GroupedRule, GroupedRuleset, TupleMatch } from "../netfilter/grouped.ts";
import { cutToLengths, elementLengths, elementPrefixes, PROTOCOLS_IN_SETS } from "../netfilter/ipset.ts";
import type { AddressMatch } from "../netfilter/ruleset.ts";
import { fitsMultiport } from "./iptables-transport.ts";
import { printPorts, protocolName } from "./protocols.ts";
import { type Header, headerLines, headingLines, identifier } from "./text.ts";

/** The names of sets, by the array of what they hold: ranges of addresses, ranges of ports, or boxes. */
export type IpsetNames = ReadonlyMap<readonly unknown[], string>;

export interface Ipsets {
  /** For `ipset restore`. */
  readonly script: string;
  readonly names: IpsetNames;
}

/** A ruleset that was made legal for one family. */
export interface FamilyRuleset {
  readonly family: Family;
  readonly ruleset: GroupedRuleset;
}

/**
 * Prints the sets that rulesets ask, as the input of `ipset restore`. The name of a set says what it holds, by a hash: so
 * sets of the old and of the new script never get into each other's way, whatever is loaded first, and loading a script
 * twice changes nothing. Equal lists are one set, whichever family's rules ask for it.
 */
export function emitIpsets(rulesets: readonly FamilyRuleset[], header: Header): Ipsets {
  const names = new Map<readonly unknown[], string>();
  const declared = new Map<string, readonly string[]>();
  for (const { ruleset, family } of rulesets) {
    for (const { match, rule } of matchesOf(ruleset)) {
      const list = listOf(match);
      if (list === null || names.has(list.key)) continue;
      const content = contentOf(match, family);
      const name = nameOf(list.name ?? rule.group, content);
      names.set(list.key, name);
      if (!declared.has(name)) declared.set(name, [...headingLines(rule.origin), ...setLines(name, content)]);
    }
  }
  return { script: [...headerLines(header), ...[...declared.values()].flat(), ""].join("\n"), names };
}

function* matchesOf({ chains }: GroupedRuleset): Generator<{ match: GroupedMatch; rule: GroupedRule }> {
  for (const { rules } of chains)
    for (const rule of rules) for (const match of rule.matches) yield { match, rule };
}

/** What a test asks a set for; null where it asks none. */
function listOf(
  match: GroupedMatch,
): { readonly key: readonly unknown[]; readonly name: string | null } | null {
  switch (match.kind) {
    case "address":
      return match.ranges.length > 1 ? { key: match.ranges, name: match.name } : null;
    case "port":
      return fitsMultiport(match.ports) ? null : { key: match.ports, name: null };
    case "tuple":
      return { key: match.boxes, name: match.name };
    default:
      return null;
  }
}

interface Content {
  /** `hash:net family inet`, with all else that `create` is told. */
  readonly type: string;
  readonly elements: readonly string[];
}

function contentOf(match: GroupedMatch, family: Family): Content {
  switch (match.kind) {
    case "address":
      return addressContent(match);
    case "port":
      return portContent(match.ports);
    case "tuple":
      return tupleContent(match, family);
    default:
      throw new Error(`no set holds a ${match.kind}`);
  }
}

function addressContent({ family, ranges }: AddressMatch): Content {
  const prefixes = ranges.flatMap((range) => elementPrefixes(family, range));
  const lengths = elementLengths(prefixes);
  const elements = prefixes.flatMap((prefix) => cutToLengths(prefix, lengths, family));
  return hash(
    "hash:net",
    family,
    elements.map((prefix) => printPrefix(family, prefix)),
  );
}

function portContent(ports: PortRanges): Content {
  return { type: "bitmap:port range 0-65535", elements: ports.map((range) => printPorts(range, "-")) };
}

/** Elements of an address, a protocol and a port; of ports there is an element for each. */
function tupleContent({ fields, boxes }: TupleMatch, family: Family): Content {
  const address = placeOf(fields, "address");
  const protocol = placeOf(fields, "protocol");
  const port = placeOf(fields, "port");
  const prefixes = boxes.map((box) => elementPrefixes(family, box[address]!));
  const lengths = elementLengths(prefixes.flat());
  const elements = boxes.flatMap((box, at) => {
    const number = Number(box[protocol]!.first);
    if (!PROTOCOLS_IN_SETS.has(number)) throw new Error(`no set holds ports of protocol ${number}`);
    const name = protocolName(number);
    const ports = numbersIn(box[port]!);
    const cut = prefixes[at]!.flatMap((prefix) => cutToLengths(prefix, lengths, family));
    return cut.flatMap((prefix) => ports.map((number) => `${printPrefix(family, prefix)},${name}:${number}`));
  });
  return hash("hash:net,port", family, elements);
}

function placeOf(fields: readonly Field[], kind: Field["kind"]): number {
  const at = fields.findIndex((field) => field.kind === kind);
  if (at < 0 || fields.length !== 3) throw new Error("no set of the kernel has these fields");
  return at;
}

function numbersIn({ first, last }: Range<bigint>): readonly number[] {
  return Array.from({ length: Number(last - first) + 1 }, (_, at) => Number(first) + at);
}

/** The smallest table that the kernel makes, and the elements that it lets a set have where nothing is said. */
const LEAST_BUCKETS = 64;
const USUAL_ELEMENTS = 65_536;

/** A hash with about as many buckets as elements, so that few packets meet two elements in one. */
function hash(type: string, family: Family, elements: readonly string[]): Content {
  const buckets = Math.max(LEAST_BUCKETS, 2 ** Math.ceil(Math.log2(elements.length)));
  const most = Math.max(USUAL_ELEMENTS, elements.length);
  const inet = family === 4 ? "inet" : "inet6";
  return { type: `${type} family ${inet} hashsize ${buckets} maxelem ${most}`, elements };
}

/** The kernel keeps 31 bytes of a name: `ctc-`, what people call the list, and 64 bits of a hash of all that it holds. */
const WORDS = 13;
const DIGITS = 13;

function nameOf(words: string, { type, elements }: Content): string {
  // Loaded here, because it takes milliseconds that scripts without sets need not wait for.
  const { createHash } = process.getBuiltinModule("node:crypto");
  const digest = createHash("sha256")
    .update([type, ...elements].join("\n"))
    .digest("hex");
  const bits = BigInt(`0x${digest.slice(0, 16)}`)
    .toString(36)
    .padStart(DIGITS, "0");
  return `ctc-${identifier(words, "set", WORDS)}-${bits}`;
}

function setLines(name: string, { type, elements }: Content): readonly string[] {
  return [`create ${name} ${type} -exist`, ...elements.map((element) => `add ${name} ${element} -exist`)];
}

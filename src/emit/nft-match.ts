import { printRange } from "../address/print.ts";
import { complementPorts, type Family, type PortRanges } from "../address/ranges.ts";
import type { GroupedMatch, MappedRule, TupleMatch } from "../netfilter/grouped.ts";
import type { AddressMatch, IcmpMatch, Match, State } from "../netfilter/ruleset.ts";
import { type SetNames, tupleKey, tupleText } from "./nft-sets.ts";
import { printPorts, protocolName, TCP } from "./protocols.ts";
import { checkedDevice } from "./text.ts";

/** Protocols whose ports, flags or types nft asks for by the protocol's name: ICMP, TCP, UDP, DCCP, ICMPv6, SCTP, UDP-Lite. */
const protocolsWithTests: ReadonlySet<number> = new Set([1, 6, 17, 33, 58, 132, 136]);

/**
 * The order of the tests in a line: what is cheap and selective first. A limit comes last because asking it takes a
 * token, a `fib` lookup late because it walks the routing table.
 */
const ranks: { readonly [kind in GroupedMatch["kind"]]: number } = {
  family: 0,
  interface: 1,
  protocol: 2,
  port: 3,
  icmp: 3,
  opening: 4,
  state: 5,
  "dnat-status": 6,
  address: 7,
  tuple: 7,
  "address-type": 8,
  limit: 9,
};

/** The tests of a rule, in the order in which nft should make them; null when no packet can pass them all. */
export function matchText(rule: MappedRule, sets: SetNames): readonly string[] | null {
  const matches = familyFirst(rule);
  const implied = implications(matches);
  if (implied === null) return null;
  const texts: string[] = [];
  for (const match of matches.toSorted((a, b) => ranks[a.kind] - ranks[b.kind])) {
    const text = match.kind === "port" ? portText(match, matches, implied) : testText(match, implied, sets);
    if (text === null) return null;
    if (text !== "") texts.push(text);
  }
  return texts;
}

/** A translation to addresses of one family happens to packets of that family only; so does what is logged with it. */
function familyFirst({ matches, statement }: MappedRule): readonly GroupedMatch[] {
  if (statement.kind !== "snat" && statement.kind !== "dnat") return matches;
  if (matches.some((match) => match.kind === "family" && match.family === statement.family)) return matches;
  return [{ kind: "family", family: statement.family }, ...matches];
}

type PortMatch = Extract<Match, { kind: "port" }>;

/** The ports of a test, or those that it excludes, whichever are fewer: "all but these" is easier to read. */
function spelling({ ports, negated }: PortMatch): { readonly ports: PortRanges; readonly negated: boolean } {
  const others = complementPorts(ports);
  const byOthers = others.length > 0 && others.length < ports.length;
  return byOthers ? { ports: others, negated: !negated } : { ports, negated };
}

/** Whether a test would be said as `!= 80`. */
function excludesOne(match: PortMatch): boolean {
  const { ports, negated } = spelling(match);
  return negated && ports.length === 1 && ports[0]!.first === ports[0]!.last;
}

/**
 * From `sport != 61` and `dport != 80`, wherever they stand in a line, nft 1.0.6 makes one comparison of four bytes, which
 * passes where *either* differs. Where both would be said like that, the source ports are said one by one.
 */
function portText(match: PortMatch, all: readonly GroupedMatch[], implied: Implied): string | null {
  const header = implied.protocolNamed ? protocolName(implied.protocol!) : "th";
  const clash =
    match.side === "source" &&
    excludesOne(match) &&
    all.some((other) => other.kind === "port" && other.side === "destination" && excludesOne(other));
  const positive = match.negated ? complementPorts(match.ports) : match.ports;
  const { ports, negated } = clash ? { ports: positive, negated: false } : spelling(match);
  return test(
    `${header} ${match.side === "source" ? "sport" : "dport"}`,
    negated,
    ports.map((range) => printPorts(range, "-")),
  );
}

/** What some tests of a line say besides, because nft puts in what they depend on. */
interface Implied {
  /** An address or ICMP test says the family already. */
  readonly family: boolean;
  /** The only protocol that the rule matches, where there is one; then its port tests may name it. */
  readonly protocol: number | null;
  /** A port, flag or ICMP test names that protocol, so that it need not be said again. */
  readonly protocolNamed: boolean;
}

/** Null where the tests ask for two families or protocols at once: such a line never matches, and nft refuses it. */
function implications(matches: readonly GroupedMatch[]): Implied | null {
  const families = new Set<Family>();
  let protocols: readonly number[] | null = null;
  let family = false;
  let named = false;
  for (const match of matches) {
    if (match.kind === "address" || match.kind === "icmp") family = true;
    if (match.kind === "address" || match.kind === "icmp" || match.kind === "family")
      families.add(match.family);
    if (match.kind === "tuple")
      for (const field of match.fields)
        if (field.kind === "address") {
          family = true;
          families.add(field.family);
        }
    if (match.kind === "port" || match.kind === "opening" || match.kind === "icmp") named = true;
    const asked = askedProtocols(match);
    if (asked) protocols = protocols ? protocols.filter((protocol) => asked.includes(protocol)) : asked;
  }
  if (families.size === 2 || protocols?.length === 0) return null;
  const protocol = protocols?.length === 1 ? protocols[0]! : null;
  return { family, protocol, protocolNamed: named && protocol !== null && protocolsWithTests.has(protocol) };
}

function askedProtocols(match: GroupedMatch): readonly number[] | null {
  if (match.kind === "icmp") return [match.family === 4 ? 1 : 58];
  if (match.kind === "opening") return [TCP];
  return match.kind === "protocol" && !match.negated ? match.protocols : null;
}

/** Empty for a test that every packet passes, null for one that none does. */
function testText(match: Exclude<GroupedMatch, PortMatch>, implied: Implied, sets: SetNames): string | null {
  switch (match.kind) {
    case "family":
      return implied.family ? "" : `meta nfproto ipv${match.family}`;
    case "interface":
      return interfaceText(match);
    case "protocol": {
      if (implied.protocolNamed && !match.negated) return "";
      return test("meta l4proto", match.negated, [...new Set(match.protocols)].map(protocolName));
    }
    case "icmp":
      return icmpText(match.family, match.types);
    case "opening":
      return `tcp flags & (syn | ack) ${match.negated ? "!=" : "=="} syn`;
    case "state":
      return stateText(match);
    case "dnat-status":
      return "ct status dnat";
    case "address":
      return addressText(match, sets);
    case "tuple":
      return tupleTest(match, sets);
    case "address-type":
      return test(`fib ${match.side === "source" ? "saddr" : "daddr"} type`, match.negated, match.types);
    case "limit":
      return `limit rate ${match.count}/${match.unit} burst ${match.burst} packets`;
  }
}

/** `key value`, `key != value`, `key { a, b }`. */
function test(key: string, negated: boolean, values: readonly string[]): string {
  const value = values.length === 1 ? values[0]! : `{ ${values.join(", ")} }`;
  return `${key} ${negated ? "!= " : ""}${value}`;
}

function addressText({ family, side, ranges, negated }: AddressMatch, sets: SetNames): string {
  const key = `${family === 4 ? "ip" : "ip6"} ${side === "source" ? "saddr" : "daddr"}`;
  const use = sets.get(ranges);
  const values = use ? [`@${use.name}`] : ranges.map((range) => printRange(family, range));
  return test(key, negated, values);
}

/** The protocol of the ports is asked for beside them, so they are read from whatever header there is. */
function tupleTest({ fields, boxes }: TupleMatch, sets: SetNames): string {
  const use = sets.get(boxes);
  if (use) return `${tupleKey(fields, use.sizes)} @${use.name}`;
  return `${tupleKey(fields)} { ${boxes.map((box) => tupleText(fields, box)).join(", ")} }`;
}

/** nft has no word for "any device", and refuses elements of a set that overlap. */
function interfaceText({ side, devices, negated }: Match & { kind: "interface" }): string | null {
  if (devices.includes("*")) return negated ? null : "";
  const prefixes = devices.filter((device) => device.endsWith("*")).map((device) => device.slice(0, -1));
  const widest = devices.filter(
    (device) => !prefixes.some((prefix) => device.startsWith(prefix) && device !== `${prefix}*`),
  );
  const values = [...new Set(widest)].map((device) => `"${checkedDevice(device)}"`);
  return test(side === "in" ? "iifname" : "oifname", negated, values);
}

/** Types alone, or types with codes as pairs: two separate tests would be merged into a wrong one. */
function icmpText(family: Family, types: readonly IcmpMatch[]): string {
  const header = family === 4 ? "icmp" : "icmpv6";
  const whole = new Set(types.filter(({ code }) => code === null).map(({ type }) => type));
  if (types.every(({ code }) => code === null)) return test(`${header} type`, false, [...whole].map(String));
  const single = types[0]!;
  if (types.length === 1) return `${header} type ${single.type} ${header} code ${single.code}`;
  // A pair whose type stands there with every code would overlap it, which a set refuses.
  const pairs = types
    .filter(({ type, code }) => code === null || !whole.has(type))
    .map(({ type, code }) => `${type} . ${code ?? "0-255"}`);
  return `${header} type . ${header} code { ${[...new Set(pairs)].join(", ")} }`;
}

const everyState: readonly State[] = ["established", "related", "new", "invalid", "untracked"];

/** Exactly one state holds, so `not a` is said as the others: `!=` has meant different things to different nfts. */
function stateText({ states, negated }: Match & { kind: "state" }): string | null {
  const wanted = everyState.filter((state) => states.includes(state) !== negated);
  if (wanted.length === 0) return null;
  return wanted.length === everyState.length ? "" : `ct state ${wanted.join(",")}`;
}

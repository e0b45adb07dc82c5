import type { Family, PortRanges } from "../address/ranges.ts";
import type { GroupedMatch } from "../netfilter/grouped.ts";
import type { IcmpMatch, Match, Side } from "../netfilter/ruleset.ts";
import type { IpsetNames } from "./ipset.ts";
import { atMostOne, not, ofKind, unsayable } from "./iptables-options.ts";
import { printPorts, protocolName, TCP, UDP } from "./protocols.ts";

/** Ports that one `multiport` takes; a range counts for two. */
const MULTIPORT_SLOTS = 15;

/** Whether one `multiport` takes some ports. */
export function fitsMultiport(ports: PortRanges): boolean {
  return ports.reduce((sum, { first, last }) => sum + (first === last ? 1 : 2), 0) <= MULTIPORT_SLOTS;
}

/**
 * Protocol, ports, TCP flags and ICMP type: tests that mean something behind their `-p` only. Ports that have a name are
 * asked for in a set. Throws as its caller does.
 */
export function transportOptions(
  matches: readonly GroupedMatch[],
  family: Family,
  names: IpsetNames,
): readonly string[] {
  const protocol = atMostOne(ofKind(matches, "protocol"), "protocol");
  const icmp = atMostOne(ofKind(matches, "icmp"), "ICMP type");
  const hasPorts = ["port", "opening"].some((kind) => matches.some((match) => match.kind === kind));
  if (icmp) {
    if (icmp.family !== family) unsayable("ICMP of the other family");
    if (protocol || hasPorts) unsayable("ICMP of another protocol");
    return icmpOptions(icmp.types, family);
  }
  if (hasPorts && (!protocol || protocol.negated)) unsayable("ports of no protocol");
  if (!protocol) return [];
  if (protocol.protocols.length !== 1) unsayable("several protocols");
  const number = protocol.protocols[0]!;
  if (number === 0) return [protocolZero(family, protocol.negated)];
  const test = `${not(protocol.negated)}-p ${protocolName(number)}`;
  const plain = matches.filter((match) => match.kind !== "port" || !names.has(match.ports));
  return [test, ...headerOptions(plain, number), ...multiportOptions(plain, number)];
}

/** What the extension of TCP or UDP itself can test. */
function headerOptions(matches: readonly GroupedMatch[], protocol: number): readonly string[] {
  const ports = (["source", "destination"] as const).flatMap((side) => {
    const tests = ofKind(matches, "port").filter(
      (match) => match.side === side && isPlain(match, matches, protocol),
    );
    const test = atMostOne(tests, `${side} port`);
    return test ? [`${not(test.negated)}--${letter[side]}port ${printPorts(test.ports[0]!, ":")}`] : [];
  });
  const opening = atMostOne(ofKind(matches, "opening"), "TCP flags");
  if (opening && protocol !== TCP) unsayable("flags of another protocol than TCP");
  const flags = opening ? [`${not(opening.negated)}--tcp-flags SYN,ACK SYN`] : [];
  const options = [...ports, ...flags];
  return options.length > 0 ? [`-m ${protocolName(protocol)} ${options.join(" ")}`] : [];
}

/** `multiport` serves every protocol with ports; iptables has no extension for UDP-Lite, a kernel may lack SCTP's. */
function multiportOptions(matches: readonly GroupedMatch[], protocol: number): readonly string[] {
  return ofKind(matches, "port")
    .filter((match) => !isPlain(match, matches, protocol))
    .map(({ side, ports, negated }) => {
      if (!fitsMultiport(ports)) unsayable("so many ports");
      const list = ports.map((range) => printPorts(range, ":")).join(",");
      return `-m multiport ${not(negated)}--${letter[side]}ports ${list}`;
    });
}

/** Whether the extension of TCP or UDP can make a test, so that `multiport` need not. */
function isPlain(test: PortMatch, matches: readonly GroupedMatch[], protocol: number): boolean {
  if (test.ports.length !== 1 || (protocol !== TCP && protocol !== UDP)) return false;
  // From `! --sport 61 ! --dport 80` iptables-nft 1.8.9 makes one comparison of four bytes, which passes where *either*
  // differs. It leaves `multiport` alone.
  const clash =
    test.side === "destination" &&
    excludesOne(test) &&
    ofKind(matches, "port").some((other) => other.side === "source" && excludesOne(other));
  return !clash;
}

type PortMatch = Extract<Match, { kind: "port" }>;

function excludesOne({ ports, negated }: PortMatch): boolean {
  return negated && ports.length === 1 && ports[0]!.first === ports[0]!.last;
}

const letter: { readonly [side in Side]: string } = { source: "s", destination: "d" };

/**
 * iptables takes `-p 0` for every protocol, so the byte of the IPv4 header is looked at itself. No IPv6 packet has
 * protocol 0, which is an extension header; the first word of its header is never 0 either.
 */
function protocolZero(family: Family, negated: boolean): string {
  return `-m u32 ${not(negated)}--u32 "${family === 4 ? "0x6&0xff=0x0" : "0x0=0x0"}"`;
}

function icmpOptions(types: readonly IcmpMatch[], family: Family): readonly string[] {
  if (types.length !== 1) unsayable("several ICMP types");
  const { type, code } = types[0]!;
  const text = code === null ? `${type}` : `${type}/${code}`;
  if (family === 6) return ["-p ipv6-icmp", `-m icmp6 --icmpv6-type ${text}`];
  if (type !== 255) return ["-p icmp", `-m icmp --icmp-type ${text}`];
  // The kernel takes ICMP type 255 for every type, so the bytes behind the IPv4 header are looked at themselves.
  const bytes = code === null ? "0x18=0xff" : `0x10=0x${(0xff00 + code).toString(16)}`;
  return ["-p icmp", `-m u32 --u32 "0x0>>0x16&0x3c@0x0>>${bytes}"`];
}

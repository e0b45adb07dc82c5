import { printRange } from "../address/print.ts";
import type { Family } from "../address/ranges.ts";
import type { AddressMatch, IcmpMatch, Match } from "../netfilter/ruleset.ts";
import { printPorts, protocolName, TCP, UDP } from "./protocols.ts";
import { checkedDevice } from "./text.ts";

/** Ports that one `multiport` takes; a range counts for two. */
export const MULTIPORT_SLOTS = 15;

/**
 * The tests of one line. Throws where a test asks for more than a line can: that the rule was not made legal before is
 * a mistake of this program, and leaving a test out would open the host.
 */
export function matchOptions(matches: readonly Match[], family: Family): readonly string[] {
  return [
    ...interfaceOptions(matches),
    ...addressOptions(matches, family),
    ...transportOptions(matches, family),
    ...of(matches, "address-type").map(addressTypeOptions),
    ...of(matches, "state").map(
      ({ states, negated }) => `-m conntrack ${not(negated)}--ctstate ${states.join(",").toUpperCase()}`,
    ),
    ...of(matches, "dnat-status").map(() => "-m conntrack --ctstate DNAT"),
    ...of(matches, "limit").map(
      ({ count, unit, burst }) => `-m limit --limit ${count}/${unit} --limit-burst ${burst}`,
    ),
  ];
}

function of<K extends Match["kind"]>(matches: readonly Match[], kind: K): readonly (Match & { kind: K })[] {
  return matches.filter((match): match is Match & { kind: K } => match.kind === kind);
}

function not(negated: boolean): string {
  return negated ? "! " : "";
}

function unsayable(what: string): never {
  throw new Error(`one iptables rule cannot say ${what}`);
}

/** The only test of its kind, where a second one would replace the first without a word. */
function only<M>(found: readonly M[], what: string): M | undefined {
  return found.length > 1 ? unsayable(`two tests of the ${what}`) : found[0];
}

function interfaceOptions(matches: readonly Match[]): readonly string[] {
  return (["in", "out"] as const).flatMap((side) => {
    const match = only(
      of(matches, "interface").filter((candidate) => candidate.side === side),
      `${side} interface`,
    );
    if (!match) return [];
    const device =
      match.devices.length === 1 ? checkedDevice(match.devices[0]!) : unsayable("several devices");
    return [`${not(match.negated)}-${side === "in" ? "i" : "o"} ${device.replace("*", "+")}`];
  });
}

/** The kernel tests `-s` before it calls any extension, so a prefix is cheaper than a range. */
function addressOptions(matches: readonly Match[], family: Family): readonly string[] {
  const prefixes: string[] = [];
  const ranges: string[] = [];
  for (const match of of(matches, "address")) {
    const text = addressText(match, family);
    const source = match.side === "source";
    if (text.includes("-")) {
      ranges.push(`-m iprange ${not(match.negated)}${source ? "--src-range" : "--dst-range"} ${text}`);
    } else prefixes.push(`${not(match.negated)}${source ? "-s" : "-d"} ${text}`);
  }
  only(
    prefixes.filter((option) => option.includes("-s ")),
    "source",
  );
  only(
    prefixes.filter((option) => option.includes("-d ")),
    "destination",
  );
  return [...prefixes, ...ranges];
}

function addressText(match: AddressMatch, family: Family): string {
  if (match.family !== family) unsayable("an address of the other family");
  return match.ranges.length === 1 ? printRange(family, match.ranges[0]!) : unsayable("several addresses");
}

/** Protocol, ports, TCP flags and ICMP type: tests that only mean something behind their `-p`. */
function transportOptions(matches: readonly Match[], family: Family): readonly string[] {
  const icmp = only(of(matches, "icmp"), "ICMP type");
  if (icmp)
    return icmpOptions(icmp.family === family ? icmp.types : unsayable("ICMP of the other family"), family);
  const protocol = only(of(matches, "protocol"), "protocol");
  if (!protocol) return portless(matches);
  if (protocol.protocols.length !== 1) unsayable("several protocols");
  const number = protocol.protocols[0]!;
  if (number === 0) return [...portless(matches), hopByHop(family, protocol.negated)];
  const test = `${not(protocol.negated)}-p ${protocolName(number)}`;
  if (protocol.negated) return [...portless(matches), test];
  const own: string[] = [];
  const multiport: string[] = [];
  for (const { side, ports, negated } of of(matches, "port")) {
    const letter = side === "source" ? "s" : "d";
    if (ports.length === 1 && (number === TCP || number === UDP)) {
      own.push(`${not(negated)}--${letter}port ${printPorts(ports[0]!, ":")}`);
    } else {
      if (slotsOf(ports) > MULTIPORT_SLOTS) unsayable("so many ports");
      const list = ports.map((range) => printPorts(range, ":")).join(",");
      multiport.push(`-m multiport ${not(negated)}--${letter}ports ${list}`);
    }
  }
  only(
    own.filter((option) => option.includes("--sport")),
    "source port",
  );
  only(
    own.filter((option) => option.includes("--dport")),
    "destination port",
  );
  const opening = only(of(matches, "opening"), "TCP flags");
  if (opening) own.push(`${not(opening.negated)}--tcp-flags SYN,ACK SYN`);
  return [test, ...(own.length > 0 ? [`-m ${protocolName(number)} ${own.join(" ")}`] : []), ...multiport];
}

/** How many of the slots of one `multiport` some ports take. */
export function slotsOf(ports: readonly { readonly first: number; readonly last: number }[]): number {
  return ports.reduce((slots, { first, last }) => slots + (first === last ? 1 : 2), 0);
}

function portless(matches: readonly Match[]): readonly string[] {
  if (matches.some(({ kind }) => kind === "port" || kind === "opening")) unsayable("ports of no protocol");
  return [];
}

/** iptables takes `-p 0` for every protocol, so the byte of the IPv4 header is looked at itself. */
function hopByHop(family: Family, negated: boolean): string {
  if (family === 6) unsayable("protocol 0 of IPv6, which is an extension header");
  return `-m u32 ${not(negated)}--u32 "0x6&0xff=0x0"`;
}

function icmpOptions(types: readonly IcmpMatch[], family: Family): readonly string[] {
  if (types.length !== 1) unsayable("several ICMP types");
  const { type, code } = types[0]!;
  if (family === 6) return [`-p ipv6-icmp -m icmp6 --icmpv6-type ${type}${code === null ? "" : `/${code}`}`];
  if (type !== 255) return [`-p icmp -m icmp --icmp-type ${type}${code === null ? "" : `/${code}`}`];
  // The kernel takes ICMP type 255 for every type, so the bytes behind the IPv4 header are looked at themselves.
  const bytes =
    code === null
      ? "0x0>>0x16&0x3c@0x0>>0x18=0xff"
      : `0x0>>0x16&0x3c@0x0>>0x10=0x${(0xff00 + code).toString(16)}`;
  return [`-p icmp -m u32 --u32 "${bytes}"`];
}

/** `ip6tables` refuses BROADCAST, which IPv6 does not have; legal rulesets do not ask for it there. */
function addressTypeOptions({ side, types, negated }: Match & { kind: "address-type" }): string {
  const option = side === "source" ? "--src-type" : "--dst-type";
  return `-m addrtype ${not(negated)}${option} ${types.join(",").toUpperCase()}`;
}

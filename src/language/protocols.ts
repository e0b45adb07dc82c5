/** The IANA numbers of the protocols that a policy can name; everything else is written as a number. */
const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["icmp4", 1],
  ["igmp", 2],
  ["ipip", 4],
  ["tcp", 6],
  ["egp", 8],
  ["udp", 17],
  ["dccp", 33],
  ["ipv6", 41],
  ["rsvp", 46],
  ["gre", 47],
  ["esp", 50],
  ["ah", 51],
  ["icmp6", 58],
  ["eigrp", 88],
  ["ospf", 89],
  ["etherip", 97],
  ["pim", 103],
  ["ipcomp", 108],
  ["vrrp", 112],
  ["l2tp", 115],
  ["sctp", 132],
  ["udplite", 136],
  ["mpls", 137],
]);

/** Other spellings that administrators know, from `/etc/protocols` and the tools; they mean what stands beside them. */
const OTHER_SPELLINGS: ReadonlyMap<string, string> = new Map([
  ["ipv6-icmp", "icmp6"],
  ["icmpv6", "icmp6"],
  ["udp-lite", "udplite"],
  ["ipencap", "ipip"],
]);

/** Every word that stands for a protocol, `icmp` included, in the order for people to read. */
export const PROTOCOL_NAMES: readonly string[] = [
  "tcp",
  "udp",
  "icmp",
  ...[...PROTOCOLS.keys()].filter((name) => name !== "tcp" && name !== "udp"),
  ...OTHER_SPELLINGS.keys(),
];

/** What a protocol word stands for: a number, or `"icmp"` for ICMP on IPv4 and ICMPv6 on IPv6; null for other words. */
export function protocolNamed(name: string): number | "icmp" | null {
  if (name === "icmp") return "icmp";
  return PROTOCOLS.get(OTHER_SPELLINGS.get(name) ?? name) ?? null;
}

/** The name of a protocol; null where it has none. */
export function nameOfProtocol(protocol: number | "icmp"): string | null {
  if (protocol === "icmp") return "icmp";
  for (const [name, number] of PROTOCOLS) if (number === protocol) return name;
  return null;
}

const WITH_PORTS = ["tcp", "udp", "udplite", "sctp", "dccp"] as const;

/** Whether packets of a protocol have ports that the kernel's tools can match and NAT can change. */
export function hasPorts(protocol: number | "icmp"): boolean {
  return WITH_PORTS.some((name) => PROTOCOLS.get(name) === protocol);
}

/** For messages. */
export const PROTOCOLS_WITH_PORTS: readonly string[] = WITH_PORTS;

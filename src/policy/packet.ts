import type { Family } from "../address/ranges.ts";

/**
 * The way of a packet through the host. Each packet takes exactly one: it is delivered here, sent from here, passed on,
 * or sent from here to here.
 */
export type Path = "input" | "output" | "forward" | "loopback";

/** The device that carries what a host sends to itself. */
export const LOOPBACK = "lo";

/** IANA protocol numbers that mean something to the compiler. */
export const ICMP = 1;
export const TCP = 6;
export const ICMPV6 = 58;

/** Protocols whose packets have ports: TCP, UDP, DCCP, SCTP, UDP-Lite. */
export const PROTOCOLS_WITH_PORTS: ReadonlySet<number> = new Set([TCP, 17, 33, 132, 136]);

/** A packet as the rules see it. */
export interface Packet {
  readonly family: Family;
  readonly path: Path;
  /** Device it arrived on; null for what this host sends. On `loopback` both devices are `lo`. */
  readonly in: string | null;
  /** Device it leaves by; null for what is delivered here. */
  readonly out: string | null;
  readonly source: bigint;
  readonly destination: bigint;
  readonly protocol: number;
  /** Null where the protocol has no ports. */
  readonly sourcePort: number | null;
  readonly destinationPort: number | null;
  /** Null for what is neither ICMP on IPv4 nor ICMPv6 on IPv6. */
  readonly icmp: { readonly type: number; readonly code: number } | null;
  /** TCP with SYN and without ACK. */
  readonly opening: boolean;
}

/** The state that connection tracking gives a packet, if the packet is tracked. */
export type TrackedState = "new" | "established" | "related" | "invalid";

/** Whether a device is one of a list, in which a trailing `*` stands for every device that starts so. */
export function matchesDevice(device: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith("*") ? device.startsWith(pattern.slice(0, -1)) : device === pattern,
  );
}

/**
 * Neighbour discovery and multicast listener discovery, ICMPv6 types 130–136 and 143. Connection tracking leaves them
 * untracked whatever any rule says (`noct_valid_new` in the kernel's nf_conntrack_proto_icmpv6.c).
 */
export const NEIGHBOUR_DISCOVERY: readonly number[] = [130, 131, 132, 133, 134, 135, 136, 143];

/**
 * The ICMP errors that path-MTU discovery and traceroute need, by family: unreachable, time exceeded and parameter
 * problem, on IPv6 packet-too-big as well (RFC 4890, 4.3.1). Redirects are none of them.
 */
export const ICMP_ERRORS: Readonly<Record<Family, readonly number[]>> = { 4: [3, 11, 12], 6: [1, 2, 3, 4] };

/** Whether the kernel never tracks this packet. */
export function isNeighbourDiscovery({ family, icmp }: Pick<Packet, "family" | "icmp">): boolean {
  return family === 6 && icmp !== null && NEIGHBOUR_DISCOVERY.includes(icmp.type);
}

/** Whether this packet reports an error about another one. */
export function isIcmpError({ family, icmp }: Pick<Packet, "family" | "icmp">): boolean {
  return icmp !== null && ICMP_ERRORS[family].includes(icmp.type);
}

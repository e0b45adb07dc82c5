import type { Range } from "../address/ranges.ts";

/**
 * Protocols that both tools know by name without asking `/etc/protocols`, which may be missing or differ on the machine
 * that loads a script. Every other protocol is printed as its number.
 */
const names: ReadonlyMap<number, string> = new Map([
  [1, "icmp"],
  [6, "tcp"],
  [17, "udp"],
  [33, "dccp"],
  [50, "esp"],
  [51, "ah"],
  [58, "ipv6-icmp"],
  [132, "sctp"],
  [136, "udplite"],
]);

export const TCP = 6;
export const UDP = 17;

/** The name or number of an IANA protocol number. */
export function protocolName(protocol: number): string {
  return names.get(protocol) ?? `${protocol}`;
}

/** `80`, or `80-90` with the separator of the syntax at hand. */
export function printPorts(range: Range<number>, separator: string): string {
  return range.first === range.last ? `${range.first}` : `${range.first}${separator}${range.last}`;
}

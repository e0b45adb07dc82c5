import { icmpReverse } from "./mirror.ts";
import type { Packet, Path } from "./packet.ts";

/** The path that the reply of a packet takes through the same host, routing being symmetric. */
export const REVERSE_PATH: Readonly<Record<Path, Path>> = {
  input: "output",
  output: "input",
  forward: "forward",
  loopback: "loopback",
};

/**
 * The packet that answers this one: ends, ports and devices swapped, ICMP types reversed, over TCP any segment that is
 * no opening. Null for ICMP types that nothing answers.
 */
export function replyTo(packet: Packet): Packet | null {
  const type = packet.icmp ? icmpReverse(packet.family, packet.icmp.type) : undefined;
  if (packet.icmp && type === undefined) return null;
  return {
    ...packet,
    path: REVERSE_PATH[packet.path],
    in: packet.out,
    out: packet.in,
    source: packet.destination,
    destination: packet.source,
    sourcePort: packet.destinationPort,
    destinationPort: packet.sourcePort,
    icmp: type === undefined || !packet.icmp ? null : { type, code: packet.icmp.code },
    opening: false,
  };
}

import { printAddress } from "../address/print.ts";
import type { Family } from "../address/ranges.ts";
import { ICMP_TYPES } from "../language/icmp.ts";
import { nameOfProtocol } from "../language/protocols.ts";
import type { Packet } from "./packet.ts";

/** `tcp 10.1.2.3:40000 > 192.0.2.1:11211 in eth0 flags syn`: a packet as `ctc trace` reads it. */
export function describePacket(packet: Packet): string {
  const { family, protocol, icmp, opening } = packet;
  const end = (address: bigint, port: number | null): string => {
    const text = printAddress(family, address);
    if (port === null) return text;
    return family === 4 ? `${text}:${port}` : `[${text}]:${port}`;
  };
  return [
    icmp ? "icmp" : (nameOfProtocol(protocol) ?? String(protocol)),
    end(packet.source, packet.sourcePort),
    ">",
    end(packet.destination, packet.destinationPort),
    ...(icmp ? [describeIcmp(family, icmp.type, icmp.code)] : []),
    ...(packet.path === "loopback" ? ["in lo"] : []),
    ...(packet.path !== "loopback" && packet.in !== null ? [`in ${packet.in}`] : []),
    ...(packet.path !== "loopback" && packet.out !== null ? [`out ${packet.out}`] : []),
    ...(opening ? ["flags syn"] : []),
  ].join(" ");
}

/** The name of an ICMP type where it has one and its code is the usual 0; otherwise the numbers. */
function describeIcmp(family: Family, type: number, code: number): string {
  if (code === 0)
    for (const [name, { v4, v6 }] of ICMP_TYPES) {
      const named = family === 4 ? v4 : v6;
      if (named?.type === type && named.code === null) return name;
    }
  return `${type}/${code}`;
}

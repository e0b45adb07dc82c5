import { parseAddress } from "../../../src/address/parse.ts";
import { printAddress } from "../../../src/address/print.ts";
import { describePacket } from "../../../src/policy/describe.ts";
import { isNeighbourDiscovery, type Packet, TCP, type TrackedState } from "../../../src/policy/packet.ts";
import { parsePacket } from "../../../src/policy/parse-packet.ts";
import type { AddressSet } from "../../../src/policy/policy.ts";
import { DEVICES, type Device, type Injection, LINK_LOCAL, OWN, SERVICE } from "../crossroads.ts";
import { SEQUENCE } from "../observer.ts";
import { buildPacket, type Content, fragment, type TcpFlag } from "../packets.ts";
import { dccpRequest, sctpInit, udpLite, unspoken } from "./transports.ts";

/** A packet as the rules see it, and what they do not ask. */
export interface Shot {
  readonly packet: Packet;
  /** TCP flags; empty for other protocols. */
  readonly flags: readonly TcpFlag[];
  /** It arrives in two fragments. */
  readonly fragmented: boolean;
  /** Where it leaves if its destination is translated to another host's. */
  readonly via: Device;
  /** ICMP identifier of the flow that it belongs to; null where it begins one. */
  readonly identifier: number | null;
  /** What an ICMP error is about, from the IP header on; null for every other packet. */
  readonly about: Buffer | null;
}

/** TCP flags of openings and of other packets, by what conntrack makes of them where it knows no flow. */
export const TCP_FLAGS: readonly { readonly flags: readonly TcpFlag[]; readonly state: TrackedState }[] = [
  { flags: ["syn"], state: "new" },
  { flags: ["syn", "psh"], state: "new" },
  { flags: ["syn", "fin"], state: "invalid" },
  // Flows are picked up in the middle (`nf_conntrack_tcp_loose`).
  { flags: ["ack"], state: "new" },
  { flags: ["psh", "ack"], state: "new" },
  { flags: ["syn", "ack"], state: "invalid" },
  { flags: ["rst"], state: "invalid" },
  { flags: ["fin", "ack"], state: "invalid" },
];

const UDP_LITE = 136;

/** Requests that open a flow (`valid_new` in nf_conntrack_proto_icmp.c and its IPv6 twin). */
const OPENING_TYPES: Readonly<Record<4 | 6, readonly number[]>> = { 4: [8, 13, 15, 17], 6: [128, 139] };

/** The state that the kernel gives to a packet that it tracks and that belongs to no flow. */
export function firstState({ packet, flags }: Shot): TrackedState {
  if (packet.icmp) return OPENING_TYPES[packet.family].includes(packet.icmp.type) ? "new" : "invalid";
  // Conntrack checks the checksum of what arrives as if it were UDP's, whose pseudo-header names another protocol.
  if (packet.protocol === UDP_LITE && (packet.path === "input" || packet.path === "forward"))
    return "invalid";
  if (packet.protocol !== TCP) return "new";
  const known = TCP_FLAGS.find((one) => one.flags.join() === flags.join());
  if (!known) throw new Error(`nobody has looked at TCP packets with ${flags.join()}`);
  return known.state;
}

/** ICMP types about which no error is sent: errors, and on IPv4 whatever the kernel does not know (`icmp_pointers`). */
const isAsked = (family: 4 | 6, type: number): boolean =>
  family === 4 ? [0, 8, 13, 14, 15, 16, 17, 18].includes(type) : type >= 128;

/** Whether the host can tell a sender that it rejects this packet: there are no errors about errors, resets or groups. */
export function isAnswerable({ packet, flags }: Shot): boolean {
  const { family, icmp, destination } = packet;
  if (isGroup(family, destination) || flags.includes("rst")) return false;
  return icmp === null || isAsked(family, icmp.type);
}

/** The packet on its way into the host. */
export function injection(shot: Shot, tag: number): Injection {
  const { packet, fragmented, via } = shot;
  const plan = {
    source: printAddress(packet.family, packet.source),
    destination: printAddress(packet.family, packet.destination),
    content: contentOf(shot, tag),
    tag,
    service: SERVICE[via],
  };
  const whole = buildPacket(plan);
  return {
    device: packet.path === "output" || packet.path === "loopback" ? null : packet.in,
    packets: fragmented ? fragment(whole, 8) : [whole],
  };
}

function contentOf({ packet, flags, identifier, about }: Shot, tag: number): Content {
  const { protocol, icmp, family } = packet;
  const sourcePort = packet.sourcePort ?? 0;
  const destinationPort = packet.destinationPort ?? 0;
  if (icmp && about) return { kind: "icmp", ...icmp, rest: 0, body: about };
  // The tag tells flows of ICMP apart.
  if (icmp) return { kind: "icmp", ...icmp, rest: ((identifier ?? tag) << 16) >>> 0 };
  switch (protocol) {
    case TCP: {
      const sequence = tag * SEQUENCE;
      return { kind: "tcp", sourcePort, destinationPort, flags, sequence, acknowledgement: sequence };
    }
    case 17:
      return { kind: "udp", sourcePort, destinationPort };
    case 33:
      return { kind: "other", protocol, body: dccpRequest(sourcePort, destinationPort) };
    case 132:
      return { kind: "other", protocol, body: sctpInit(sourcePort, destinationPort) };
    case UDP_LITE: {
      const { source, destination } = packet;
      return {
        kind: "other",
        protocol,
        body: udpLite(family, source, destination, sourcePort, destinationPort),
      };
    }
    default:
      return { kind: "other", protocol, body: unspoken(family, protocol, packet.source, packet.destination) };
  }
}

/** `tcp 10.0.0.2:53 > 10.0.0.1:80 in eth0 flags syn`, with `in fragments` and `via DEVICE` where they say something. */
export function describeShot({ packet, flags, fragmented, via }: Shot): string {
  const text = describePacket(packet).replace(/ flags syn$/, "");
  return [
    text,
    ...(flags.length > 0 ? [`flags ${flags.join(",")}`] : []),
    ...(fragmented ? ["fragmented"] : []),
    ...(packet.out !== via && via !== DEVICES[0] ? [`via ${via}`] : []),
  ].join(" ");
}

/** Reads what `describeShot` writes. */
export function parseShot(text: string, self: AddressSet | null): Shot {
  const via = / via (\S+)/.exec(text)?.[1] as Device | undefined;
  const packet = parsePacket(text.replace(/ via \S+| fragmented/g, ""), self);
  if ("fault" in packet) throw new Error(`${text}: ${packet.fault}`);
  const flags = (/ flags (\S+)/.exec(text)?.[1]?.split(",") ?? []) as TcpFlag[];
  return {
    packet,
    flags,
    fragmented: text.includes(" fragmented"),
    via: via ?? (packet.out === "lo" ? null : (packet.out as Device | null)) ?? DEVICES[0],
    identifier: null,
    about: null,
  };
}

const OWN_ADDRESSES: Readonly<Record<4 | 6, ReadonlySet<bigint>>> = {
  4: ownAddresses(4),
  6: ownAddresses(6),
};

function ownAddresses(family: 4 | 6): ReadonlySet<bigint> {
  return new Set([
    ...DEVICES.map((device) => addressOf(OWN[device][family])),
    ...(family === 6 ? [addressOf(LINK_LOCAL)] : []),
  ]);
}

/** An address as a number. */
export function addressOf(text: string): bigint {
  const parsed = parseAddress(text);
  if (!parsed.ok) throw new Error(`${text} is no address`);
  return parsed.first;
}

/** Whether an address is one of the host's. */
export function isOwn(family: 4 | 6, address: bigint): boolean {
  return OWN_ADDRESSES[family].has(address);
}

/** Multicast and broadcast as the host sees them. */
export function isGroup(family: 4 | 6, address: bigint): boolean {
  if (family === 6) return address >> 120n === 0xffn;
  return (
    address >> 28n === 14n ||
    address === 0xffff_ffffn ||
    ((address & 0xffn) === 0xffn && isOwn(4, (address & ~0xffn) + 1n))
  );
}

/** Whether the kernel never tracks the packet. */
export function isNeverTracked({ packet }: Shot): boolean {
  return isNeighbourDiscovery(packet);
}

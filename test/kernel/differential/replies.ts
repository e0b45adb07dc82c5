import type { Packet } from "../../../src/policy/packet.ts";
import { ICMP, ICMPV6, LOOPBACK, TCP } from "../../../src/policy/packet.ts";
import { REVERSE_PATH, replyTo } from "../../../src/policy/reply.ts";
import type { Device } from "../crossroads.ts";
import type { End } from "../observer.ts";
import { addressOf, isOwn, type Shot } from "./shots.ts";

/** Transports whose second packet is more than the first one turned round, and UDP-Lite, of which conntrack believes none. */
const ELABORATE: readonly number[] = [33, 132, 136];

/** ICMPv6 node information query. */
const NODE_INFORMATION = 139;

/**
 * What answers a packet that came to its end, as it sets out: to the ends that the packet had on the wire, which NAT may
 * have given it. Null for what nobody answers, and for what this laboratory cannot.
 */
export function answerTo(shot: Shot, end: End): Shot | null {
  const wire = onWire(shot, end);
  const reply = replyTo(wire);
  if (!reply || ELABORATE.includes(wire.protocol) || !isPlain(shot)) return null;
  // Source NAT, also to the same address, gives such a question another identifier in the table and not in the packet, and
  // so loses the answer.
  if (wire.icmp?.type === NODE_INFORMATION && end.state !== "untracked") return null;
  const { family, source, destination } = reply;
  const back = (shot.packet.in === LOOPBACK ? shot.via : (shot.packet.in ?? shot.via)) as Device;
  const arrives = end.path === "forward" || end.path === "output";
  // Raw sees where an answer goes before NAT has found out where it belongs.
  const path = arrives ? (isOwn(family, destination) ? "input" : "forward") : REVERSE_PATH[wire.path];
  if (!arrives && !isOwn(family, source) && end.path !== "loopback") return null;
  return {
    packet: {
      ...reply,
      // Conntrack takes a reply with another code for no reply.
      icmp: reply.icmp && wire.icmp ? { type: reply.icmp.type, code: wire.icmp.code } : null,
      path,
      in: path === "loopback" ? LOOPBACK : arrives ? wire.out : null,
      out: path === "loopback" ? LOOPBACK : path === "input" ? null : back,
    },
    flags: wire.protocol !== TCP ? [] : shot.packet.opening ? ["syn", "ack"] : ["ack"],
    fragmented: false,
    via: back,
    identifier: wire.icmp ? identifierOf(end) : null,
    about: null,
  };
}

function identifierOf({ packet: { family, bytes } }: End): number {
  return bytes.readUInt16BE(family === 4 ? 24 : 44);
}

/** A later packet of a flow that was opened, from the side that opened it; `tag` is that of its first packet. */
export function laterPacket(shot: Shot, tag: number): Shot {
  return {
    ...shot,
    packet: { ...shot.packet, opening: false },
    flags: shot.packet.protocol === TCP ? ["ack"] : [],
    fragmented: false,
    identifier: shot.packet.icmp ? tag : null,
  };
}

/** An error that a router sends about a packet that it got; null where the packet did not leave by a cable, or NAT changed it. */
export function errorAbout(shot: Shot, end: End): Shot | null {
  const wire = onWire(shot, end);
  const { family, source, destination } = shot.packet;
  if ((end.path !== "forward" && end.path !== "output") || !isPlain(shot) || wire.icmp) return null;
  if (
    wire.source !== source ||
    wire.destination !== destination ||
    wire.sourcePort !== shot.packet.sourcePort ||
    wire.destinationPort !== shot.packet.destinationPort
  )
    return null;
  const back = (shot.packet.in ?? shot.via) as Device;
  return {
    packet: {
      ...wire,
      path: end.path === "forward" ? "forward" : "input",
      in: wire.out,
      out: end.path === "forward" ? back : null,
      source: addressOf(family === 4 ? "198.51.100.9" : "2001:db8:9::9"),
      destination: source,
      protocol: family === 4 ? ICMP : ICMPV6,
      sourcePort: null,
      destinationPort: null,
      icmp: family === 4 ? { type: 11, code: 0 } : { type: 3, code: 0 },
      opening: false,
    },
    flags: [],
    fragmented: false,
    via: back,
    identifier: null,
    about: end.packet.bytes.subarray(0, family === 4 ? 28 : 60),
  };
}

/** The packet as it was seen at its end. */
function onWire({ packet }: Shot, { path, out, packet: seen }: End): Packet {
  return {
    ...packet,
    path,
    in: path === "loopback" ? LOOPBACK : path === "output" ? null : packet.in,
    out: path === "loopback" ? LOOPBACK : out,
    source: addressOf(seen.source),
    destination: addressOf(seen.destination),
    sourcePort: seen.sourcePort,
    destinationPort: seen.destinationPort,
  };
}

/** Whether a packet opens a flow as its protocol does it, so that an answer belongs to it. */
function isPlain({ flags, packet }: Shot): boolean {
  if (packet.protocol !== TCP) return true;
  return ["syn", "ack"].includes(flags.join());
}

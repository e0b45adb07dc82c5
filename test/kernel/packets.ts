import type { Family } from "../../src/address/ranges.ts";

/** What an experiment may say about a packet that it makes. Checksums and lengths are worked out. */
export interface PacketPlan {
  readonly source: string;
  readonly destination: string;
  readonly content: Content;
  /** TTL or hop limit, 64 unless told. */
  readonly ttl?: number;
  /** The IPv4 identification, or the IPv6 flow label: what tells this packet from others. At random unless told. */
  readonly tag?: number;
  /** Type of service or traffic class; 0 unless told. */
  readonly service?: number;
}

export type Content =
  | {
      readonly kind: "udp";
      readonly sourcePort: number;
      readonly destinationPort: number;
      readonly size?: number;
    }
  | {
      readonly kind: "tcp";
      readonly sourcePort: number;
      readonly destinationPort: number;
      readonly flags: readonly TcpFlag[];
      /** 1000 unless told. */
      readonly sequence?: number;
      /** With the flag `ack`; 1000 unless told. */
      readonly acknowledgement?: number;
    }
  /** ICMP or ICMPv6, as the addresses are. `body` is what follows the first eight bytes. */
  | {
      readonly kind: "icmp";
      readonly type: number;
      readonly code?: number;
      readonly rest?: number;
      readonly body?: Buffer;
    }
  | { readonly kind: "other"; readonly protocol: number; readonly body: Buffer };

export type TcpFlag = "fin" | "syn" | "rst" | "psh" | "ack";

/** A packet as it was seen. Ports are null where it has none, `icmp` where it is no ICMP. */
export interface Packet {
  readonly family: Family;
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly sourcePort: number | null;
  readonly destinationPort: number | null;
  readonly flags: readonly TcpFlag[];
  readonly icmp: { readonly type: number; readonly code: number } | null;
  readonly bytes: Buffer;
}

export const TCP = 6;
export const UDP = 17;
/** TCP, UDP, DCCP, SCTP and UDP-Lite begin with their ports. */
const WITH_PORTS: readonly number[] = [TCP, UDP, 33, 132, 136];
const ICMP = { 4: 1, 6: 58 } as const;
const FRAGMENT = 44;
const MORE_FRAGMENTS = 0x2000;
const FLAGS = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

/** The whole packet, from its IP header on. */
export function buildPacket(plan: PacketPlan): Buffer {
  const from = addressBytes(plan.source);
  const to = addressBytes(plan.destination);
  const family: Family = from.length === 4 ? 4 : 6;
  const { protocol, body } = upperLayer(plan.content, family, from, to);
  return Buffer.concat([header(plan, family, from, to, protocol, body.length), body]);
}

/** The same packet in two fragments, the first of which holds `bytes` of what follows the IP header: a multiple of 8. */
export function fragment(packet: Buffer, bytes: number): readonly [Buffer, Buffer] {
  const size = packet[0]! >> 4 === 4 ? 20 : 40;
  const parts = [packet.subarray(size, size + bytes), packet.subarray(size + bytes)] as const;
  const fragments = parts.map((part, i) => {
    const header = Buffer.from(packet.subarray(0, size));
    const place = i * bytes + (i === 0 ? 1 : 0);
    if (size === 40) {
      // The extension header counts as payload. The last bit of the place says that more fragments follow.
      const extension = Buffer.from([header[6]!, 0, 0, 0, 0, ...header.subarray(1, 4)]);
      extension.writeUInt16BE(place, 2);
      header[6] = FRAGMENT;
      header.writeUInt16BE(part.length + extension.length, 4);
      return Buffer.concat([header, extension, part]);
    }
    header.writeUInt16BE(size + part.length, 2);
    header.writeUInt16BE((i * bytes) / 8 + (i === 0 ? MORE_FRAGMENTS : 0), 6);
    header.writeUInt16BE(0, 10);
    header.writeUInt16BE(checksum(header), 10);
    return Buffer.concat([header, part]);
  });
  return [fragments[0]!, fragments[1]!];
}

/** What `PacketPlan.tag` was for a packet. */
export function tagOf(bytes: Buffer): number {
  return bytes[0]! >> 4 === 4 ? bytes.readUInt16BE(4) : bytes.readUInt32BE(0) & 0xfffff;
}

/** `buildPacket`, as `Host.send` takes it. */
export function packetHex(plan: PacketPlan): string {
  return buildPacket(plan).toString("hex");
}

/** The headers of a packet. Extension headers are not followed: nobody here sends any, but for fragments. */
export function parsePacket(bytes: Buffer): Packet {
  const family: Family = bytes[0]! >> 4 === 4 ? 4 : 6;
  const protocol = family === 4 ? bytes[9]! : bytes[6]!;
  const upper = bytes.subarray(family === 4 ? (bytes[0]! & 15) * 4 : 40);
  const laterFragment = family === 4 && (bytes.readUInt16BE(6) & 0x1fff) !== 0;
  const ports = WITH_PORTS.includes(protocol) && !laterFragment;
  return {
    family,
    source: family === 4 ? dotted(bytes.subarray(12, 16)) : coloned(bytes.subarray(8, 24)),
    destination: family === 4 ? dotted(bytes.subarray(16, 20)) : coloned(bytes.subarray(24, 40)),
    protocol,
    sourcePort: ports ? upper.readUInt16BE(0) : null,
    destinationPort: ports ? upper.readUInt16BE(2) : null,
    flags: protocol === TCP && ports ? tcpFlags(upper[13]!) : [],
    icmp: protocol === ICMP[family] && !laterFragment ? { type: upper[0]!, code: upper[1]! } : null,
    bytes,
  };
}

function upperLayer(
  content: Content,
  family: Family,
  from: Buffer,
  to: Buffer,
): { readonly protocol: number; readonly body: Buffer } {
  switch (content.kind) {
    case "udp": {
      const body = Buffer.alloc(8 + (content.size ?? 8));
      body.writeUInt16BE(content.sourcePort, 0);
      body.writeUInt16BE(content.destinationPort, 2);
      body.writeUInt16BE(body.length, 4);
      body.writeUInt16BE(checksum(pseudoHeader(from, to, UDP, body.length), body) || 0xffff, 6);
      return { protocol: UDP, body };
    }
    case "tcp": {
      const body = Buffer.alloc(20);
      body.writeUInt16BE(content.sourcePort, 0);
      body.writeUInt16BE(content.destinationPort, 2);
      body.writeUInt32BE(content.sequence ?? 1000, 4);
      body.writeUInt32BE(content.flags.includes("ack") ? (content.acknowledgement ?? 1000) : 0, 8);
      body[12] = 5 << 4;
      body[13] = content.flags.reduce((bits, flag) => bits | FLAGS[flag], 0);
      body.writeUInt16BE(64240, 14);
      body.writeUInt16BE(checksum(pseudoHeader(from, to, TCP, body.length), body), 16);
      return { protocol: TCP, body };
    }
    case "icmp": {
      const body = Buffer.concat([Buffer.alloc(8), content.body ?? Buffer.alloc(8)]);
      body[0] = content.type;
      body[1] = content.code ?? 0;
      body.writeUInt32BE(content.rest ?? 0x0007_0001, 4);
      const protocol = ICMP[family];
      body.writeUInt16BE(
        checksum(family === 4 ? Buffer.alloc(0) : pseudoHeader(from, to, protocol, body.length), body),
        2,
      );
      return { protocol, body };
    }
    case "other":
      return { protocol: content.protocol, body: content.body };
  }
}

function header(
  { ttl = 64, service = 0, tag = 1 + Math.floor(Math.random() * 0xfffe) }: PacketPlan,
  family: Family,
  from: Buffer,
  to: Buffer,
  protocol: number,
  length: number,
): Buffer {
  if (family === 4) {
    const bytes = Buffer.alloc(20);
    bytes[0] = 0x45;
    bytes[1] = service;
    bytes.writeUInt16BE(20 + length, 2);
    bytes.writeUInt16BE(tag, 4);
    bytes[8] = ttl;
    bytes[9] = protocol;
    from.copy(bytes, 12);
    to.copy(bytes, 16);
    bytes.writeUInt16BE(checksum(bytes), 10);
    return bytes;
  }
  const bytes = Buffer.alloc(40);
  bytes.writeUInt32BE(((6 << 28) | (service << 20) | tag) >>> 0, 0);
  bytes.writeUInt16BE(length, 4);
  bytes[6] = protocol;
  bytes[7] = ttl;
  from.copy(bytes, 8);
  to.copy(bytes, 24);
  return bytes;
}

function pseudoHeader(from: Buffer, to: Buffer, protocol: number, length: number): Buffer {
  const end = Buffer.from([0, protocol, length >> 8, length & 255]);
  return Buffer.concat([from, to, end]);
}

/** The Internet checksum (RFC 1071) over parts of even length but for the last. */
function checksum(...parts: readonly Buffer[]): number {
  let sum = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i += 2) sum += (part[i]! << 8) | (part[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

function tcpFlags(bits: number): readonly TcpFlag[] {
  return (Object.keys(FLAGS) as TcpFlag[]).filter((flag) => bits & FLAGS[flag]);
}

function addressBytes(address: string): Buffer {
  if (!address.includes(":")) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const middle = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(middle).fill("0"), ...groups(tail ?? "")];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}

function dotted(bytes: Buffer): string {
  return [...bytes].join(".");
}

function coloned(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  // `URL` prints IPv6 as RFC 5952 wants it.
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

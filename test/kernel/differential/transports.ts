/** The transports of which nobody but a random policy speaks: just enough of each for the kernel to believe the packet. */

/** A chunk that opens an SCTP association, with the CRC that conntrack checks. */
export function sctpInit(sourcePort: number, destinationPort: number): Buffer {
  const body = Buffer.alloc(12 + 20);
  body.writeUInt16BE(sourcePort, 0);
  body.writeUInt16BE(destinationPort, 2);
  body[12] = 1; // INIT
  body.writeUInt16BE(20, 14);
  body.writeUInt32BE(1, 16); // Initiate tag, which may not be 0.
  body.writeUInt32BE(65535, 20);
  body.writeUInt16BE(1, 24);
  body.writeUInt16BE(1, 26);
  body.writeUInt32LE(crc32c(body), 8);
  return body;
}

/** CRC-32C (RFC 9260, appendix A), bit by bit. */
function crc32c(bytes: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** A DCCP request. Nothing looks at its checksum: the kernel forgot the protocol in 6.16. */
export function dccpRequest(sourcePort: number, destinationPort: number): Buffer {
  const body = Buffer.alloc(20);
  body.writeUInt16BE(sourcePort, 0);
  body.writeUInt16BE(destinationPort, 2);
  body[4] = 5;
  body[8] = 1; // Extended sequence numbers; type 0, a request.
  return body;
}

/** What follows the header of any other packet: nothing but, for IPv6, a checksum where OSPF has it; `reject` looks at it. */
export function unspoken(family: 4 | 6, protocol: number, source: bigint, destination: bigint): Buffer {
  const body = Buffer.alloc(24);
  if (family === 4) return body;
  const end = Buffer.from([0, body.length, 0, protocol]);
  body.writeUInt16BE(internetChecksum(Buffer.concat([bytesOf(6, source), bytesOf(6, destination), end])), 12);
  return body;
}

function bytesOf(family: 4 | 6, address: bigint): Buffer {
  return Buffer.from(address.toString(16).padStart(family === 4 ? 8 : 32, "0"), "hex");
}

/** A UDP-Lite datagram whose checksum covers all of it. */
export function udpLite(
  family: 4 | 6,
  source: bigint,
  destination: bigint,
  sourcePort: number,
  destinationPort: number,
): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt16BE(sourcePort, 0);
  body.writeUInt16BE(destinationPort, 2);
  body.writeUInt16BE(body.length, 4);
  const end = Buffer.from([0, 136, 0, body.length]);
  body.writeUInt16BE(
    internetChecksum(Buffer.concat([bytesOf(family, source), bytesOf(family, destination), end, body])) ||
      0xffff,
    6,
  );
  return body;
}

/** RFC 1071, over an even number of bytes. */
function internetChecksum(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

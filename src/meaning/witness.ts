import type { Family, Range } from "../address/ranges.ts";
import type { Diagram } from "../packets/nodes.ts";
import { type Preferences, witness } from "../packets/witness.ts";
import { ICMP, ICMPV6, type Packet, PROTOCOLS_WITH_PORTS, TCP } from "../policy/packet.ts";
import { PATHS } from "../policy/paths.ts";
import type { Devices } from "./devices.ts";
import type { Fields, World } from "./world.ts";

const single = <T extends bigint | number>(value: T): Range<T> => ({ first: value, last: value });

/** Addresses as people write them in examples, the nearest to home first. */
const LIKED_ADDRESSES: Readonly<Record<Family, readonly Range<bigint>[]>> = {
  4: [
    { first: 0x0a00_0001n, last: 0x0aff_fffen },
    { first: 0xc0a8_0001n, last: 0xc0a8_fffen },
    { first: 0xac10_0001n, last: 0xac1f_fffen },
    { first: 0xc000_0201n, last: 0xc000_02fen },
    { first: 0xc633_6401n, last: 0xc633_64fen },
    { first: 0xcb00_7101n, last: 0xcb00_71fen },
    { first: 0x0100_0001n, last: 0xdfff_fffen },
  ],
  6: [
    { first: (0x2001_0db8n << 96n) + 1n, last: (0x2001_0db9n << 96n) - 1n },
    { first: 0xfdn << 120n, last: (0xfen << 120n) - 1n },
    { first: 0x2n << 124n, last: (0x4n << 124n) - 1n },
  ],
};

/** Addresses of the documentation networks, for the end that a packet goes to. */
const FAR_ADDRESSES: Readonly<Record<Family, readonly Range<bigint>[]>> = {
  4: [
    { first: 0xc000_0201n, last: 0xc000_02fen },
    { first: 0xc633_6401n, last: 0xc633_64fen },
  ],
  6: [{ first: (0x2001_0db8_00ffn << 80n) + 1n, last: (0x2001_0db8_0100n << 80n) - 1n }],
};

/** What people expect of a packet: an opening SYN, a port that is no system port where the client is, real addresses. */
function preferences(family: Family, devices: Devices): Preferences<Fields> {
  return {
    // What passes through should leave elsewhere than it came.
    out: { likes: Array.from({ length: devices.count }, (_, i) => single(devices.count - 1 - i)) },
    path: { likes: ["input", "forward", "output", "loopback"].map((p) => single(PATHS.indexOf(p as never))) },
    opening: { likes: [single(1)] },
    protocol: { likes: [TCP, 17, family === 4 ? ICMP : ICMPV6].map(single) },
    destinationPort: {
      likes: [single(443), single(80), single(53), { first: 1, last: 1023 }, { first: 1024, last: 65535 }],
    },
    // The far end should not look like the near one, nor be it.
    destination: {
      likes: [...FAR_ADDRESSES[family], ...LIKED_ADDRESSES[family]],
      skipFirst: true,
      unlike: "source",
    },
    source: { likes: LIKED_ADDRESSES[family], skipFirst: true },
    sourcePort: {
      likes: [
        { first: 40000, last: 60999 },
        { first: 1024, last: 65535 },
        { first: 1, last: 65535 },
      ],
    },
  };
}

/** Of ICMP, whose types and codes stand in the places of ports: an echo before anything else, and the plain code. */
function icmpPreferences(family: Family, devices: Devices): Preferences<Fields> {
  const [request, reply] = family === 4 ? ([8, 0] as const) : ([128, 129] as const);
  return {
    ...preferences(family, devices),
    destinationPort: { likes: [single(request), single(reply)] },
    sourcePort: { likes: [single(0)] },
  };
}

/** One packet of a set, as human as the set has one; null where the set is empty. The same set gives the same packet. */
export function packetOf(set: Diagram, family: Family, world: World): Packet | null {
  const space = world.spaces[family];
  const fields = witness(space, set, preferences(family, world.devices));
  if (!fields) return null;
  // The protocol is chosen before the ports, so the same one comes out again.
  const isIcmp = fields.protocol === (family === 4 ? ICMP : ICMPV6);
  return asPacket(
    isIcmp ? witness(space, set, icmpPreferences(family, world.devices))! : fields,
    family,
    world,
  );
}

/** The packet that the fields of the engine stand for. */
export function asPacket(fields: Fields, family: Family, { devices }: World): Packet {
  const { protocol, destinationPort, sourcePort } = fields;
  const isIcmp = protocol === (family === 4 ? ICMP : ICMPV6);
  const hasPorts = PROTOCOLS_WITH_PORTS.has(protocol);
  return {
    family,
    path: PATHS[fields.path]!,
    in: devices.nameOf(fields.in),
    out: devices.nameOf(fields.out),
    source: fields.source,
    destination: fields.destination,
    protocol,
    sourcePort: hasPorts ? sourcePort : null,
    destinationPort: hasPorts ? destinationPort : null,
    icmp: isIcmp ? { type: destinationPort, code: sourcePort } : null,
    opening: fields.opening === 1,
  };
}

import type { Family } from "../../../src/address/ranges.ts";
import {
  ICMP,
  ICMPV6,
  matchesDevice,
  type Path,
  PROTOCOLS_WITH_PORTS,
  TCP,
} from "../../../src/policy/packet.ts";
import type { Interfaces, Match, Peer, Policy, Traffic } from "../../../src/policy/policy.ts";
import { DEVICES, type Device, OWN } from "../crossroads.ts";
import type { Random } from "./random.ts";
import { addressOf, isGroup, isOwn, type Shot, TCP_FLAGS } from "./shots.ts";

/**
 * Packets at the boundaries of a policy: each is made from one of its sentences, field by field from the first and last
 * values that the sentence names and those next to them, and often wrong in one field or two. Only packets that can
 * exist: the kernel carries each of them to its end where there are no rules.
 */
export function boundaryShot(policy: Policy, random: Random): Shot {
  const matches = [...policy.rules, ...policy.sourceNat, ...policy.destinationNat].map(({ match }) => match);
  const match = matches.length > 0 ? random.pick(matches) : ANYTHING;
  // A second sentence, so that packets meet two of them at once.
  const other = matches.length > 0 ? random.pick(matches) : ANYTHING;
  const which = (): Match => (random.chance(0.8) ? match : other);

  const family = random.pick(familiesOf(match));
  const path = random.pick<Path>([
    "input",
    "input",
    "input",
    "forward",
    "forward",
    "output",
    "output",
    "loopback",
  ]);
  const traffic = random.pick(which().traffic);
  const back = random.chance(0.2);
  const ends = back
    ? {
        source: which().destination,
        destination: which().source,
        incoming: which().out,
        outgoing: which().in,
      }
    : {
        source: which().source,
        destination: which().destination,
        incoming: which().in,
        outgoing: which().out,
      };
  const device = (interfaces: Interfaces | null): Device => random.pick(devicesOf(interfaces));
  const via = device(ends.outgoing);
  const arrives = path === "input" || path === "forward";
  const leaves = path === "forward" || path === "output";
  const protocol = protocolOf(traffic, family, random);
  const [sourcePorts, destinationPorts] = back
    ? [traffic.destinationPorts, traffic.sourcePorts]
    : [traffic.sourcePorts, traffic.destinationPorts];
  const hasPorts = PROTOCOLS_WITH_PORTS.has(protocol);
  const tcp = protocol === TCP ? random.pick(TCP_FLAGS) : null;
  const flags = tcp?.flags ?? [];
  const source = address(ends.source, family, arrives ? "distant" : "own", random);
  const place = leaves ? "distant" : arrives ? "delivered" : "own";
  const destination = address(ends.destination, family, place, random);
  return {
    packet: {
      family,
      path,
      in: path === "loopback" ? "lo" : arrives ? device(ends.incoming) : null,
      out: path === "loopback" ? "lo" : leaves ? via : null,
      source,
      destination: destination === source && arrives ? another(family, source) : destination,
      protocol,
      sourcePort: hasPorts ? port(sourcePorts, random) : null,
      destinationPort: hasPorts ? port(destinationPorts, random) : null,
      icmp: protocol === (family === 4 ? ICMP : ICMPV6) ? icmp(traffic, family, random) : null,
      opening: flags.includes("syn") && !flags.includes("ack"),
    },
    flags,
    fragmented: arrives && canBeCut(family, protocol) && random.chance(0.05),
    via,
    identifier: null,
    about: null,
  };
}

const ANYONE: Peer = { negated: false, any: true, self: false, addresses: { name: null, v4: [], v6: [] } };
const ANYTHING: Match = {
  traffic: [{ protocol: null, family: null, icmp: null, sourcePorts: null, destinationPorts: null }],
  source: ANYONE,
  destination: ANYONE,
  in: null,
  out: null,
  openings: "any",
};

/** Families in which a sentence can match anything. */
function familiesOf({ traffic, source, destination }: Match): readonly Family[] {
  const speaks = ({ any, self, negated, addresses }: Peer, family: Family): boolean =>
    any || self || negated || (family === 4 ? addresses.v4 : addresses.v6).length > 0;
  const families = ([4, 6] as const).filter(
    (family) =>
      speaks(source, family) &&
      speaks(destination, family) &&
      traffic.some((one) => one.family === null || one.family === family),
  );
  return families.length > 0 ? families : [4, 6];
}

function devicesOf(interfaces: Interfaces | null): readonly Device[] {
  if (!interfaces) return DEVICES;
  const meant = DEVICES.filter((device) => matchesDevice(device, interfaces.devices) !== interfaces.negated);
  return meant.length > 0 ? [...meant, ...meant, ...DEVICES] : DEVICES;
}

const COMMON_PROTOCOLS = [TCP, TCP, 17, 17, ICMP, ICMPV6, 47, 132] as const;

function protocolOf({ protocol }: Traffic, family: Family, random: Random): number {
  const own = protocol !== null && random.chance(0.85) ? protocol : random.pick(COMMON_PROTOCOLS);
  // ICMP of the other family is a protocol like any other, but hardly of interest.
  if (own === ICMP || own === ICMPV6) return family === 4 ? ICMP : ICMPV6;
  return own;
}

const ICMP_TYPES: Readonly<Record<Family, readonly number[]>> = {
  4: [0, 3, 5, 8, 9, 11, 12, 13, 14],
  6: [1, 2, 3, 4, 128, 129, 133, 135, 136, 137, 139, 143],
};

function icmp({ icmp: asked }: Traffic, family: Family, random: Random): { type: number; code: number } {
  if (asked && random.chance(0.7))
    return {
      type: asked.type,
      code: asked.code === null ? random.pick([0, 1]) : asked.code + random.pick([0, 0, 1]),
    };
  return { type: random.pick(ICMP_TYPES[family]), code: random.pick([0, 0, 1, 4]) };
}

const COMMON_PORTS = [1, 53, 80, 443, 511, 512, 1023, 1024, 40_000, 65_535] as const;

function port(ports: Traffic["sourcePorts"], random: Random): number {
  if (!ports || random.chance(0.15)) return random.pick(COMMON_PORTS);
  const { first, last } = random.pick(ports);
  return Math.min(65_535, Math.max(1, random.pick([first, first, last, last, first - 1, last + 1])));
}

const OWN_ADDRESSES = {
  4: DEVICES.map((device) => addressOf(OWN[device][4])),
  6: DEVICES.map((device) => addressOf(OWN[device][6])),
} as const;

/** What is delivered to the host beside its own addresses: broadcast, a group that every host joins, anycast. */
const DELIVERED = {
  4: ["10.0.0.255", "10.0.1.255", "255.255.255.255", "224.0.0.1"].map(addressOf),
  6: ["ff02::1", "fd00::", "fd00:0:0:1::", "2001:db8::"].map(addressOf),
} as const;

const DISTANT = {
  4: ["10.0.0.2", "10.0.0.5", "10.0.1.7", "192.0.2.7", "8.8.8.8"].map(addressOf),
  6: ["fd00::2", "fd00::5", "fd00:0:0:1::7", "2001:db8::7", "2a00::1"].map(addressOf),
} as const;

/** The kind of place that an address stands for. */
type Place = "own" | "delivered" | "distant";

function address(peer: Peer, family: Family, place: Place, random: Random): bigint {
  if (place === "delivered" && random.chance(0.15)) return random.pick(DELIVERED[family]);
  const ranges = family === 4 ? peer.addresses.v4 : peer.addresses.v6;
  const meant = ranges
    .flatMap(({ first, last }) => [first, last, first - 1n, last + 1n, first + 1n])
    .filter((value) => isAt(place, family, value));
  if (meant.length > 0 && random.chance(0.85)) return random.pick(meant);
  return random.pick(place === "distant" ? DISTANT[family] : OWN_ADDRESSES[family]);
}

/** No packet comes from where it goes. */
function another(family: Family, than: bigint): bigint {
  return DISTANT[family].find((one) => one !== than)!;
}

function isAt(place: Place, family: Family, address: bigint): boolean {
  if (place !== "distant") return isOwn(family, address);
  if (isOwn(family, address) || isGroup(family, address) || DELIVERED[family].includes(address)) return false;
  return family === 4 ? isUnicast4(address) : isUnicast6(address);
}

/** What a router forwards, and believes as a source: neither this network, loopback nor what is reserved. */
function isUnicast4(address: bigint): boolean {
  const first = address >> 24n;
  return first > 0n && first !== 127n && first < 224n;
}

/** Global and unique local addresses. */
function isUnicast6(address: bigint): boolean {
  return address >> 125n === 1n || address >> 121n === 0x7en;
}

/**
 * Whether a packet may come in two fragments. Conntrack puts an IPv6 packet together only if the first fragment holds the
 * whole header of the transport (RFC 8200, 4.5), which a TCP header is too long for; see `facts/fragments.test.ts`.
 */
function canBeCut(family: Family, protocol: number): boolean {
  return protocol !== ICMP && protocol !== ICMPV6 && (family === 4 || protocol !== TCP);
}

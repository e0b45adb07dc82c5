import {
  type AddressRanges,
  type Family,
  LAST_PORT,
  lastAddress,
  mergeRanges,
  type PortRanges,
  type Range,
  single,
} from "../address/ranges.ts";
import { type Domain, rankDomain } from "../packets/domain.ts";
import { type Cube, createSpace, type Space } from "../packets/space.ts";
import {
  ICMP,
  ICMP_ERRORS,
  ICMPV6,
  NEIGHBOUR_DISCOVERY,
  type Packet,
  type Path,
  TCP,
} from "../policy/packet.ts";
import { canTakePath, deliveredHere, PATHS, sentHere } from "../policy/paths.ts";
import type { AddressSet, Interfaces, Match, Peer, Policy } from "../policy/policy.ts";
import { type Devices, numberDevices } from "./devices.ts";

/**
 * The fields of a packet as the engine asks for them, what decides most first. The type and code of ICMP stand in the
 * places of destination and source port, which ICMP has not.
 */
export type Fields = {
  readonly path: number;
  readonly in: number;
  readonly out: number;
  readonly opening: number;
  readonly protocol: number;
  readonly destinationPort: number;
  readonly source: bigint;
  readonly destination: bigint;
  readonly sourcePort: number;
};

export type PacketSpace = Space<Fields>;
export type PacketCube = Cube<Fields>;

/** All packets of both families, cut as finely as some policies can tell them apart. */
export interface World {
  readonly devices: Devices;
  readonly spaces: Readonly<Record<Family, PacketSpace>>;
}

/** What a client asks about beside what the policies say. */
export interface Extras {
  readonly ports?: Iterable<Range<number>>;
  readonly addresses?: Readonly<Record<Family, Iterable<Range<bigint>>>>;
  readonly protocols?: Iterable<number>;
  readonly devices?: Iterable<Interfaces>;
}

/** The values that each field of a packet may have, cut as finely as anybody asks. */
export type FieldDomains = { readonly [F in keyof Fields]: Domain<Fields[F]> };

const MULTICAST: Readonly<Record<Family, Range<bigint>>> = {
  4: { first: 0xe000_0000n, last: 0xefff_ffffn },
  6: { first: 0xffn << 120n, last: lastAddress(6) },
};
/** The limited broadcast address; IPv6 has none. */
const BROADCAST: Range<bigint> = { first: 0xffff_ffffn, last: 0xffff_ffffn };

/** Destinations that no single host answers for. */
export function groupAddresses(family: Family): AddressRanges {
  return family === 4 ? [MULTICAST[4], BROADCAST] : [MULTICAST[6]];
}

/**
 * The ports that source NAT may pick for a flow, where the sentence does not say: the kernel keeps the class of the
 * port that the flow came with, below 512, below 1024, or above (`nf_nat_l4proto_unique_tuple`).
 */
export const DEFAULT_NAT_PORTS: PortRanges = [
  { first: 1, last: 511 },
  { first: 600, last: 1023 },
  { first: 1024, last: 65535 },
];

/** ICMP types and codes are 0 to 255. */
export const ICMP_VALUES: Range<number> = { first: 0, last: 255 };

/** A world in which the policies, and what `extras` names, can be spoken of exactly. */
export function createWorld(
  policies: readonly Policy[],
  extras: Extras = {},
  options: { readonly nodeBudget?: number } = {},
): World {
  const { devices, domains } = createDomains(policies, extras);
  const space = (family: Family): PacketSpace => createSpace<Fields>(domains(family), options);
  return { devices, spaces: { 4: space(4), 6: space(6) } };
}

/** The domains of the fields, for those who build a space with fields of their own above them. */
export function createDomains(
  policies: readonly Policy[],
  extras: Extras = {},
): { readonly devices: Devices; readonly domains: (family: Family) => FieldDomains } {
  const matches = policies.flatMap((policy) => [
    ...policy.rules.map(({ match }) => match),
    ...policy.sourceNat.map(({ match }) => match),
    ...policy.destinationNat.map(({ match }) => match),
  ]);
  const devices = numberDevices([
    ...matches.flatMap((match) => [match.in, match.out]),
    ...(extras.devices ?? []),
  ]);
  const ports = rankDomain(LAST_PORT + 1, portRanges(policies, matches, extras));
  const small = <T extends number>(size: number, ranges: readonly Range<number>[]): Domain<T> =>
    rankDomain(size, ranges) as unknown as Domain<T>;
  const single = (value: number): Range<number> => ({ first: value, last: value });
  const each = (count: number): Range<number>[] => Array.from({ length: count }, (_, i) => single(i));
  const protocols = small(
    256,
    [
      ...new Set([TCP, ICMP, ICMPV6, 17, 33, 132, 136, ...protocolsOf(matches), ...(extras.protocols ?? [])]),
    ].map(single),
  );
  const device = small(devices.count, each(devices.count));

  const domains = (family: Family): FieldDomains => {
    const address = rankDomain(lastAddress(family) + 1n, addressRanges(policies, matches, extras, family));
    return {
      path: small(PATHS.length, each(PATHS.length)),
      in: device,
      out: device,
      opening: small(2, each(2)),
      protocol: protocols,
      destinationPort: ports,
      source: address,
      destination: address,
      sourcePort: ports,
    };
  };
  return { devices, domains };
}

function protocolsOf(matches: readonly Match[]): number[] {
  return matches.flatMap(({ traffic }) => traffic.flatMap(({ protocol }) => protocol ?? []));
}

function* portRanges(
  policies: readonly Policy[],
  matches: readonly Match[],
  extras: Extras,
): Generator<Range<number>> {
  yield ICMP_VALUES;
  yield* DEFAULT_NAT_PORTS;
  for (const port of [0, 22, 2222]) yield { first: port, last: port };
  yield* extras.ports ?? [];
  for (const type of [0, 8, 13, 14, 15, 16, 17, 18, 128, 129, 139, 140, ...NEIGHBOUR_DISCOVERY])
    yield { first: type, last: type };
  for (const type of [...ICMP_ERRORS[4], ...ICMP_ERRORS[6]]) yield { first: type, last: type };
  for (const { traffic } of matches)
    for (const { sourcePorts, destinationPorts, icmp } of traffic) {
      yield* sourcePorts ?? [];
      yield* destinationPorts ?? [];
      if (icmp) yield { first: icmp.type, last: icmp.type };
      if (icmp?.code != null) yield { first: icmp.code, last: icmp.code };
    }
  for (const { sourceNat, destinationNat } of policies)
    for (const { ports } of [...sourceNat, ...destinationNat]) if (ports) yield ports;
}

function* addressRanges(
  policies: readonly Policy[],
  matches: readonly Match[],
  extras: Extras,
  family: Family,
): Generator<Range<bigint>> {
  yield* groupAddresses(family);
  if (extras.addresses) yield* extras.addresses[family];
  const of = (set: AddressSet): AddressRanges => (family === 4 ? set.v4 : set.v6);
  const seen = new Set<AddressSet>();
  for (const { source, destination } of matches)
    for (const { addresses } of [source, destination])
      if (!seen.has(addresses)) {
        seen.add(addresses);
        yield* of(addresses);
      }
  for (const { self, sourceNat, destinationNat } of policies) {
    if (self) yield* of(self);
    for (const target of [...sourceNat.map(({ pool }) => pool), ...destinationNat.map((nat) => nat.target)]) {
      const range = target && (family === 4 ? target.v4 : target.v6);
      if (range) yield range;
    }
  }
}

/** The packets of one family that a match describes: a cube for each kind of traffic and each meaning of `self`. */
export function cubesOf(
  match: Match,
  family: Family,
  self: AddressSet | null,
  devices: Devices,
  paths: readonly Path[] = PATHS,
): PacketCube[] {
  const { openings } = match;
  const cubes: PacketCube[] = [];
  for (const alike of pathsAlike(match, self, paths)) {
    const source = addressCondition(match.source, family, sentHere(alike[0]!), self);
    const destination = addressCondition(match.destination, family, deliveredHere(alike[0]!), self);
    for (const traffic of match.traffic) {
      const { protocol, icmp, sourcePorts, destinationPorts } = traffic;
      if (traffic.family !== null && traffic.family !== family) continue;
      if (openings === "only" && protocol !== null && protocol !== TCP) continue;
      // Every field is named, in one order: a hundred thousand objects of one shape are cheap, of many they are not.
      cubes.push({
        path: alike.map((path) => single(PATHS.indexOf(path))),
        in: match.in ? deviceCondition(match.in, devices) : undefined,
        out: match.out ? deviceCondition(match.out, devices) : undefined,
        opening: openings === "any" ? undefined : openings === "only" ? OPENING : NO_OPENING,
        protocol: openings === "only" ? [single(TCP)] : protocol === null ? undefined : [single(protocol)],
        destinationPort: destinationPorts ?? (icmp ? [single(icmp.type)] : undefined),
        source,
        destination,
        sourcePort: sourcePorts ?? (icmp && icmp.code !== null ? [single(icmp.code)] : undefined),
      });
    }
  }
  return cubes;
}

const OPENING = [single(1)];
const NO_OPENING = [single(0)];

/** The paths that a match can take, in groups on which `self` means the same at both of its ends. */
function pathsAlike(match: Match, self: AddressSet | null, paths: readonly Path[]): Path[][] {
  const groups: Path[][] = [[], [], [], []];
  for (const path of paths) {
    if (!canTakePath(match, path, self !== null)) continue;
    const source = match.source.self && sentHere(path);
    const destination = match.destination.self && deliveredHere(path);
    groups[(source ? 2 : 0) + (destination ? 1 : 0)]!.push(path);
  }
  return groups.filter((group) => group.length > 0);
}

type Condition<T extends bigint | number> = readonly Range<T>[] | { readonly except: readonly Range<T>[] };

/** No device is none of those that a negation leaves. */
function deviceCondition(
  clause: { readonly negated: boolean; readonly devices: readonly string[] },
  devices: Devices,
): Condition<number> {
  const named = devices.matching(clause);
  return clause.negated ? { except: [single(devices.numberOf(null)), ...named] } : named;
}

function addressCondition(
  peer: Peer,
  family: Family,
  here: boolean,
  self: AddressSet | null,
): Condition<bigint> | undefined {
  if (peer.any || (peer.self && here && self === null)) return undefined;
  const of = (set: AddressSet): AddressRanges => (family === 4 ? set.v4 : set.v6);
  const ranges =
    peer.self && here && self ? mergeRanges([...of(peer.addresses), ...of(self)]) : of(peer.addresses);
  return peer.negated ? { except: ranges } : ranges;
}

/** A packet in the terms of the engine. */
export function fieldsOf(packet: Packet, devices: Devices): Fields {
  return {
    path: PATHS.indexOf(packet.path),
    in: devices.numberOf(packet.in),
    out: devices.numberOf(packet.out),
    opening: packet.opening ? 1 : 0,
    protocol: packet.protocol,
    destinationPort: packet.icmp ? packet.icmp.type : (packet.destinationPort ?? 0),
    destination: packet.destination,
    source: packet.source,
    sourcePort: packet.icmp ? packet.icmp.code : (packet.sourcePort ?? 0),
  };
}

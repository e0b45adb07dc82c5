import { intersectRanges, type PortRanges } from "../address/ranges.ts";
import type { Path } from "../policy/packet.ts";
import { TCP } from "../policy/packet.ts";
import { canTakePath } from "../policy/paths.ts";
import type { AddressSet, Interfaces, Match, Peer, Traffic } from "../policy/policy.ts";

/**
 * Whether some packet on one of the paths may match both. Says yes when in doubt (negations, `self`, wildcards): a guard
 * too many costs a test, a guard too few changes the meaning.
 */
export function mayOverlap(a: Match, b: Match, paths: readonly Path[], self: AddressSet | null): boolean {
  return (
    trafficMeets(a, b) &&
    peersMeet(a.source, b.source) &&
    peersMeet(a.destination, b.destination) &&
    interfacesMeet(a.in, b.in) &&
    interfacesMeet(a.out, b.out) &&
    paths.some((path) => canTakePath(a, path, self !== null) && canTakePath(b, path, self !== null))
  );
}

function trafficMeets(a: Match, b: Match): boolean {
  // One wants openings and the other anything else: they never meet.
  if (a.openings !== b.openings && a.openings !== "any" && b.openings !== "any") return false;
  const onlyTcp = a.openings === "only" || b.openings === "only";
  return a.traffic.some((x) => b.traffic.some((y) => kindsMeet(x, y) && (!onlyTcp || mayBeTcp(x, y))));
}

function mayBeTcp(...traffic: readonly Traffic[]): boolean {
  return traffic.every(({ protocol }) => protocol === null || protocol === TCP);
}

function kindsMeet(x: Traffic, y: Traffic): boolean {
  if (x.protocol !== null && y.protocol !== null && x.protocol !== y.protocol) return false;
  if (x.family !== null && y.family !== null && x.family !== y.family) return false;
  if (x.icmp && y.icmp && x.icmp.type !== y.icmp.type) return false;
  return portsMeet(x.sourcePorts, y.sourcePorts) && portsMeet(x.destinationPorts, y.destinationPorts);
}

function portsMeet(a: PortRanges | null, b: PortRanges | null): boolean {
  return a === null || b === null || intersectRanges(a, b).length > 0;
}

function peersMeet(a: Peer, b: Peer): boolean {
  const isOpen = (peer: Peer): boolean => peer.any || peer.self || peer.negated;
  if (isOpen(a) || isOpen(b) || a.addresses === b.addresses) return true;
  return (
    intersectRanges(a.addresses.v4, b.addresses.v4).length > 0 ||
    intersectRanges(a.addresses.v6, b.addresses.v6).length > 0
  );
}

function interfacesMeet(a: Interfaces | null, b: Interfaces | null): boolean {
  if (!a || !b || a.negated || b.negated) return true;
  return a.devices.some((x) => b.devices.some((y) => devicesMeet(x, y)));
}

function devicesMeet(x: string, y: string): boolean {
  const stem = (device: string): string => device.replace(/\*$/, "");
  if (x.endsWith("*") && y.endsWith("*")) return stem(x).startsWith(stem(y)) || stem(y).startsWith(stem(x));
  if (x.endsWith("*")) return y.startsWith(stem(x));
  return y.endsWith("*") ? x.startsWith(stem(y)) : x === y;
}

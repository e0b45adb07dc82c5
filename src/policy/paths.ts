import type { Path } from "./packet.ts";
import { LOOPBACK, matchesDevice } from "./packet.ts";
import type { Interfaces, Match, Peer } from "./policy.ts";

export const PATHS: readonly Path[] = ["input", "forward", "output", "loopback"];

/** Paths on which the source is this host. */
export function sentHere(path: Path): boolean {
  return path === "output" || path === "loopback";
}

/** Paths on which the destination is this host. */
export function deliveredHere(path: Path): boolean {
  return path === "input" || path === "loopback";
}

/**
 * Whether an address condition can hold at an end that is, or is not, this host. `selfIsKnown`: the policy lists this
 * host's addresses, so that being here does not settle the matter.
 */
function peerCanHold(peer: Peer, here: boolean, selfIsKnown: boolean): boolean {
  const coversAll = peer.any || (peer.self && here && !selfIsKnown);
  if (peer.negated) return !coversAll;
  const hasAddresses = peer.addresses.v4.length > 0 || peer.addresses.v6.length > 0;
  return coversAll || hasAddresses || (peer.self && here);
}

function interfacesCanHold(interfaces: Interfaces | null, known: boolean, path: Path): boolean {
  if (!interfaces) return true;
  if (!known) return false;
  return path !== "loopback" || matchesDevice(LOOPBACK, interfaces.devices) !== interfaces.negated;
}

/** Whether some packet on this path can match. */
export function canTakePath(match: Match, path: Path, selfIsKnown: boolean): boolean {
  return (
    peerCanHold(match.source, sentHere(path), selfIsKnown) &&
    peerCanHold(match.destination, deliveredHere(path), selfIsKnown) &&
    interfacesCanHold(match.in, path !== "output", path) &&
    interfacesCanHold(match.out, path !== "input", path)
  );
}

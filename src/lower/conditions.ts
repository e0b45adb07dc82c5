import { mergeRanges } from "../address/ranges.ts";
import type { Path } from "../policy/packet.ts";
import { canTakePath, deliveredHere, sentHere } from "../policy/paths.ts";
import type { AddressSet, Interfaces, Match, Peer } from "../policy/policy.ts";
import type { HookView } from "./hooks.ts";

/** The tests that are left of a match once the path is known: `self` has become addresses, or true, or false. */
export interface Conditions {
  /** Null: no test. */
  readonly source: AddressTest | null;
  readonly destination: AddressTest | null;
  readonly in: Interfaces | null;
  readonly out: Interfaces | null;
}

export interface AddressTest {
  readonly set: AddressSet;
  readonly negated: boolean;
}

/** The tests of a match on one path; null where no packet on that path can match. */
export function conditionsOn(
  match: Match,
  path: Path,
  view: HookView,
  self: AddressSet | null,
): Conditions | null {
  if (!canTakePath(match, path, self !== null) && !settledByAddress(match, path, view, self)) return null;
  const here = (end: "source" | "destination"): boolean =>
    (end === "source" ? sentHere(path) : deliveredHere(path)) || (self !== null && view.pathEnd === end);
  return {
    source: addressTest(match.source, here("source"), self),
    destination: addressTest(match.destination, here("destination"), self),
    in: path === "loopback" || !view.knows.in ? null : match.in,
    // Whether loopback passes `out` was settled when the path was found possible.
    out: !view.knows.out || (view.strays && path === "loopback") ? null : match.out,
  };
}

/**
 * Where a policy lists this host's addresses and the hook tells paths by that very end, a packet to one of them is on
 * its way here, so the test may stand for the other path too: it matches nothing there, and one line does for both.
 */
function settledByAddress(match: Match, path: Path, view: HookView, self: AddressSet | null): boolean {
  if (self === null || view.pathEnd === null) return false;
  const peer = match[view.pathEnd];
  const other = view.pathEnd === "source" ? match.destination : match.source;
  const isOnlySelf = peer.self && !peer.negated && !peer.any;
  return (
    isOnlySelf &&
    // The rest of the match must be able to hold on both paths, or the paths do differ.
    canTakePath(
      {
        ...match,
        source: ANYONE,
        destination: ANYONE,
        [view.pathEnd === "source" ? "destination" : "source"]: other,
      },
      path,
      true,
    )
  );
}

const ANYONE: Peer = { negated: false, any: true, self: false, addresses: { name: null, v4: [], v6: [] } };

function addressTest(peer: Peer, here: boolean, self: AddressSet | null): AddressTest | null {
  if (peer.any || (peer.self && here && self === null)) return null;
  const set = peer.self && here && self !== null ? withSelf(peer.addresses, self) : peer.addresses;
  // `not self`, seen from elsewhere, is no test at all.
  if (peer.negated && set.v4.length === 0 && set.v6.length === 0) return null;
  return { set, negated: peer.negated };
}

const unions = new WeakMap<AddressSet, WeakMap<AddressSet, AddressSet>>();

/** The union of a set with this host's own addresses: one object for one pair, so that printers can share it. */
function withSelf(set: AddressSet, self: AddressSet): AddressSet {
  if (set.v4.length === 0 && set.v6.length === 0) return self;
  const bySelf = unions.get(set) ?? new WeakMap<AddressSet, AddressSet>();
  unions.set(set, bySelf);
  const known = bySelf.get(self);
  if (known) return known;
  const union: AddressSet = {
    name: null,
    v4: mergeRanges([...set.v4, ...self.v4]),
    v6: mergeRanges([...set.v6, ...self.v6]),
  };
  bySelf.set(self, union);
  return union;
}

/** Whether two paths need the same tests. */
export function sameConditions(a: Conditions, b: Conditions): boolean {
  return (
    sameAddresses(a.source, b.source) &&
    sameAddresses(a.destination, b.destination) &&
    a.in === b.in &&
    a.out === b.out
  );
}

function sameAddresses(a: AddressTest | null, b: AddressTest | null): boolean {
  return a === b || (a !== null && b !== null && a.set === b.set && a.negated === b.negated);
}

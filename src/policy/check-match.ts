import type { Family } from "../address/ranges.ts";
import type { Log } from "../source/finding.ts";
import type { Clauses } from "./match.ts";
import { canTakePath, PATHS } from "./paths.ts";
import type { AddressSet, Match, Peer } from "./policy.ts";

/** Reports a match that no packet can meet. Returns whether some packet can. */
export function checkMatch(match: Match, clauses: Clauses, self: AddressSet | null, log: Log): boolean {
  return checkFamilies(match, clauses, self, log) && checkPaths(match, clauses, self, log);
}

/** The families in which a match can hold. */
export function familiesOf(match: Match, self: AddressSet | null): readonly Family[] {
  return ([4, 6] as const).filter(
    (family) =>
      match.traffic.some((traffic) => traffic.family === null || traffic.family === family) &&
      peerHasFamily(match.source, family, self) &&
      peerHasFamily(match.destination, family, self),
  );
}

function peerHasFamily(peer: Peer, family: Family, self: AddressSet | null): boolean {
  if (peer.negated) return !peer.any;
  const isSelf = peer.self && (self === null || ranges(self, family).length > 0);
  return peer.any || isSelf || ranges(peer.addresses, family).length > 0;
}

function ranges(set: AddressSet, family: Family): AddressSet["v4"] {
  return family === 4 ? set.v4 : set.v6;
}

function checkFamilies(match: Match, clauses: Clauses, self: AddressSet | null, log: Log): boolean {
  if (familiesOf(match, self).length > 0) return true;
  const ends = [
    { node: clauses.from, peer: match.source },
    { node: clauses.to, peer: match.destination },
  ];
  const everything = ends.find(({ node, peer }) => node && peer.negated && peer.any);
  if (everything?.node) {
    log.report({
      check: "unmatchable-rule",
      level: "error",
      message: "no packet can match: `not any` is nothing at all",
      span: everything.node.span,
      help: "name the addresses that are meant",
    });
    return false;
  }
  const parts = ends.flatMap(({ node, peer }) =>
    // What holds for both families is not what is in the way.
    node && families(peer, self).length < 2
      ? [{ span: node.span, text: `this is ${describeFamilies(peer, self)}` }]
      : [],
  );
  const kinds = new Set(match.traffic.map(({ family }) => family));
  const [family] = kinds;
  if (clauses.traffic && kinds.size === 1 && family)
    parts.unshift({ span: clauses.traffic.span, text: `this is IPv${family}` });
  const last = parts.at(-1);
  log.report({
    check: "families-cannot-meet",
    level: "error",
    message: "no packet can match: the parts of this sentence have no IP version in common",
    span: last?.span ?? clauses.span,
    ...(last && { label: last.text }),
    related: parts.slice(0, -1),
    help: "give both ends addresses of the same family",
  });
  return false;
}

function families(peer: Peer, self: AddressSet | null): readonly Family[] {
  return ([4, 6] as const).filter((family) => peerHasFamily(peer, family, self));
}

function describeFamilies(peer: Peer, self: AddressSet | null): string {
  const [family] = families(peer, self);
  return family === undefined ? "empty" : `IPv${family}`;
}

function checkPaths(match: Match, clauses: Clauses, self: AddressSet | null, log: Log): boolean {
  if (PATHS.some((path) => canTakePath(match, path, self !== null))) return true;
  const wrong = clauses.in ?? clauses.out;
  log.report({
    check: "unmatchable-rule",
    level: "error",
    message: "no packet can match: these ends and interfaces never come together",
    span: wrong?.span ?? clauses.span,
    notes: [
      "`in` is where a packet arrives, so it excludes what this host sends (`from self`); `out` is where a packet leaves, so it excludes what this host receives (`to self`).",
    ],
    help:
      clauses.in && match.source.self ? "write `out`, or leave the interface out" : "leave the interface out",
  });
  return false;
}

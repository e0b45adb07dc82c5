import type { Family } from "../address/ranges.ts";
import type { Domain } from "../packets/domain.ts";
import { enumerated, rankDomain } from "../packets/domain.ts";
import type { Diagram } from "../packets/nodes.ts";
import { createSpace, type Space } from "../packets/space.ts";
import { piecesOf } from "../packets/walk.ts";
import type { Policy } from "../policy/policy.ts";
import { createDomains, type Extras, type Fields, type World } from "./world.ts";

/**
 * What connection tracking says of a packet: its state, and whether its flow's destination is translated. Nothing is
 * translated that is invalid or untracked.
 */
export const SEEN = [
  "new",
  "new-translated",
  "established",
  "established-translated",
  "related",
  "related-translated",
  "invalid",
  "untracked",
] as const;

export type Seen = (typeof SEEN)[number];

/** What routing says of a destination. */
export const DELIVERIES = ["elsewhere", "local", "broadcast", "anycast", "multicast"] as const;

/** The fields of a packet and what the kernel has found out about it by the time a ruleset sees it. */
export type SeenFields = Fields & {
  /** The index in `SEEN`. */
  readonly seen: number;
  /** The index in `DELIVERIES`. Told apart only where somebody asks. */
  readonly delivery: number;
};

export type SeenSpace = Space<SeenFields>;

/** A world whose packets have a state. Everything that speaks of packets speaks of packets in any state. */
export interface SeenWorld extends World {
  readonly seenSpaces: Readonly<Record<Family, SeenSpace>>;
}

/** A world of packets with states, exact for some policies and what `extras` names. */
export function createSeenWorld(
  policies: readonly Policy[],
  extras: Extras & { readonly deliveries?: boolean } = {},
): SeenWorld {
  const { devices, domains } = createDomains(policies, extras);
  const delivery: Domain<number> = extras.deliveries
    ? enumerated(DELIVERIES.length)
    : rankDomain(DELIVERIES.length, []);
  const space = (family: Family): SeenSpace =>
    createSpace<SeenFields>({ seen: enumerated(SEEN.length), delivery, ...domains(family) });
  const seenSpaces = { 4: space(4), 6: space(6) };
  // A space of more fields is one of fewer to those who do not name the others.
  return { devices, seenSpaces, spaces: seenSpaces as unknown as World["spaces"] };
}

/** What a map says of packets in one state: a map that does not ask for the state any more. */
export function inState(space: SeenSpace, map: Diagram, seen: Seen): Diagram {
  const { starts, ids } = piecesOf(space.engine.nodes, space.fields[0]!, map);
  const index = SEEN.indexOf(seen);
  return ids[starts.findLastIndex((start) => start <= index)] as Diagram;
}

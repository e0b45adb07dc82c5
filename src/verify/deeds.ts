import type { Family } from "../address/ranges.ts";
import { type Outcome, type Outcomes, UNDECIDED } from "../meaning/outcomes.ts";
import { inState, type Seen, type SeenSpace, type SeenWorld } from "../meaning/seen.ts";
import { joinMaps } from "../meaning/sequence.ts";
import type { Hook } from "../netfilter/ruleset.ts";
import type { ScriptRuleset } from "../netfilter/script.ts";
import type { Diagram } from "../packets/nodes.ts";
import { verdictsOf } from "../packets/walk.ts";
import type { Path } from "../policy/packet.ts";
import { PATHS } from "../policy/paths.ts";
import { chainMaps } from "./chains.ts";

/** Priorities at which the kernel rewrites destinations, and sources. */
const DESTINATION_NAT = -100;
const SOURCE_NAT = 100;

/**
 * What a ruleset does with every packet of a family: the maps of `Conduct`, made from chains instead of sentences, with the
 * same leaves, and `anything` where a statement is not understood.
 */
export interface Deeds {
  /** Packets in a state, untranslated. `untracked` is for those that the kernel never tracks. */
  inState(seen: Seen): Diagram;
  /** Packets that open a flow, as they are once their destination was rewritten. */
  translated(): Diagram;
  /** What becomes of the source, as a leaf `translate`. */
  sourceNat(seen: "new" | "new-translated"): Diagram;
  /** Leaves `tracked`, `untracked`, `drop` and `anything`. */
  readonly raw: Diagram;
}

/**
 * Carries a ruleset out for all packets at once, hook by hook as in the kernel and as `simulate` does for one packet: raw,
 * connection tracking, NAT of the destination, filter, NAT of the source; on loopback then once more what arrives.
 */
export function deedsOf(ruleset: ScriptRuleset, family: Family, world: SeenWorld, outcomes: Outcomes): Deeds {
  const space = world.seenSpaces[family];
  const maps = chainMaps(ruleset, family, space, world.devices, outcomes);
  const { sequence } = maps;
  const tracked = outcomes.leaf("tracked");
  const untracked = outcomes.leaf("untracked");
  const accept = {
    tracked: outcomes.leaf("accept", "tracked"),
    untracked: outcomes.leaf("accept", "untracked"),
  };

  const onPaths = (...paths: readonly Path[]): Diagram =>
    space.set([
      {
        path: paths
          .map((path) => PATHS.indexOf(path))
          .sort((a, b) => a - b)
          .map((path) => ({ first: path, last: path })),
      },
    ]);
  const isArriving = onPaths("input", "forward");
  const split = (arriving: Diagram, sent: Diagram): Diagram =>
    space.union(space.restrict(arriving, isArriving), space.without(sent, isArriving));

  // Raw comes before connection tracking, to which a packet without a connection is invalid.
  const rawAt = (hook: Hook): Diagram => maps.hook("raw", hook);
  const rawPrerouting = rawAt("prerouting");
  const raw = space.map(
    inState(space, split(rawPrerouting, rawAt("output")), "invalid"),
    outcomes.rewriter(({ kind }, self) =>
      kind === "undecided" ? tracked : kind === "marked" ? untracked : self,
    ),
  );

  const early = (priority: number): boolean => priority < DESTINATION_NAT;
  const late = (priority: number): boolean => !early(priority);
  const before = split(maps.hook("filter", "prerouting", early), maps.hook("filter", "output", early));
  // What went out on loopback comes in again with the mark that it has: raw can drop it, but no longer untrack it.
  const again = space.map(
    rawPrerouting,
    outcomes.rewriter(({ kind }, self) => (kind === "marked" ? UNDECIDED : self)),
  );
  const received = [maps.hook("filter", "prerouting", late), maps.hook("filter", "input")];
  const leaving = maps.hook("filter", "postrouting", (priority) => priority < SOURCE_NAT);
  const sent = [maps.hook("filter", "output", late), leaving];
  const ways: readonly (readonly [Path, readonly Diagram[]])[] = [
    ["input", received],
    ["forward", [maps.hook("filter", "prerouting", late), maps.hook("filter", "forward"), leaving]],
    ["output", sent],
    ["loopback", [...sent, again, maps.hook("filter", "prerouting", early), ...received]],
  ];
  const filter = ways.reduce(
    (all, [path, hooks]) => space.union(all, space.restrict(joinMaps(space, hooks, sequence), onPaths(path))),
    space.nothing,
  );

  const destinationNat = inState(
    space,
    split(maps.hook("nat", "prerouting"), maps.hook("nat", "output")),
    "new",
  );
  const toInput = onPaths("input");
  const sources = space.union(
    space.restrict(maps.hook("nat", "input"), toInput),
    space.without(maps.hook("nat", "postrouting"), toInput),
  );
  const hidden = maps.hook("filter", "postrouting", (priority) => priority >= SOURCE_NAT);

  /** Accepts what came through. */
  const accepting = (map: Diagram, leaf: Outcome): Diagram =>
    space.map(
      map,
      outcomes.rewriter(({ kind }, self) => (kind === "undecided" || kind === "marked" ? leaf : self)),
    );
  /** What chains that come after source NAT make of a packet, whose source they see rewritten. */
  const afterwards = (map: Diagram, seen: Seen): Diagram => {
    if (hidden === space.nothing) return map;
    const rewritten = space.decided(inState(space, sources, seen));
    const unknowable = space.map(rewritten, (is) =>
      is ? outcomes.leaf("anything", "chains after source NAT") : UNDECIDED,
    );
    return joinMaps(space, [map, space.overlay(unknowable, inState(space, hidden, seen))], sequence);
  };
  const filtered = (seen: Seen): Diagram => afterwards(inState(space, filter, seen), seen);

  const unmarked = accepting(
    joinMaps(space, [inState(space, before, "untracked"), filtered("untracked")], sequence),
    accept.untracked,
  );
  const afterRaw = rawFirst(space, raw, unmarked, outcomes);
  const known = new Map<string, Diagram>();

  return {
    raw,
    inState(seen) {
      const onward = [
        inState(space, before, seen),
        ...(seen === "new" ? [destinationNat] : []),
        filtered(seen),
      ];
      const leaf = seen === "untracked" ? accept.untracked : accept.tracked;
      // Most states are alike.
      const key = [...onward, leaf].join();
      const map = known.get(key) ?? afterRaw(accepting(joinMaps(space, onward, sequence), leaf));
      known.set(key, map);
      return map;
    },
    translated: () => accepting(filtered("new-translated"), accept.tracked),
    sourceNat: (seen) => inState(space, sources, seen),
  };
}

/** A function that makes of what becomes of tracked packets what becomes of all: what raw says comes first. */
function rawFirst(
  space: SeenSpace,
  raw: Diagram,
  unmarked: Diagram,
  outcomes: Outcomes,
): (tracked: Diagram) => Diagram {
  const kinds = verdictsOf(space, raw).map((outcome) => outcomes.leafOf(outcome)?.kind ?? null);
  if (!kinds.includes(null)) {
    const untracked = space.map(raw, (outcome) => (outcomes.leafOf(outcome)!.kind === "untracked" ? 1 : 0));
    const gone = space.map(raw, (outcome) => {
      const { kind } = outcomes.leafOf(outcome)!;
      return kind === "tracked" || kind === "untracked" ? UNDECIDED : outcome;
    });
    const settled = space.union(gone, space.restrict(unmarked, untracked));
    return (tracked) => space.overlay(settled, tracked);
  }
  // Where raw asks something, what comes after stands in the answers.
  const pairs = new Map<string, number>();
  const list: (readonly [Outcome, Outcome])[] = [];
  const pair = (a: Outcome, b: Outcome): number => {
    const key = `${a} ${b}`;
    const number = pairs.get(key) ?? list.push([a, b]) - 1;
    pairs.set(key, number);
    return number;
  };
  const graft = outcomes.grafter(({ kind }, self, next) => {
    const [ifTracked, ifUntracked] = list[next]!;
    return kind === "tracked" ? ifTracked : kind === "untracked" ? ifUntracked : self;
  });
  return (tracked) => space.combine(raw, space.combine(tracked, unmarked, pair), graft);
}

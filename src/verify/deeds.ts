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
  const { told, unmarking, accepting } = rewritersOf(outcomes);

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
  const raw = space.map(inState(space, split(rawPrerouting, rawAt("output")), "invalid"), told);

  const early = (priority: number): boolean => priority < DESTINATION_NAT;
  const late = (priority: number): boolean => !early(priority);
  const before = split(maps.hook("filter", "prerouting", early), maps.hook("filter", "output", early));
  // What went out on loopback comes in again with the mark that it has: raw can drop it, but no longer untrack it.
  const again = space.map(rawPrerouting, unmarking);
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

  const unmarked = space.map(
    joinMaps(space, [inState(space, before, "untracked"), filtered("untracked")], sequence),
    accepting.untracked,
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
      const tracking = seen === "untracked" ? "untracked" : "tracked";
      // Most states are alike.
      const key = [...onward, tracking].join();
      const map =
        known.get(key) ?? afterRaw(space.map(joinMaps(space, onward, sequence), accepting[tracking]));
      known.set(key, map);
      return map;
    },
    translated: () => space.map(filtered("new-translated"), accepting.tracked),
    sourceNat: (seen) => inState(space, sources, seen),
  };
}

/** What is put in the place of leaves: the same functions for every script, so that diagrams of one are those of the next. */
interface Rewriters {
  /** What raw says in the end. */
  readonly told: (outcome: Outcome) => Outcome;
  readonly unmarking: (outcome: Outcome) => Outcome;
  /** Accept what came through. */
  readonly accepting: Readonly<Record<"tracked" | "untracked", (outcome: Outcome) => Outcome>>;
  /** Where raw asks nothing: what it leaves untracked, and what it settles. */
  readonly isUntracked: (outcome: Outcome) => number;
  readonly gone: (outcome: Outcome) => Outcome;
}

const known = new WeakMap<Outcomes, Rewriters>();

function rewritersOf(outcomes: Outcomes): Rewriters {
  const before = known.get(outcomes);
  if (before) return before;
  const tracked = outcomes.leaf("tracked");
  const untracked = outcomes.leaf("untracked");
  const accepting = (leaf: Outcome) =>
    outcomes.rewriter(({ kind }, self) => (kind === "undecided" || kind === "marked" ? leaf : self));
  const rewriters: Rewriters = {
    told: outcomes.rewriter(({ kind }, self) =>
      kind === "undecided" ? tracked : kind === "marked" ? untracked : self,
    ),
    unmarking: outcomes.rewriter(({ kind }, self) => (kind === "marked" ? UNDECIDED : self)),
    accepting: {
      tracked: accepting(outcomes.leaf("accept", "tracked")),
      untracked: accepting(outcomes.leaf("accept", "untracked")),
    },
    isUntracked: (outcome) => (outcome === untracked ? 1 : 0),
    gone: (outcome) => (outcome === tracked || outcome === untracked ? UNDECIDED : outcome),
  };
  known.set(outcomes, rewriters);
  return rewriters;
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
    const { isUntracked, gone } = rewritersOf(outcomes);
    const untracked = space.map(raw, isUntracked);
    const settled = space.union(space.map(raw, gone), space.restrict(unmarked, untracked));
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

import type { Family } from "../address/ranges.ts";
import { type Conduct, conductOf, neverTracked } from "../meaning/conduct.ts";
import { createOutcomes, type Outcome, type Outcomes, UNDECIDED } from "../meaning/outcomes.ts";
import { onPaths, possibleSeen } from "../meaning/possible.ts";
import { rewritesOf } from "../meaning/rewrites.ts";
import { createSeenWorld, type SeenSpace, type SeenWorld } from "../meaning/seen.ts";
import { whereLeaves } from "../meaning/where-leaves.ts";
import { forget } from "../packets/forget.ts";
import type { Diagram } from "../packets/nodes.ts";
import { verdictsOf } from "../packets/walk.ts";
import { forwards } from "../policy/evaluate.ts";
import type { Path } from "../policy/packet.ts";
import type { Policy } from "../policy/policy.ts";
import { type ChangeKind, kindOf, STOPPED } from "./kinds.ts";

/** The states in which packets can be treated differently. `never` is what the kernel never tracks. */
export type DiffState = "opening" | "known" | "invalid" | "never" | "translated";

/** Packets that one policy treats otherwise than the other. */
export interface Change {
  readonly kind: ChangeKind;
  readonly family: Family;
  readonly state: DiffState;
  /** What is changed is not the verdict, but the source that packets leave with. */
  readonly isSource: boolean;
  readonly before: Outcome;
  readonly after: Outcome;
  readonly set: Diagram;
}

/** Two policies in one world, and every change between them. */
export interface Diff {
  readonly changes: readonly Change[];
  readonly world: SeenWorld;
  readonly outcomes: Outcomes;
}

/**
 * Everything that changes for any packet between two policies: none is listed where every packet has the same fate in every
 * state. What follows for the later packets of a flow from a change to its first is not listed again.
 */
export function diff(before: Policy, after: Policy): Diff {
  const world = createSeenWorld([before, after]);
  const outcomes = createOutcomes();
  const changes = ([4, 6] as const).flatMap((family) => changesOf(before, after, family, world, outcomes));
  return { changes, world, outcomes };
}

interface Side {
  readonly policy: Policy;
  readonly conduct: Conduct;
  /** Packets that open a flow, with `STOPPED` where the translated packet goes nowhere. */
  readonly opening: Diagram;
  /** Packets after translation. */
  readonly rewritten: Diagram;
}

function changesOf(
  before: Policy,
  after: Policy,
  family: Family,
  world: SeenWorld,
  outcomes: Outcomes,
): Change[] {
  const space = world.seenSpaces[family];
  // An address is this host's where either policy says so, which then is what both mean by it.
  const possible = space.intersection(
    possibleSeen(family, world, before.self),
    possibleSeen(family, world, after.self),
  );
  const never = space.intersection(neverTracked(family, world), possible);
  const trackable = space.difference(possible, never);
  const old = sideOf(before, family, world, outcomes, trackable);
  const now = sideOf(after, family, world, outcomes, trackable);
  const found: Change[] = [];

  /** What is told already, by kind: what follows from it for later packets is not told again. */
  const told = new Map<ChangeKind, Diagram>();

  const look = (state: DiffState, isSource: boolean, among: Diagram, oldMap: Diagram, newMap: Diagram) => {
    const one = space.restrict(oldMap, among);
    const other = space.restrict(newMap, among);
    if (one === other) return;
    const pairs: (readonly [Outcome, Outcome])[] = [[UNDECIDED, UNDECIDED]];
    const numbers = new Map<string, number>();
    const different = space.combine(one, other, (a, b) => {
      if (a === b || sameLimits(a, b, outcomes)) return 0;
      const key = `${a} ${b}`;
      const number = numbers.get(key) ?? pairs.push([a, b]) - 1;
      numbers.set(key, number);
      return number;
    });
    const fresh: Change[] = [];
    for (const number of verdictsOf(space, different)) {
      if (number === 0) continue;
      const [was, is] = pairs[number]!;
      const kind = isSource ? "translation" : kindOf(was, is, outcomes);
      const whole = space.where(different, number);
      const set = isSource ? whole : space.difference(whole, told.get(kind) ?? space.nothing);
      if (set !== space.nothing) fresh.push({ kind, family, state, isSource, before: was, after: is, set });
    }
    for (const { kind, set } of fresh) told.set(kind, space.union(told.get(kind) ?? space.nothing, set));
    found.push(...fresh);
  };

  look("opening", false, trackable, old.opening, now.opening);
  // Where one of them forwards nothing, that its state lets nothing pass there follows from its rules.
  const flowing =
    forwards(before) === forwards(after)
      ? trackable
      : space.difference(trackable, onPaths(space, ["forward"]));
  look("known", false, flowing, old.conduct.known, now.conduct.known);
  look("invalid", false, trackable, old.conduct.invalid, now.conduct.invalid);
  look("never", false, never, old.conduct.never, now.conduct.never);

  // A packet whose destination was rewritten fares as one that came so, but where an untracked rule has a say.
  const looks = space.union(old.rewritten, now.rewritten);
  if (looks !== space.nothing)
    look("translated", false, looks, old.conduct.translated(), now.conduct.translated());

  const opened = (side: Side): Diagram =>
    space.union(passing(space, outcomes, side.opening), translatedPassing(space, outcomes, side));
  const both = space.intersection(trackable, space.intersection(opened(old), opened(now)));
  look("opening", true, both, old.conduct.sourceNat, now.conduct.sourceNat);
  return found;
}

function sideOf(
  policy: Policy,
  family: Family,
  world: SeenWorld,
  outcomes: Outcomes,
  trackable: Diagram,
): Side {
  const space = world.seenSpaces[family];
  const conduct = conductOf(policy, family, world, outcomes);
  let after = space.nothing;
  let stopped = space.nothing;
  const rewrites = rewritesOf(policy, conduct, trackable, family, world, outcomes);
  const translatedPasses =
    rewrites.length > 0 ? passing(space, outcomes, conduct.translated()) : space.nothing;
  for (const { nat, before, after: looks } of rewrites) {
    after = space.union(after, looks);
    const passes = space.intersection(looks, translatedPasses);
    stopped = space.union(
      stopped,
      space.difference(before, passingOnceRewritten(space, before, passes, nat)),
    );
  }
  const opening =
    stopped === space.nothing
      ? conduct.opening
      : space.overlay(
          space.map(
            space.restrict(conduct.opening, stopped),
            outcomes.rewriter(({ kind, detail }, self) =>
              kind === "translate" ? outcomes.leaf(STOPPED, detail) : self,
            ),
          ),
          conduct.opening,
        );
  return { policy, conduct, opening, rewritten: after };
}

/**
 * Those packets some way of which leads through the filter once their destination is rewritten. What of a packet stays as
 * it is tells which: where it came in, or, of what this host sends, where it was to leave.
 */
function passingOnceRewritten(
  space: SeenSpace,
  before: Diagram,
  passes: Diagram,
  { ports }: Policy["destinationNat"][number],
): Diagram {
  const changed = [
    "delivery",
    "path",
    "destination",
    ...(ports ? (["destinationPort"] as const) : []),
  ] as const;
  const among = (paths: readonly Path[], otherSide: "in" | "out"): Diagram => {
    const on = onPaths(space, paths);
    const kept = forget(space, space.intersection(passes, on), [...changed, otherSide]);
    return space.intersection(space.intersection(before, on), kept);
  };
  return space.union(among(["input", "forward"], "out"), among(["loopback", "output"], "in"));
}

/** Packets that may open a tracked flow as they are. */
function passing(space: SeenSpace, outcomes: Outcomes, map: Diagram): Diagram {
  return whereLeaves(space, outcomes, map, ({ kind, detail }) => kind === "accept" && detail === "tracked");
}

function translatedPassing(
  space: SeenSpace,
  outcomes: Outcomes,
  { rewritten: after, conduct }: Side,
): Diagram {
  if (after === space.nothing) return after;
  return space.intersection(after, passing(space, outcomes, conduct.translated()));
}

/** Whether two outcomes ask the same limits, of whatever rules, and come to the same. */
function sameLimits(a: Outcome, b: Outcome, outcomes: Outcomes): boolean {
  const x = outcomes.askedOf(a);
  const y = outcomes.askedOf(b);
  if (!x || !y) return a === b;
  const { question: p } = x;
  const { question: q } = y;
  return (
    p.kind === "limit" &&
    q.kind === "limit" &&
    p.count === q.count &&
    p.unit === q.unit &&
    p.burst === q.burst &&
    sameLimits(x.yes, y.yes, outcomes) &&
    sameLimits(x.no, y.no, outcomes)
  );
}

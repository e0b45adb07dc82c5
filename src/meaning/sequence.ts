import { compose } from "../packets/first-match.ts";
import { type Diagram, NONE, terminal, verdictOf } from "../packets/nodes.ts";
import type { RuleList } from "../packets/rules.ts";
import type { Packet, Space } from "../packets/space.ts";
import type { Outcome } from "./outcomes.ts";

/** How an outcome goes on: what the rules so far come to, and those after them, come to together. */
export interface Sequence {
  /** Associative; `UNDECIDED` is neutral. */
  readonly join: (first: Outcome, next: Outcome) => Outcome;
  /** Nothing that comes after changes this outcome. */
  readonly settled: (outcome: Outcome) => boolean;
}

/** What a list of rules, whose verdicts are outcomes, comes to for every packet. */
export function sequenceOf<P extends Packet>(list: RuleList<P>, { join, settled }: Sequence): Diagram {
  const { operations } = list.space.engine;
  const joined = operations.combiner(join, { settled, neutral: true });
  // The engine's own overlay is faster, and all that is needed where every rule has the last word.
  const overlay = list.verdicts.every(settled)
    ? operations.overlay
    : (first: number, next: number): number => (first === NONE ? next : joined(first, next));
  return compose(list, {
    terminalOf: (rule) => terminal(list.verdicts[rule]!),
    overlay,
    settled: (id) => settled(verdictOf(id)),
  }).map;
}

/** The same of maps that are there already, the first of which is asked first. */
export function joinMaps<P extends Packet>(
  space: Space<P>,
  maps: readonly Diagram[],
  { join, settled }: Sequence,
): Diagram {
  const present = maps.filter((map) => map !== space.nothing);
  const joined = (start: number, end: number): Diagram => {
    if (end - start < 2) return present[start] ?? space.nothing;
    const middle = (start + end) >> 1;
    return space.combine(joined(start, middle), joined(middle, end), join, { settled, neutral: true });
  };
  return joined(0, present.length);
}

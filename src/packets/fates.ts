import { firstMatch } from "./first-match.ts";
import type { Diagram } from "./nodes.ts";
import { matchOf, type RuleList } from "./rules.ts";
import type { Packet } from "./space.ts";
import { verdictsOf } from "./walk.ts";

/** What becomes of a rule among the others. */
export interface Fate {
  /** Some packet meets its conditions. */
  readonly matches: boolean;
  /** Some packet meets them and no earlier rule decides it. */
  readonly decides: boolean;
  /** The verdicts of the earlier rules that decide packets of this one, ascending. */
  readonly takenBy: readonly number[];
  /** Without the rule every packet would have the same verdict. So it is with a rule that decides nothing. */
  readonly removable: boolean;
}

/** Set in a verdict: not that of an earlier rule, but what the packet would get from later ones. */
const LATER = 1 << 20;
/** Rules whose tree of first-match diagrams is held at once. */
const BLOCK = 1 << 11;

/**
 * The fate of every rule of a list; `otherwise` is what decides where no rule matches (`space.nothing` for nobody).
 *
 * Asking rule by rule "is it in the union of all earlier ones?" walks a large diagram for every rule. Instead one map
 * is divided along with the list. For the rules of a segment it holds, *on the packets of the segment only*, what the
 * rules before the segment decide, and where they do not, what those after it would. Halving the segment, the left
 * half's map learns what the right half says later, the right half's what the left half said earlier; both shrink to
 * their halves' packets. At a single rule the map says all: the rule decides something if anything is left to later
 * rules, and can go if all of that would get its own verdict. Each level of this recursion handles each rule's packets
 * once, so the work grows as that of building the list does.
 */
export function fatesOf<P extends Packet>(list: RuleList<P>, otherwise: Diagram): Fate[] {
  const { space } = list;
  const { engine } = space;
  const { nodes, operations, pins } = engine;
  const base = nodes.count;
  const bottom = pins.length;
  const fates: Fate[] = [];

  /** Pins the first-match diagrams of a segment and all its halves; the tree refers to them by place. */
  const plant = (start: number, end: number, smallest: number): Tree => {
    const middle = end - start > smallest ? start + Math.ceil((end - start) / smallest / 2) * smallest : end;
    if (middle >= end) {
      const single = end - start === 1;
      pins.push(
        single
          ? engine.operations.map(matchOf(list, start), (is) => is && list.verdicts[start]!)
          : firstMatch(list, start, end),
      );
      return { start, end, place: pins.length - 1, halves: null };
    }
    const left = plant(start, middle, smallest);
    const right = plant(middle, end, smallest);
    pins.push(operations.overlay(pins[left.place]!, pins[right.place]!));
    engine.collectIfWorthwhile(base);
    return { start, end, place: pins.length - 1, halves: [left, right] };
  };

  /** The map of the segment is on top of the pins; it is gone afterwards. */
  const descend = (tree: Tree): void => {
    engine.collectIfWorthwhile(base);
    if (tree.halves) {
      const [left, right] = tree.halves;
      const map = pins.length - 1;
      pins.push(
        operations.combine(
          operations.keep(pins[map]!, pins[left.place]!),
          pins[right.place]!,
          later,
          SHORTCUTS,
        ),
      );
      descend(left);
      pins.push(
        operations.combine(
          operations.keep(pins[map]!, pins[right.place]!),
          pins[left.place]!,
          earlier,
          SHORTCUTS,
        ),
      );
      descend(right);
    } else if (tree.end - tree.start > 1) {
      const inner = plant(tree.start, tree.end, 1);
      pins.push(pins[inner.place - (2 * (tree.end - tree.start) - 1)]!);
      descend(inner);
      pins.length -= 2 * (tree.end - tree.start) - 1;
    } else {
      fates[tree.start] = fateOf(verdictsOf(space, pins.at(-1) as Diagram), list.verdicts[tree.start]!);
    }
    pins.pop();
  };

  if (list.count === 0) return [];
  const whole = plant(0, list.count, BLOCK);
  const later0 = operations.map(otherwise, (verdict) => verdict | LATER);
  pins.push(operations.keep(later0, pins[whole.place]!));
  descend(whole);
  pins.length = bottom;
  engine.collectIfWorthwhile(base);
  return fates;
}

interface Tree {
  readonly start: number;
  readonly end: number;
  /** Where in the pins the first-match diagram of the segment is. */
  readonly place: number;
  readonly halves: readonly [Tree, Tree] | null;
}

/** Of a map and the verdicts of rules that come next. */
function later(known: number, next: number): number {
  return next === 0 ? known : next | LATER;
}

/** Of a map and the verdicts of rules that came just before. */
function earlier(known: number, previous: number): number {
  return previous === 0 ? known : previous;
}

/** What an earlier rule decided stays, and what is outside the segment stays outside. */
const SHORTCUTS = { settled: (verdict: number) => verdict < LATER, neutral: true };

function fateOf(verdicts: readonly number[], own: number): Fate {
  const takenBy = verdicts.filter((verdict) => verdict !== 0 && verdict < LATER);
  const left = verdicts.filter((verdict) => verdict >= LATER);
  return {
    matches: takenBy.length + left.length > 0,
    decides: left.length > 0,
    takenBy,
    removable: left.every((verdict) => verdict === (own | LATER)),
  };
}

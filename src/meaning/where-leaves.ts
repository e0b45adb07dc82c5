import type { Diagram } from "../packets/nodes.ts";
import { type Leaf, type Outcome, type Outcomes, UNDECIDED } from "./outcomes.ts";
import type { SeenSpace } from "./seen.ts";

/** Packets some of whose outcomes, or with `all` every one of them, are such leaves. */
export function whereLeaves(
  space: SeenSpace,
  outcomes: Outcomes,
  map: Diagram,
  holds: (leaf: Leaf) => boolean,
  all = false,
): Diagram {
  const answers = new Map<Outcome, number>([[UNDECIDED, 0]]);
  return space.map(map, (outcome) => {
    const known = answers.get(outcome);
    if (known !== undefined) return known;
    const leaves = outcomes.leavesOf(outcome);
    const answer = (all ? leaves.every(holds) : leaves.some(holds)) ? 1 : 0;
    answers.set(outcome, answer);
    return answer;
  });
}

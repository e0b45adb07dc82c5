import { createIntMap } from "./int-map.ts";
import { branchesOf, type Diagram, levelOf, type Nodes, RADIX, verdictOf } from "./nodes.ts";
import type { Field, Packet, Space } from "./space.ts";

/** How a diagram goes on from one field: as `ids[i]` from rank `starts[i]` to the next start. Neighbours differ. */
export interface Pieces {
  readonly starts: readonly number[];
  readonly ids: readonly number[];
}

/** What a diagram, whose fields before `field` are settled, makes of each rank of it. */
export function piecesOf(nodes: Nodes, field: Field, diagram: number): Pieces {
  const end = field.firstLevel + field.levels;
  const starts: number[] = [];
  const ids: number[] = [];
  const visit = (id: number, code: number, level: number): void => {
    if (code >= field.domain.ranks) return;
    if (levelOf(id) >= end) {
      if (ids.at(-1) === id) return;
      starts.push(code);
      ids.push(id);
      return;
    }
    const step = 1 << (2 * (end - level - 1));
    for (let k = 0; k < RADIX; k++) {
      visit(levelOf(id) === level ? nodes.branches[branchesOf(id) + k]! : id, code + k * step, level + 1);
    }
  };
  visit(diagram, 0, field.firstLevel);
  return { starts, ids };
}

/** The verdicts that a diagram gives to some packet, 0 included, ascending. */
export function verdictsOf<P extends Packet>(space: Space<P>, diagram: Diagram): number[] {
  const { nodes } = space.engine;
  const seen = createIntMap();
  const found: number[] = [];
  const visit = (id: number): void => {
    if (!seen.add(id)) return;
    if (id < 0) found.push(verdictOf(id));
    else for (let k = 0; k < RADIX; k++) visit(nodes.branches[branchesOf(id) + k]!);
  };
  visit(diagram);
  return found.sort((a, b) => a - b);
}

/** How many nodes a diagram has. */
export function sizeOf<P extends Packet>(space: Space<P>, diagram: Diagram): number {
  const { nodes } = space.engine;
  const seen = createIntMap();
  const visit = (id: number): void => {
    if (id < 0 || !seen.add(id)) return;
    for (let k = 0; k < RADIX; k++) visit(nodes.branches[branchesOf(id) + k]!);
  };
  visit(diagram);
  return seen.size;
}

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

/** Diagrams of more nodes are walked by index, not by branch. */
const MANY = 1 << 12;

/** The verdicts that a diagram gives to some packet, 0 included, ascending. */
export function verdictsOf<P extends Packet>(space: Space<P>, diagram: Diagram): number[] {
  const { nodes } = space.engine;
  const seen = createIntMap();
  const found = new Set<number>();
  const visit = (id: number): void => {
    if (id < 0) found.add(verdictOf(id));
    else if (seen.size < MANY && seen.add(id)) {
      for (let k = 0; k < RADIX; k++) visit(nodes.branches[branchesOf(id) + k]!);
    }
  };
  visit(diagram);
  if (seen.size === MANY) for (const verdict of verdictsByIndex(nodes, diagram)) found.add(verdict);
  return [...found].sort((a, b) => a - b);
}

/** Branches have smaller indices: one pass down meets every node after all that lead to it, in the order of memory. */
function verdictsByIndex({ branches }: Nodes, diagram: number): Set<number> {
  const found = new Set<number>();
  const reached = new Uint8Array(branchesOf(diagram) / RADIX + 1);
  reached[reached.length - 1] = 1;
  for (let index = reached.length - 1; index >= 0; index--) {
    if (reached[index] === 0) continue;
    for (let at = index * RADIX; at < (index + 1) * RADIX; at++) {
      const id = branches[at]!;
      if (id < 0) found.add(verdictOf(id));
      else reached[branchesOf(id) / RADIX] = 1;
    }
  }
  return found;
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

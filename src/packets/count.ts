import { type Diagram, NONE } from "./nodes.ts";
import type { Packet, Space } from "./space.ts";
import { piecesOf } from "./walk.ts";

/** How many packets a diagram decides, exactly. One pass over it, with big integers: for display, not for tests. */
export function countPackets<P extends Packet>(space: Space<P>, diagram: Diagram): bigint {
  const { fields, engine } = space;
  /** By field, how many packets its own and all later fields spell. */
  const sizes = Array<bigint>(fields.length + 1).fill(1n);
  for (let i = fields.length - 1; i >= 0; i--) sizes[i] = sizes[i + 1]! * BigInt(fields[i]!.domain.size);
  /** By field: a diagram that skips fields means something else at each of them. */
  const known: Map<number, bigint>[] = [];

  const count = (id: number, from: number): bigint => {
    if (id === NONE) return 0n;
    if (id < 0) return sizes[from]!;
    known[from] ??= new Map();
    const before = known[from].get(id);
    if (before !== undefined) return before;
    const { domain } = fields[from]!;
    const pieces = piecesOf(engine.nodes, fields[from]!, id);
    let sum = 0n;
    pieces.ids.forEach((next, i) => {
      if (next !== NONE)
        sum += domain.weight(pieces.starts[i]!, pieces.starts[i + 1] ?? domain.ranks) * count(next, from + 1);
    });
    known[from].set(id, sum);
    return sum;
  };
  return count(diagram, 0);
}

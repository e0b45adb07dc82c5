import { type Diagram, NONE } from "./nodes.ts";
import type { Packet, Space } from "./space.ts";
import { piecesOf } from "./walk.ts";

/**
 * The packets that are in the set with *some* values of the named fields: the set with these fields no longer asked.
 * (Existential quantification; the projection of the set on its other fields.)
 */
export function forget<P extends Packet>(
  space: Space<P>,
  set: Diagram,
  forgotten: readonly (keyof P & string)[],
): Diagram {
  const { engine, fields } = space;
  const { nodes, operations } = engine;
  /** By field, what the diagrams below it have become. */
  const known = fields.map(() => new Map<number, number>());

  function from(depth: number, id: number): number {
    const field = fields[depth];
    if (id < 0 || !field) return id;
    const done = known[depth]!.get(id);
    if (done !== undefined) return done;
    const { starts, ids } = piecesOf(nodes, field, id);
    const below = ids.map((one) => from(depth + 1, one));
    const result = forgotten.includes(field.name)
      ? below.reduce((union, one) => operations.overlay(union, one), NONE)
      : engine.branch(field, starts, below);
    known[depth]!.set(id, result);
    return result;
  }

  return from(0, space.decided(set)) as Diagram;
}

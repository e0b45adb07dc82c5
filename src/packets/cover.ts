import type { Condition, Value } from "./domain.ts";
import { createIntMap } from "./int-map.ts";
import { branchesOf, type Diagram, levelOf, NONE, RADIX } from "./nodes.ts";
import { complementRanks, mergeRanks, type RankSet } from "./ranks.ts";
import type { Cube, Field, Packet, RankedCube, Space } from "./space.ts";
import { piecesOf } from "./walk.ts";

/** A set of packets as people read it. */
export interface Cover<P extends Packet> {
  /** The largest first. They may overlap, and no field of any could be wider. */
  readonly cubes: readonly Cube<P>[];
  /** The packets that no cube holds; `space.nothing` where the cover is whole. */
  readonly remainder: Diagram;
}

/**
 * Covers a set with at most `most` cubes, greedily: the largest box that one path through the diagram spells, widened
 * field by field as far as the set allows, then the same for what is left. Few cubes, not the fewest: that would be
 * NP-hard. A field lists its ranges or, where that is shorter, those that it is not in.
 */
export function coverOf<P extends Packet>(space: Space<P>, set: Diagram, most: number): Cover<P> {
  const cubes: RankedCube[] = [];
  const [remainder] = space.tidy(() => {
    let rest = space.decided(set);
    while (rest !== space.nothing && cubes.length < most) {
      const cube = widen(space, set, largestBox(space, rest));
      cubes.push(cube);
      rest = space.without(rest, space.engine.cube(cube, 1) as Diagram);
    }
    return [rest] as const;
  });
  return { cubes: cubes.map((cube) => readable(space.fields, cube) as Cube<P>), remainder };
}

/** The box of one path, in ranks, with the most packets. Sizes are floating point: they only rank the boxes. */
function largestBox<P extends Packet>({ fields, engine }: Space<P>, set: Diagram): RankedCube {
  const known = fields.map(() => ({ ids: createIntMap(), steps: [] as Step[] }));

  const best = (id: number, from: number): Step => {
    if (from === fields.length) return { size: 1, ranks: null, next: id };
    const { ids, steps } = known[from]!;
    const index = ids.indexOf(id);
    if (index >= 0) return steps[index]!;
    const step = bestStep(id, from);
    ids.add(id);
    steps.push(step);
    return step;
  };

  const bestStep = (id: number, from: number): Step => {
    const { domain } = fields[from]!;
    const pieces = piecesOf(engine.nodes, fields[from]!, id);
    /** By the diagram that they go on to, the ranks that lead there. */
    const ways = new Map<number, { size: number; ranks: number[] }>();
    pieces.ids.forEach((next, i) => {
      if (next === NONE) return;
      const start = pieces.starts[i]!;
      const end = pieces.starts[i + 1] ?? domain.ranks;
      const way = ways.get(next) ?? { size: 0, ranks: [] };
      way.size += Number(domain.weight(start, end));
      way.ranks.push(start, end);
      ways.set(next, way);
    });
    let found: Step | null = null;
    for (const [next, way] of ways) {
      const size = way.size * best(next, from + 1).size;
      if (!found || size > found.size) found = { size, ranks: mergeRanks(way.ranks, domain.ranks), next };
    }
    return found!;
  };

  const box: RankSet[] = [];
  let id: number = set;
  for (let from = 0; from < fields.length; from++) {
    const step = best(id, from);
    box.push(step.ranks);
    id = step.next;
  }
  return box;
}

/** A field's part of a box: the ranks, the diagram they lead to, and the packets from this field on. */
interface Step {
  readonly size: number;
  readonly ranks: RankSet;
  readonly next: number;
}

/** Opens each field of a box, top first, to every rank for which the box stays within `set`. */
function widen<P extends Packet>(space: Space<P>, set: Diagram, box: RankedCube): RankedCube {
  let wide = box;
  space.fields.forEach((field, i) => {
    const open = space.engine.cube(wide.with(i, null), 1) as Diagram;
    const outside = ranksIn(space, field, space.without(open, set));
    wide = wide.with(i, complementRanks(outside, field.domain.ranks));
  });
  return wide;
}

/** The ranks of a field that occur in a set. */
function ranksIn<P extends Packet>({ engine: { nodes } }: Space<P>, field: Field, set: Diagram): RankSet {
  const seen = createIntMap();
  const found: number[] = [];
  const visit = (id: number): void => {
    if (id === NONE || !seen.add(id)) return;
    if (levelOf(id) < field.firstLevel) {
      for (let k = 0; k < RADIX; k++) visit(nodes.branches[branchesOf(id) + k]!);
      return;
    }
    const { starts, ids } = piecesOf(nodes, field, id);
    ids.forEach((next, i) => {
      if (next !== NONE) found.push(starts[i]!, starts[i + 1] ?? field.domain.ranks);
    });
  };
  visit(set);
  return mergeRanks(found, field.domain.ranks);
}

function readable(
  fields: readonly Field[],
  cube: RankedCube,
): { readonly [field: string]: Condition<Value> } {
  const conditions: Record<string, Condition<Value>> = {};
  fields.forEach(({ name, domain }, i) => {
    const ranks = cube[i]!;
    if (ranks === null) return;
    const values = domain.valuesOf(ranks);
    // Of one range nothing is shorter; and all others may be as many as there are addresses in all rules.
    const others = values.length > 1 ? domain.valuesOf(complementRanks(ranks, domain.ranks)) : null;
    conditions[name] = others && others.length < values.length ? { except: others } : values;
  });
  return conditions;
}

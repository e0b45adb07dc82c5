import type { Range } from "../address/ranges.ts";
import type { Value } from "./domain.ts";
import { type Diagram, NONE } from "./nodes.ts";
import type { RankSet } from "./ranks.ts";
import type { Field, Packet, Space } from "./space.ts";
import { type Pieces, piecesOf } from "./walk.ts";

/** Which values of a field a person would expect to see. */
export interface Preference<T extends Value> {
  /** The best first. A value that no range holds is taken only where there is nothing else. */
  readonly likes: readonly Range<T>[];
  /** Rather the second value than the first of a range: the first address of a prefix is its network, not a host. */
  readonly skipFirst?: boolean;
}

export type Preferences<P extends Packet> = { readonly [F in keyof P]?: Preference<P[F]> };

/**
 * One packet that the diagram decides; null where there is none. The most likeable value is chosen field by field, top
 * first, so an earlier field's preference weighs more. A diagram gives the same packet every time.
 */
export function witness<P extends Packet>(
  space: Space<P>,
  diagram: Diagram,
  preferences: Preferences<P> = {},
): P | null {
  if (diagram === space.nothing) return null;
  const packet: Record<string, Value> = {};
  let id: number = diagram;
  for (const field of space.fields) {
    const preference = preferences[field.name as keyof P] as Preference<Value> | undefined;
    const pieces = piecesOf(space.engine.nodes, field, id);
    const choice = choose(field, pieces, preference?.likes ?? []);
    const { first, last } = choice.run;
    packet[field.name] = preference?.skipFirst && first < last ? next(first) : first;
    id = choice.id;
  }
  return packet as P;
}

interface Choice {
  /** Values that follow each other, of one class. */
  readonly run: Range<Value>;
  readonly id: number;
}

function choose(field: Field, { starts, ids }: Pieces, likes: readonly Range<Value>[]): Choice {
  const { domain } = field;
  const everywhere = { first: typeof domain.size === "bigint" ? 0n : 0, last: domain.size };
  for (const liked of likes) {
    const ranks = domain.touching(liked);
    for (let i = 0; i < ids.length; i++) {
      // Every piece but NONE leads to a packet, or it would be NONE.
      if (ids[i] === NONE) continue;
      const rank = firstFrom(ranks, starts[i]!);
      if (rank >= (starts[i + 1] ?? domain.ranks)) continue;
      return { run: domain.firstRun(rank, liked)!, id: ids[i]! };
    }
  }
  const piece = ids.findIndex((id) => id !== NONE);
  return { run: domain.firstRun(starts[piece]!, everywhere)!, id: ids[piece]! };
}

/** The first rank of a set that is at least `start`; infinity where there is none. */
function firstFrom(ranks: RankSet, start: number): number {
  if (ranks === null) return start;
  let low = 0;
  let high = ranks.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranks[2 * middle + 1]! > start) high = middle;
    else low = middle + 1;
  }
  return 2 * low < ranks.length ? Math.max(start, ranks[2 * low]!) : Number.POSITIVE_INFINITY;
}

function next(value: Value): Value {
  return typeof value === "bigint" ? value + 1n : value + 1;
}

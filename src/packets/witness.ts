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
  /** A field above this one whose value is not chosen again, where there is another. */
  readonly unlike?: string;
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
    const preference: Preference<Value> = preferences[field.name as keyof P] ?? { likes: [] };
    const pieces = piecesOf(space.engine.nodes, field, id);
    const { value, id: below } = choose(field, pieces, preference, packet[preference.unlike ?? ""]);
    packet[field.name] = value;
    id = below;
  }
  return packet as P;
}

interface Choice {
  readonly value: Value;
  readonly id: number;
}

function choose(
  { domain }: Field,
  { starts, ids }: Pieces,
  { likes, skipFirst = false }: Preference<Value>,
  avoided: Value | undefined,
): Choice {
  const everywhere = { first: typeof domain.size === "bigint" ? 0n : 0, last: domain.size };
  /** What is liked but should be avoided. */
  let second: Choice | null = null;
  for (const liked of [...likes, everywhere]) {
    const ranks = domain.touching(liked);
    for (let i = 0; i < ids.length; i++) {
      // Every piece but NONE leads to a packet, or it would be NONE.
      if (ids[i] === NONE) continue;
      const rank = firstFrom(ranks, starts[i]!);
      const end = starts[i + 1] ?? domain.ranks;
      if (rank >= end) continue;
      const { first, last } = domain.firstRun(rank, liked)!;
      const value = skipFirst && first < last ? next(first) : first;
      if (value !== avoided) return { value, id: ids[i]! };
      const other =
        value < last ? next(value) : first < value ? first : another(domain, rank, ranks, end, last, liked);
      if (other !== null) return { value: other, id: ids[i]! };
      second ??= { value, id: ids[i]! };
    }
  }
  return second!;
}

/** A liked value behind `last`, which ends a run of `rank`: of the same rank or, up to `end`, of the next one of a set. */
function another(
  domain: Field["domain"],
  rank: number,
  ranks: RankSet,
  end: number,
  last: Value,
  liked: Range<Value>,
): Value | null {
  const rest = domain.firstRun(rank, { first: next(last), last: liked.last });
  if (rest) return rest.first;
  const following = firstFrom(ranks, rank + 1);
  return following < end ? domain.firstRun(following, liked)!.first : null;
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

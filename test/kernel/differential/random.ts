/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** An integer from 0 to `count` − 1. */
  below(count: number): number;
  pick<T>(list: readonly T[]): T;
  chance(probability: number): boolean;
}

/** Mulberry32: 32 bits of state, good enough to choose packets. */
export function randomOf(seed: number): Random {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b_79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const below = (count: number): number => Math.floor(next() * count);
  return {
    below,
    pick: (list) => list[below(list.length)]!,
    chance: (probability) => next() < probability,
  };
}

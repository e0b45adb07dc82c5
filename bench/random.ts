/** Numbers that look random and are the same on every machine. */
export interface Random {
  /** A whole number from 0 up to, but not including, `below`. */
  integer(below: number): number;
  /** True so often of a hundred times. */
  chance(percent: number): boolean;
  pick<T>(list: readonly T[]): T;
}

/** The generator mulberry32 (T. Ettinger, public domain): 32 bits of state, good enough to lay out test data. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const integer = (below: number): number => Math.floor(next() * below);
  return {
    integer,
    chance: (percent) => next() * 100 < percent,
    pick: (list) => list[integer(list.length)]!,
  };
}

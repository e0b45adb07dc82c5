/** A map from ids to indices that grows without the limit and the weight of a `Map`. */
export interface IntMap {
  readonly size: number;
  /** The index of a key: in the order in which keys were added, from 0; −1 where it was not. */
  indexOf(key: number): number;
  /** Adds a key if it is not there. Whether it was new. */
  add(key: number): boolean;
}

/** Open addressing, linear probing, at most half full. A slot holds an index plus one. */
export function createIntMap(): IntMap {
  let keys = new Int32Array(32);
  let slots = new Int32Array(64);
  let size = 0;

  function slotOf(key: number): number {
    const mask = slots.length - 1;
    let slot = Math.imul(key, 0x9e3779b1);
    slot = (slot ^ (slot >>> 15)) & mask;
    while (slots[slot] !== 0 && keys[slots[slot]! - 1] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  return {
    get size() {
      return size;
    },
    indexOf: (key) => slots[slotOf(key)]! - 1,
    add(key) {
      if (slots[slotOf(key)] !== 0) return false;
      if (size === keys.length) {
        const old = keys;
        keys = new Int32Array(size * 2);
        keys.set(old);
        slots = new Int32Array(size * 4);
        for (let i = 0; i < size; i++) slots[slotOf(keys[i]!)] = i + 1;
      }
      keys[size] = key;
      slots[slotOf(key)] = ++size;
      return true;
    },
  };
}

/**
 * A diagram: a number that names a node or a terminal of one space. Two diagrams of a space map every packet to the
 * same verdict exactly when they are the same number.
 */
export type Diagram = number & { readonly [brand]: true };
declare const brand: unique symbol;

/**
 * Ids. A terminal is the bitwise complement of its verdict, so negative. A node's id is its level in the upper bits and
 * its index in the lower ones: the level, asked at every step, costs no memory access, and that of a terminal comes
 * out greater than any other by the same shift.
 */
const INDEX_BITS = 24;
const INDEX_MASK = (1 << INDEX_BITS) - 1;

/** As many nodes as an id can name. */
export const MOST_NODES = 1 << INDEX_BITS;
/** Levels are 0 to 126. */
export const MOST_LEVELS = 127;

/** Branches of a node: it asks for two bits of a rank, which halves the nodes and the steps of one-bit diagrams. */
export const RADIX = 4;

/** The diagram that has one verdict, 0 to 2²⁴ − 1, for every packet. */
export function terminal(verdict: number): number {
  return ~verdict;
}

/** The verdict of a terminal. */
export function verdictOf(id: number): number {
  return ~id;
}

/** The terminal of verdict 0: "not decided", and for a set "not in it". */
export const NONE = -1;

/** The level of a node; 255 for a terminal. */
export function levelOf(id: number): number {
  return id >>> INDEX_BITS;
}

/** Where the branches of a node start in `branches`. */
export function branchesOf(id: number): number {
  return (id & INDEX_MASK) * RADIX;
}

/** Thrown when the node budget is spent; `attempt` turns it into a value. */
export class BudgetSpent extends Error {
  override readonly name = "BudgetSpent";
  readonly budget: number;

  constructor(budget: number) {
    super(`more than ${budget} nodes`);
    this.budget = budget;
  }
}

/**
 * The table of all nodes. Invariants:
 * - *unique*: no two nodes have the same level and branches;
 * - *reduced*: no node has four equal branches;
 * - *ordered*: a branch has a greater level than its node, or is a terminal;
 * - *ascending*: a branch has a smaller index than its node, so one pass over indices is a topological order.
 *
 * The first three make diagrams canonical (Bryant 1986); the last lets collection be one pass down and one pass up.
 */
export interface Nodes {
  /** Ids of the branches, four a node, by index. Replaced as it grows: read it anew after `make`. */
  branches: Int32Array;
  count: number;
  /** The node with these branches, which must stand below `level`. Throws `BudgetSpent`. */
  make(level: number, a: number, b: number, c: number, d: number): number;
  /** The id of the node with an index. */
  idAt(index: number): number;
  /**
   * Drops the nodes from index `base` on that no root needs and closes the gaps. Nodes before `base` stay, the roots
   * are rewritten in place, every other id from `base` on is void.
   */
  compact(base: number, roots: number[]): void;
  /** How often that happened: what is remembered by index is void after it. */
  compactions: number;
}

const FIRST_CAPACITY = 1 << 12;

export function createNodes(budget: number): Nodes {
  /** Open addressing, linear probing, at most half full; an entry is an id plus one. */
  let slots = new Int32Array(FIRST_CAPACITY * 2);
  let mask = slots.length - 1;
  let capacity = FIRST_CAPACITY;
  /** By index. Only collection and growth ask for it. */
  let levels = new Uint8Array(capacity);

  const nodes: Nodes = {
    branches: new Int32Array(capacity * RADIX),
    count: 0,
    compactions: 0,
    make,
    idAt: (index) => (levels[index]! << INDEX_BITS) | index,
    compact,
  };

  function make(level: number, a: number, b: number, c: number, d: number): number {
    if (a === b && b === c && c === d) return a;
    const branches = nodes.branches;
    let slot = hash(level, a, b, c, d) & mask;
    for (;;) {
      const id = slots[slot]! - 1;
      if (id < 0) break;
      if (id >>> INDEX_BITS === level) {
        const at = (id & INDEX_MASK) * RADIX;
        if (branches[at] === a && branches[at + 1] === b && branches[at + 2] === c && branches[at + 3] === d)
          return id;
      }
      slot = (slot + 1) & mask;
    }
    const index = nodes.count;
    if (index >= budget) throw new BudgetSpent(budget);
    if (index === capacity) {
      grow();
      return make(level, a, b, c, d);
    }
    const at = index * RADIX;
    branches[at] = a;
    branches[at + 1] = b;
    branches[at + 2] = c;
    branches[at + 3] = d;
    levels[index] = level;
    nodes.count = index + 1;
    const id = (level << INDEX_BITS) | index;
    slots[slot] = id + 1;
    return id;
  }

  function grow(): void {
    capacity *= 2;
    const { branches } = nodes;
    nodes.branches = new Int32Array(capacity * RADIX);
    nodes.branches.set(branches);
    const oldLevels = levels;
    levels = new Uint8Array(capacity);
    levels.set(oldLevels);
    slots = new Int32Array(capacity * 2);
    mask = slots.length - 1;
    remember(0);
  }

  /** Where the search for a node begins. */
  function slotOf(index: number): number {
    const { branches } = nodes;
    const at = index * RADIX;
    const [a, b, c, d] = [branches[at]!, branches[at + 1]!, branches[at + 2]!, branches[at + 3]!];
    return hash(levels[index]!, a, b, c, d) & mask;
  }

  /** Enters the nodes from `base` on into the table. */
  function remember(base: number): void {
    for (let index = base; index < nodes.count; index++) {
      let slot = slotOf(index);
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = ((levels[index]! << INDEX_BITS) | index) + 1;
    }
  }

  function compact(base: number, roots: number[]): void {
    const { branches, count } = nodes;
    /** By index from `base`: 0 while nothing needs the node, then its new index plus one. */
    const moved = new Int32Array(count - base);
    const need = (id: number): void => {
      if (id >= 0 && (id & INDEX_MASK) >= base) moved[(id & INDEX_MASK) - base] = 1;
    };
    const rewrite = (id: number): number => {
      if (id < 0 || (id & INDEX_MASK) < base) return id;
      return (id & ~INDEX_MASK) | (moved[(id & INDEX_MASK) - base]! - 1);
    };
    roots.forEach(need);
    for (let index = count - 1; index >= base; index--) {
      if (moved[index - base] === 0) continue;
      for (let at = index * RADIX; at < (index + 1) * RADIX; at++) need(branches[at]!);
    }
    // What is dropped is mostly more than what stays.
    const isMost = count - base > base;
    if (isMost) slots.fill(0);
    else forget(base);
    let next = base;
    for (let index = base; index < count; index++) {
      if (moved[index - base] === 0) continue;
      for (let k = 0; k < RADIX; k++) branches[next * RADIX + k] = rewrite(branches[index * RADIX + k]!);
      levels[next] = levels[index]!;
      moved[index - base] = ++next;
    }
    nodes.count = next;
    nodes.compactions++;
    for (let i = 0; i < roots.length; i++) roots[i] = rewrite(roots[i]!);
    remember(isMost ? 0 : base);
  }

  /**
   * Takes the nodes from `base` on out of the table, the last one first: each leaves it as it was before that node came.
   */
  function forget(base: number): void {
    for (let index = nodes.count - 1; index >= base; index--) {
      const key = ((levels[index]! << INDEX_BITS) | index) + 1;
      let slot = slotOf(index);
      while (slots[slot] !== key) slot = (slot + 1) & mask;
      slots[slot] = 0;
    }
  }

  return nodes;
}

function hash(level: number, a: number, b: number, c: number, d: number): number {
  let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b + level, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h ^= Math.imul(c, 0xc2b2ae35) ^ Math.imul(d, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 14), 0x297a2d39);
  return h ^ (h >>> 15);
}

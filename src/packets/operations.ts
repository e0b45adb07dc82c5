import { branchesOf, levelOf, NONE, type Nodes, RADIX, terminal, verdictOf } from "./nodes.ts";

/** A function of the verdicts that two diagrams give one packet. */
export type Combine = (a: number, b: number) => number;

/** What is known of such a function, so that not every pair of nodes has to be visited. */
export interface Shortcuts {
  /** `f(a, b)` is `a`, whatever `b` is. */
  readonly settled?: (a: number) => boolean;
  /** `f(a, 0)` is `a`. */
  readonly neutral?: boolean;
}

/**
 * The operations on diagrams, by Bryant's `apply`: recurse on both diagrams at once, remember each pair. Ids are plain
 * numbers here; `space.ts` gives them their type.
 */
export interface Operations {
  /** The verdict of `a` where it decides, else that of `b`. Associative; on sets it is the union. */
  overlay(a: number, b: number): number;
  /** The verdict of `a` where `b` decides, else none. On sets it is the intersection. */
  keep(a: number, b: number): number;
  /** The verdict of `a` where `b` does not decide, else none. On sets it is the difference. */
  drop(a: number, b: number): number;
  combine(a: number, b: number, f: Combine, shortcuts?: Shortcuts): number;
  /** `combine` with one function, which is asked about many pairs and remembers from one to the next. */
  combiner(f: Combine, shortcuts?: Shortcuts): (a: number, b: number) => number;
  /** Like `combine`, it may remember from one call to the next what a function said. */
  map(a: number, f: (verdict: number) => number): number;
  /** Whether some packet is decided by both. Stops at the first. */
  intersects(a: number, b: number): boolean;
  /** Whether `b` decides every packet that `a` decides. Stops at the first that it does not. */
  subset(a: number, b: number): boolean;
  /** Whether the verdicts of some packet satisfy `test`. Stops at the first. */
  some(a: number, b: number, test: (a: number, b: number) => boolean): boolean;
  /** `Nodes.compact`, and forgets what was remembered about ids that moved. */
  collect(base: number, roots: number[]): void;
}

const OVERLAY = 0;
const KEEP = 1;
const DROP = 2;
const INTERSECTS = 3;
const ESCAPES = 4;
const FIRST_CUSTOM = 5;

/** Ints of one memo entry: operation plus one, both operands, result. */
const ENTRY = 4;
const FIRST_ENTRIES = 1 << 12;
const MOST_ENTRIES = 1 << 19;
/** Verdicts up to which a map keeps a list of what becomes of them. */
const MOST_LEAVES = 1 << 12;

export function createOperations(nodes: Nodes): Operations {
  /**
   * What was worked out already: direct mapped, so a new result overwrites an old one. It follows the node table in
   * size up to a limit; losing an entry costs time, never a result.
   */
  let memo = new Int32Array(FIRST_ENTRIES * ENTRY);
  let entries = FIRST_ENTRIES;
  /** Each function passed in is an operation of its own, and the same one whenever it is passed in again. */
  let nextCustom = FIRST_CUSTOM;
  const numbers = new WeakMap<object, number>();
  let custom: Combine = (a) => a;
  let shortcut: Shortcuts = {};
  let test: (a: number, b: number) => boolean = () => false;

  function slotOf(op: number, a: number, b: number): number {
    let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b + op, 0x85ebca6b);
    h ^= h >>> 15;
    h = Math.imul(h, 0x2c1b3c6d);
    h ^= h >>> 13;
    return (h & (entries - 1)) * ENTRY;
  }

  function remember(op: number, a: number, b: number, result: number): number {
    if (nodes.count > entries && entries < MOST_ENTRIES) growMemo();
    const slot = slotOf(op, a, b);
    memo[slot] = op + 1;
    memo[slot + 1] = a;
    memo[slot + 2] = b;
    memo[slot + 3] = result;
    return result;
  }

  function growMemo(): void {
    const old = memo;
    entries *= 2;
    memo = new Int32Array(entries * ENTRY);
    for (let i = 0; i < old.length; i += ENTRY) {
      if (old[i] === 0) continue;
      const slot = slotOf(old[i]! - 1, old[i + 1]!, old[i + 2]!);
      for (let k = 0; k < ENTRY; k++) memo[slot + k] = old[i + k]!;
    }
  }

  /** All binary operations that build a diagram. `a` and `b` are the operands of `op`. */
  function apply(op: number, a: number, b: number): number {
    if (op === OVERLAY) {
      if (a < 0) return a === NONE ? b : a;
      if (b === NONE || a === b) return a;
    } else if (op === KEEP) {
      if (a === NONE || b === NONE) return NONE;
      if (b < 0 || a === b) return a;
    } else if (op === DROP) {
      if (a === NONE || b === NONE) return a;
      if (b < 0 || a === b) return NONE;
    } else {
      if (b === NONE && shortcut.neutral) return a;
      if (a < 0 && shortcut.settled?.(verdictOf(a))) return a;
      if (a < 0 && b < 0) return terminal(custom(verdictOf(a), verdictOf(b)));
    }

    const slot = slotOf(op, a, b);
    if (memo[slot + 1] === a && memo[slot + 2] === b && memo[slot] === op + 1) return memo[slot + 3]!;

    const levelA = levelOf(a);
    const levelB = levelOf(b);
    const { branches } = nodes;
    let first: number;
    let second: number;
    let third: number;
    let fourth: number;
    if (levelA < levelB) {
      const at = branchesOf(a);
      first = apply(op, branches[at]!, b);
      second = apply(op, branches[at + 1]!, b);
      third = apply(op, branches[at + 2]!, b);
      fourth = apply(op, branches[at + 3]!, b);
    } else if (levelB < levelA) {
      const at = branchesOf(b);
      first = apply(op, a, branches[at]!);
      second = apply(op, a, branches[at + 1]!);
      third = apply(op, a, branches[at + 2]!);
      fourth = apply(op, a, branches[at + 3]!);
    } else {
      const atA = branchesOf(a);
      const atB = branchesOf(b);
      first = apply(op, branches[atA]!, branches[atB]!);
      second = apply(op, branches[atA + 1]!, branches[atB + 1]!);
      third = apply(op, branches[atA + 2]!, branches[atB + 2]!);
      fourth = apply(op, branches[atA + 3]!, branches[atB + 3]!);
    }
    return remember(op, a, b, nodes.make(levelA < levelB ? levelA : levelB, first, second, third, fourth));
  }

  /** All questions that stop at the first packet that answers yes. Only the answer no is remembered. */
  function search(op: number, a: number, b: number): boolean {
    if (op === INTERSECTS) {
      if (a === NONE || b === NONE) return false;
      // A node leads to some terminal that is not NONE, or it would not be a node.
      if (a < 0 || b < 0 || a === b) return true;
    } else if (op === ESCAPES) {
      if (a === NONE || a === b) return false;
      if (b < 0) return b === NONE;
    } else if (a < 0 && b < 0) return test(verdictOf(a), verdictOf(b));

    const slot = slotOf(op, a, b);
    if (memo[slot + 1] === a && memo[slot + 2] === b && memo[slot] === op + 1) return false;

    const levelA = levelOf(a);
    const levelB = levelOf(b);
    const { branches } = nodes;
    for (let i = 0; i < RADIX; i++) {
      const x = levelA <= levelB ? branches[branchesOf(a) + i]! : a;
      const y = levelB <= levelA ? branches[branchesOf(b) + i]! : b;
      if (search(op, x, y)) return true;
    }
    remember(op, a, b, NONE);
    return false;
  }

  function numberOf(f: object): number {
    const number = numbers.get(f) ?? nextCustom++;
    numbers.set(f, number);
    return number;
  }

  function combiner(f: Combine, shortcuts: Shortcuts = {}): (a: number, b: number) => number {
    const op = numberOf(f);
    return (a, b) => {
      const outer = custom;
      const outerShortcut = shortcut;
      custom = f;
      shortcut = shortcuts;
      try {
        return apply(op, a, b);
      } finally {
        custom = outer;
        shortcut = outerShortcut;
      }
    };
  }

  const combine: Operations["combine"] = (a, b, f, shortcuts) => combiner(f, shortcuts)(a, b);

  /** Maps have one operand, and few verdicts: what becomes of each is asked once. */
  function map(a: number, f: (verdict: number) => number): number {
    const op = numberOf(f);
    const leaves: number[] = [];
    const leafOf = (id: number): number => {
      const verdict = verdictOf(id);
      if (verdict >= MOST_LEAVES) return terminal(f(verdict));
      const leaf = leaves[verdict] ?? terminal(f(verdict));
      leaves[verdict] = leaf;
      return leaf;
    };
    const visit = (id: number): number => {
      if (id < 0) return leafOf(id);
      const slot = slotOf(op, id, NONE);
      if (memo[slot + 1] === id && memo[slot + 2] === NONE && memo[slot] === op + 1) return memo[slot + 3]!;
      const at = branchesOf(id);
      const { branches } = nodes;
      const first = visit(branches[at]!);
      const second = visit(branches[at + 1]!);
      const third = visit(branches[at + 2]!);
      const fourth = visit(branches[at + 3]!);
      return remember(op, id, NONE, nodes.make(levelOf(id), first, second, third, fourth));
    };
    return visit(a);
  }

  return {
    overlay: (a, b) => apply(OVERLAY, a, b),
    keep: (a, b) => apply(KEEP, a, b),
    drop: (a, b) => apply(DROP, a, b),
    combine,
    combiner,
    map,
    intersects: (a, b) => search(INTERSECTS, a, b),
    subset: (a, b) => !search(ESCAPES, a, b),
    some(a, b, wanted) {
      const outer = test;
      test = wanted;
      try {
        return search(nextCustom++, a, b);
      } finally {
        test = outer;
      }
    },
    collect(base, roots) {
      nodes.compact(base, roots);
      memo.fill(0);
    },
  };
}

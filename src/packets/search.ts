import { branchesOf, levelOf, RADIX } from "./nodes.ts";
import type { Engine, Field, RankedCube } from "./space.ts";

/** A packet in ranks, one a field. */
export type RankedPacket = readonly number[];

/** A packet that is not settled; or all are; or it would take too long to find out. */
export type Found = RankedPacket | "settled" | "unknown";

const UNKNOWN = 0;
const COMPLETE = 1;
const INCOMPLETE = 2;

/**
 * Nodes that a search visits before it gives up. Cubes of which that many have to be seen are few, and it costs less to
 * work out what a hundred of them come to together than to search for each of them to the end.
 */
const MOST_STEPS = 500;

/**
 * Makes a search for a packet of a cube that a diagram does not settle. It makes no diagram of the cube and stops at the
 * first such packet, so where most cubes have one it costs a few steps for each.
 *
 * Where a diagram settles everything below a node, any cube is settled there: that is worked out once for each node. What
 * a cube asks of other nodes is remembered within its own question, by the number of the question, so nothing has to be
 * wiped between two of them.
 */
export function createSearch(
  { nodes }: Engine,
  fields: readonly Field[],
  settled: (terminal: number) => boolean,
  mostSteps: number = MOST_STEPS,
): (diagram: number, cube: RankedCube) => Found {
  const fieldOf = fields.flatMap(({ levels }, i) => Array<number>(levels).fill(i));
  /** By node, the last question in which all was found settled that the cube asks from the field of the node on… */
  let entered = new Int32Array(0);
  /** … or that is below the node, with all codes of its field that are left. */
  let filled = new Int32Array(0);
  let question = 0;
  let steps = 0;
  /** By node, whether everything below it is settled. */
  let complete = new Uint8Array(0);
  let compactions = nodes.compactions;
  let cube: RankedCube = [];
  /** What was found; null where the search was given up. */
  let packet: number[] | null = null;

  /** Whether a diagram settles every packet. */
  function isComplete(id: number): boolean {
    if (id < 0) return settled(id);
    const node = branchesOf(id) / RADIX;
    if (complete[node] === UNKNOWN) {
      const { branches } = nodes;
      let all = true;
      for (let at = node * RADIX; all && at < (node + 1) * RADIX; at++) all = isComplete(branches[at]!);
      complete[node] = all ? COMPLETE : INCOMPLETE;
    }
    return complete[node] === COMPLETE;
  }

  /** Whether all is settled that the cube asks from the field of this node on, whose codes are all still possible. */
  function enter(id: number): boolean {
    if (id < 0) return settled(id) || found();
    const node = branchesOf(id) / RADIX;
    if (entered[node] === question || isComplete(id)) return true;
    if (steps++ >= mostSteps) return false;
    const number = fieldOf[levelOf(id)]!;
    const { domain, firstLevel, levels } = fields[number]!;
    const ranks = cube[number]!;
    if (ranks === null) {
      if (!fill(id, number, 0)) return false;
    } else {
      for (let i = 0; i < ranks.length; i += 2) {
        // Codes behind the last rank behave as it does.
        const stop = ranks[i + 1] === domain.ranks ? 1 << (2 * levels) : ranks[i + 1]!;
        if (!descend(id, number, firstLevel, 0, ranks[i]!, stop)) return false;
      }
    }
    entered[node] = question;
    return true;
  }

  /** The same for the codes from `start` to `stop` among those from `code` on that share the digits above `level`. */
  function descend(
    id: number,
    number: number,
    level: number,
    code: number,
    start: number,
    stop: number,
  ): boolean {
    const end = fields[number]!.firstLevel + fields[number]!.levels;
    if (levelOf(id) >= end) return enter(id) || choose(number, Math.max(code, start));
    const size = 1 << (2 * (end - level));
    if (start <= code && code + size <= stop) return fill(id, number, code);
    const step = size >> 2;
    const asks = levelOf(id) === level;
    for (let k = 0; k < RADIX; k++) {
      const from = code + k * step;
      if (from >= stop || from + step <= start) continue;
      const next = asks ? nodes.branches[branchesOf(id) + k]! : id;
      if (!descend(next, number, level + 1, from, start, stop)) return false;
    }
    return true;
  }

  /** The same for all codes from `code` on that are left below a node. */
  function fill(id: number, number: number, code: number): boolean {
    const end = fields[number]!.firstLevel + fields[number]!.levels;
    if (levelOf(id) >= end) return enter(id) || choose(number, code);
    const node = branchesOf(id) / RADIX;
    if (filled[node] === question || isComplete(id)) return true;
    if (steps++ >= mostSteps) return false;
    const step = 1 << (2 * (end - levelOf(id) - 1));
    for (let k = 0; k < RADIX; k++)
      if (!fill(nodes.branches[branchesOf(id) + k]!, number, code + k * step)) return false;
    filled[node] = question;
    return true;
  }

  /** A packet was found: as long as nobody says more, the lowest of the cube. */
  function found(): false {
    packet = cube.map(lowest);
    return false;
  }

  /** The packet that was found is in this class of a field. */
  function choose(number: number, code: number): false {
    if (packet) packet[number] = Math.min(code, fields[number]!.domain.ranks - 1);
    return false;
  }

  return (diagram, asked) => {
    // Short lists are many, and what is remembered is as long as all nodes are.
    if (diagram < 0) return settled(diagram) ? "settled" : asked.map(lowest);
    if (entered.length < nodes.count) {
      entered = new Int32Array(2 * nodes.count);
      filled = new Int32Array(2 * nodes.count);
      question = 0;
      const known = complete;
      complete = new Uint8Array(2 * nodes.count);
      complete.set(known);
    }
    if (compactions !== nodes.compactions) {
      complete.fill(UNKNOWN);
      compactions = nodes.compactions;
    }
    question++;
    steps = 0;
    cube = asked;
    packet = null;
    return enter(diagram) ? "settled" : (packet ?? "unknown");
  };
}

/** The lowest rank of a field's part of a cube. */
function lowest(ranks: RankedCube[number]): number {
  return ranks?.[0] ?? 0;
}

import { branchesOf, levelOf, RADIX } from "./nodes.ts";
import type { Engine, Field, RankedCube } from "./space.ts";

/** A packet in ranks, one a field. */
export type RankedPacket = readonly number[];

/**
 * Makes a search for a packet of a cube that a diagram does not settle; null where it settles all of them. It makes no
 * diagram of the cube and stops at the first such packet, so where most cubes have one it costs a few steps for each.
 *
 * What was found to be settled is remembered within one question only, by the number of the question, so nothing has to
 * be wiped between two of them, and a collection of garbage there does no harm.
 */
export function createSearch(
  { nodes }: Engine,
  fields: readonly Field[],
  settled: (terminal: number) => boolean,
): (diagram: number, cube: RankedCube) => RankedPacket | null {
  const fieldOf = fields.flatMap(({ levels }, i) => Array<number>(levels).fill(i));
  /** By node, the last question in which all was found settled that the cube asks from the field of the node on… */
  let entered = new Int32Array(0);
  /** … or that is below the node, with all codes of its field that are left. */
  let filled = new Int32Array(0);
  let question = 0;
  let cube: RankedCube = [];
  /** What was found. */
  let packet: number[] = [];

  /** Whether all is settled that the cube asks from the field of this node on, whose codes are all still possible. */
  function enter(id: number): boolean {
    if (id < 0) return settled(id) || found();
    const node = branchesOf(id) / RADIX;
    if (entered[node] === question) return true;
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
    if (filled[node] === question) return true;
    const step = 1 << (2 * (end - levelOf(id) - 1));
    for (let k = 0; k < RADIX; k++)
      if (!fill(nodes.branches[branchesOf(id) + k]!, number, code + k * step)) return false;
    filled[node] = question;
    return true;
  }

  /** A packet was found: as long as nobody says more, the lowest of the cube. */
  function found(): false {
    packet = cube.map((ranks) => ranks?.[0] ?? 0);
    return false;
  }

  /** The packet that was found is in this class of a field. */
  function choose(number: number, code: number): false {
    packet[number] = Math.min(code, fields[number]!.domain.ranks - 1);
    return false;
  }

  return (diagram, asked) => {
    if (entered.length < nodes.count) {
      entered = new Int32Array(2 * nodes.count);
      filled = new Int32Array(2 * nodes.count);
      question = 0;
    }
    question++;
    cube = asked;
    return enter(diagram) ? null : packet;
  };
}

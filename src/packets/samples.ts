import { boundaries } from "./first-match.ts";
import { holdsRank, indexOf } from "./ranks.ts";
import type { RuleList } from "./rules.ts";
import type { RankedPacket } from "./search.ts";
import type { Packet, RankedCube } from "./space.ts";

/** The first two rules that match a packet; −1 where there is none. */
export interface Matches {
  readonly first: number;
  readonly second: number;
}

/** So few packets are looked up one by one. */
const FEW = 4;

/**
 * The first two matching rules of each packet.
 *
 * Packets and rules are divided together, field by field: a rule goes on only to the classes that it meets and that
 * some packet is in. What is left, a few packets and the rules that may match them, is searched in order.
 */
export function lookUp<P extends Packet>(list: RuleList<P>, packets: readonly RankedPacket[]): Matches[] {
  const { fields } = list.space;
  const cubes: RankedCube[] = [];
  const rules: number[] = [];
  list.cubes.forEach((ofRule, rule) => {
    for (const cube of ofRule) {
      cubes.push(cube);
      rules.push(rule);
    }
  });
  const found: Matches[] = [];

  const search = (packet: number, items: readonly number[], from: number): Matches => {
    let first = -1;
    for (const item of items) {
      const rule = rules[item]!;
      if (rule === first || !contains(cubes[item]!, packets[packet]!, from)) continue;
      if (first >= 0) return { first, second: rule };
      first = rule;
    }
    return { first, second: -1 };
  };

  const divide = (some: readonly number[], items: readonly number[], from: number): void => {
    if (some.length === 0) return;
    if (from === fields.length || some.length <= FEW) {
      for (const packet of some) found[packet] = search(packet, items, from);
      return;
    }
    if (items.every((item) => cubes[item]![from] === null)) {
      divide(some, items, from + 1);
      return;
    }
    const starts = boundaries(cubes, items, from, fields[from]!.domain.ranks);
    const packetsOf: number[][] = starts.map(() => []);
    for (const packet of some) packetsOf[indexOf(starts, packets[packet]![from]! + 1) - 1]!.push(packet);
    // Numbers the classes that some packet is in: `place[k]` of them come before class k.
    const place = [0];
    for (const inClass of packetsOf) place.push(place.at(-1)! + (inClass.length > 0 ? 1 : 0));
    const lists: number[][] = Array.from({ length: place.at(-1)! }, () => []);
    for (const item of items) {
      const ranks = cubes[item]![from]!;
      const pairs = ranks ?? [0, Number.POSITIVE_INFINITY];
      for (let i = 0; i < pairs.length; i += 2) {
        const end = place[indexOf(starts, pairs[i + 1]!)]!;
        for (let k = place[indexOf(starts, pairs[i]!)]!; k < end; k++) lists[k]!.push(item);
      }
    }
    packetsOf.forEach((inClass, k) => {
      if (inClass.length > 0) divide(inClass, lists[place[k]!]!, from + 1);
    });
  };

  divide(
    packets.map((_, i) => i),
    cubes.map((_, i) => i),
    0,
  );
  return found;
}

/** Whether a packet is in a cube, as far as the fields from `from` on tell. */
export function contains(cube: RankedCube, packet: RankedPacket, from = 0): boolean {
  // From the bottom: what is left to tell packets apart is mostly addresses.
  for (let i = cube.length - 1; i >= from; i--) if (!holdsRank(cube[i]!, packet[i]!)) return false;
  return true;
}

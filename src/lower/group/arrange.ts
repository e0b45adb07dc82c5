import type { Item, Shape } from "./item.ts";
import { type Extent, extentOf, hull, mayMeet } from "./meet.ts";

/** Comparisons of two rules that a chain may cost for each of its rules. Past that rules are taken to be in each other's way. */
const COMPARISONS = 64;

/**
 * Brings the rules of one chain together by their shape, so that doing the groups in order, and in each group the rules in
 * order, does to every packet what the rules did. Shapes that occur fewer than `least` times are left where they are.
 *
 * A rule may join the last group of its shape if no later group holds a rule that it must not overtake: one with another
 * effect that some packet may match as well. Otherwise it opens a new group behind all others.
 */
export function arrange(items: readonly Item[], least: number): readonly (readonly Item[])[] {
  const counts = new Map<Shape | null, number>();
  for (const { shape } of items) counts.set(shape, (counts.get(shape) ?? 0) + 1);
  const groups: Group[] = [];
  const last = new Map<Shape, number>();
  const budget = { left: COMPARISONS * items.length };
  for (const item of items) {
    const shape = item.shape !== null && (counts.get(item.shape) ?? 0) >= least ? item.shape : null;
    const extent = extentOf(item.rule);
    const known = shape && last.get(shape);
    if (known !== null && known !== undefined && mayOvertake(item, extent, groups, known, budget)) {
      groups[known]!.add(item, extent);
      continue;
    }
    if (shape) last.set(shape, groups.length);
    groups.push(newGroup(item, extent));
  }
  return groups.map(({ items: grouped }) => grouped);
}

/** Whether a rule commutes with every rule of the groups behind the group `after`. */
function mayOvertake(
  item: Item,
  extent: Extent,
  groups: readonly Group[],
  after: number,
  budget: { left: number },
): boolean {
  for (let at = groups.length - 1; at > after; at--) {
    const group = groups[at]!;
    if (budget.left-- <= 0) return false;
    if (group.onlyEffect === item.effect || !mayMeet(extent, group.hull)) continue;
    for (const [other, its] of group.near(extent)) {
      if (budget.left-- <= 0 || (other.effect !== item.effect && mayMeet(extent, its))) return false;
    }
  }
  return true;
}

interface Group {
  readonly items: Item[];
  /** The effect that all of its rules have; null where they differ. */
  onlyEffect: string | null;
  /** Everything that its rules match lies within. */
  hull: Extent;
  add(item: Item, extent: Extent): void;
  /** Rules of the group with what they match, among them all that may meet a rule of that extent. */
  near(extent: Extent): Iterable<readonly [Item, Extent]>;
}

function newGroup(first: Item, itsExtent: Extent): Group {
  const side = itsExtent.destinationPorts === null ? "sourcePorts" : "destinationPorts";
  const byPort = new Map<number | null, (readonly [Item, Extent])[]>();
  const group: Group = {
    items: [],
    onlyEffect: first.effect,
    hull: itsExtent,
    add(item, extent) {
      group.items.push(item);
      if (item.effect !== group.onlyEffect) group.onlyEffect = null;
      group.hull = hull(group.hull, extent);
      const port = onlyPort(extent, side);
      const bucket = byPort.get(port);
      if (bucket) bucket.push([item, extent]);
      else byPort.set(port, [[item, extent]]);
    },
    *near(extent) {
      const port = onlyPort(extent, side);
      if (port === null) {
        for (const bucket of byPort.values()) yield* bucket;
        return;
      }
      yield* byPort.get(port) ?? [];
      yield* byPort.get(null) ?? [];
    },
  };
  group.add(first, itsExtent);
  return group;
}

/** The one port of that side that a rule asks for. */
function onlyPort(extent: Extent, side: "sourcePorts" | "destinationPorts"): number | null {
  const [only, ...more] = extent[side] ?? [];
  return only && more.length === 0 && only.first === only.last ? only.first : null;
}

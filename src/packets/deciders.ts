import { countPackets } from "./count.ts";
import { type Diagram, NONE } from "./nodes.ts";
import { matchOf, type RuleList, rulesMeet } from "./rules.ts";
import type { Packet } from "./space.ts";

/** A rule and the packets that it decides. */
export interface Decider {
  readonly rule: number;
  readonly packets: Diagram;
  readonly count: bigint;
}

/**
 * The rules that decide packets of a region, those that decide most first; what no rule of the list matches has none.
 * Walks the list until nothing of the region is left, so ask it of what is to be shown to a person.
 */
export function decidersOf<P extends Packet>(list: RuleList<P>, region: Diagram): Decider[] {
  return decide(list, region, list.count, () => true);
}

/** The earlier rules that decide packets which `rule` matches, those that take most from it first. */
export function takersOf<P extends Packet>(list: RuleList<P>, rule: number): Decider[] {
  return decide(list, matchOf(list, rule), rule, (earlier) => rulesMeet(list, earlier, rule));
}

function decide<P extends Packet>(
  list: RuleList<P>,
  region: Diagram,
  end: number,
  mayMeet: (rule: number) => boolean,
): Decider[] {
  const { space } = list;
  const { operations } = space.engine;
  const rules: number[] = [];
  const packets = space.tidy(() => {
    const shares: Diagram[] = [];
    let left = region;
    for (let rule = 0; rule < end && left !== NONE; rule++) {
      if (!mayMeet(rule)) continue;
      const match = matchOf(list, rule);
      if (!operations.intersects(left, match)) continue;
      rules.push(rule);
      shares.push(space.intersection(space.decided(left), match));
      left = space.without(left, match);
    }
    return shares;
  });
  return rules
    .map((rule, i) => ({ rule, packets: packets[i]!, count: countPackets(space, packets[i]!) }))
    .sort((a, b) => (a.count < b.count ? 1 : a.count > b.count ? -1 : a.rule - b.rule));
}

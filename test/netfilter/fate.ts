import type { MappedRuleset } from "../../src/netfilter/grouped.ts";
import type { LimitMatch } from "../../src/netfilter/ruleset.ts";
import { type SimulatedPacket, simulate } from "../../src/netfilter/simulate.ts";

/** The fate of a packet, with the limits that were asked on the way. Limits of odd counts have run dry. */
export function fateOf(ruleset: MappedRuleset, packet: SimulatedPacket) {
  const asked: LimitMatch[] = [];
  const { decidedBy: _, ...fate } = simulate(ruleset, packet, {
    limit: (limit) => {
      asked.push(limit);
      return limit.count % 2 === 0;
    },
  });
  return { ...fate, asked };
}

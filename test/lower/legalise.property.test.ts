import fc from "fast-check";
import { expect, test } from "vitest";
import { emitIptables } from "../../src/emit/iptables.ts";
import { legalise } from "../../src/lower/legalise.ts";
import type { GroupedRuleset } from "../../src/netfilter/grouped.ts";
import type { LimitMatch } from "../../src/netfilter/ruleset.ts";
import { type SimulatedPacket, simulate } from "../../src/netfilter/simulate.ts";
import { arbitraryPacket, arbitraryRuleset } from "../netfilter/arbitrary.ts";

/** The fate of a packet, with the limits that were asked on the way. Limits of odd counts have run dry. */
function fateOf(ruleset: GroupedRuleset, packet: SimulatedPacket) {
  const asked: LimitMatch[] = [];
  const fate = simulate(ruleset, packet, {
    limit: (limit) => {
      asked.push(limit);
      return limit.count % 2 === 0;
    },
    route: ({ destination, ...rest }) =>
      destination % 3n === 0n ? { ...rest, path: "input", out: null } : rest,
  });
  // A rule that accepts what its chain accepts anyway may be left out; one that denies may not.
  const decidedBy = fate.verdict === "accept" ? null : fate.decidedBy?.origin;
  return { ...fate, decidedBy, asked };
}

function limitsOf({ chains }: GroupedRuleset): readonly LimitMatch[] {
  return chains.flatMap(({ rules }) =>
    rules.flatMap(({ matches }) => matches.filter((match) => match.kind === "limit")),
  );
}

for (const family of [4, 6] as const) {
  test(`a legal ruleset for IPv${family} does to every packet what the given one does, asking the same limits`, () => {
    fc.assert(
      fc.property(
        arbitraryRuleset(fc.string({ maxLength: 4 })),
        fc.array(arbitraryPacket(family), { minLength: 40, maxLength: 40 }),
        (ruleset, packets) => {
          const legal = legalise(ruleset, family);
          for (const packet of packets) expect(fateOf(legal, packet)).toEqual(fateOf(ruleset, packet));
          // One bucket of tokens must stay one.
          const buckets = limitsOf(legal);
          expect(new Set(buckets).size).toBe(buckets.length);
          expect(emitIptables(legal, family, { source: "policy.yaml" })).toContain("COMMIT");
        },
      ),
      { numRuns: 300 },
    );
  }, 60_000);
}

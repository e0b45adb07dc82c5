import fc from "fast-check";
import { expect, test } from "vitest";
import { emitIpsets } from "../../../src/emit/ipset.ts";
import { emitIptables } from "../../../src/emit/iptables.ts";
import { legalise } from "../../../src/lower/legalise.ts";
import { readIptables } from "../../../src/read/iptables.ts";
import { arbitraryPacket, arbitraryRuleset } from "../../netfilter/arbitrary.ts";
import { fateOf } from "../../netfilter/fate.ts";
import { expectSameFates, strict, understood } from "../../read/model.ts";
import { arbitraryLongRuleset } from "../group/arbitrary.ts";
import { SETS_EVERYWHERE } from "./costs.ts";

const HEADER = { source: "policy.yaml" };
const someRuleset = fc.oneof(
  arbitraryLongRuleset(120),
  arbitraryRuleset(fc.stringMatching(/^[a-z][a-z0-9]{0,3}$/)),
);

for (const family of [4, 6] as const) {
  const packets = fc.array(arbitraryPacket(family), { minLength: 60, maxLength: 60 });

  test(`rules that ask sets do to every IPv${family} packet what the given ones do`, () => {
    const sets = { "hash:net": 0, "hash:net,port": 0, "bitmap:port": 0 };
    fc.assert(
      fc.property(someRuleset, packets, (given, some) => {
        const legal = legalise(given, family, SETS_EVERYWHERE);
        for (const packet of some) expect(fateOf(legal, packet)).toEqual(fateOf(given, packet));
        const { script, names } = emitIpsets([{ family, ruleset: legal }], HEADER);
        for (const [, type] of script.matchAll(/^create \S+ (\S+) /gm)) sets[type as keyof typeof sets]++;
        // What is printed says the same, to a reader that shares nothing with the printer.
        const text = emitIptables(legal, family, HEADER, names);
        const ipsets = { name: "ipsets", text: script };
        expectSameFates(
          strict(understood(readIptables({ name: "rules", text }, family, ipsets))),
          given,
          some,
        );
      }),
      { numRuns: 55, endOnFailure: true },
    );
    // A pass that makes no sets would also be right.
    expect(Math.min(...Object.values(sets)), JSON.stringify(sets)).toBeGreaterThan(2);
  }, 120_000);
}

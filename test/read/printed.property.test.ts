import fc from "fast-check";
import { test } from "vitest";
import type { Family } from "../../src/address/ranges.ts";
import { emitIptables } from "../../src/emit/iptables.ts";
import { emitNft } from "../../src/emit/nft.ts";
import { legalise } from "../../src/lower/legalise.ts";
import { readIptables } from "../../src/read/iptables.ts";
import { readNft } from "../../src/read/nft.ts";
import { arbitraryPacket, arbitraryRuleset } from "../netfilter/arbitrary.ts";
import { expectSameFates, strict, understood } from "./model.ts";

/** Texts that printers leave as they are. */
const words = fc.stringMatching(/^[a-z][a-z0-9]{0,3}$/);
const HEADER = { source: "policy.yaml" };

function packetsOf(family: Family) {
  return fc.array(arbitraryPacket(family), { minLength: 40, maxLength: 40 });
}

test("what is printed for nft says of every packet what the ruleset says", () => {
  fc.assert(
    fc.property(arbitraryRuleset(words), packetsOf(4), packetsOf(6), (ruleset, four, six) => {
      const read = strict(understood(readNft({ name: "ruleset.nft", text: emitNft(ruleset, HEADER) })));
      expectSameFates(read, ruleset, [...four, ...six]);
    }),
    { numRuns: 100 },
  );
}, 60_000);

for (const family of [4, 6] as const) {
  test(`what is printed for iptables says of every IPv${family} packet what the ruleset says`, () => {
    fc.assert(
      fc.property(arbitraryRuleset(words), packetsOf(family), (ruleset, packets) => {
        const text = emitIptables(legalise(ruleset, family), family, HEADER);
        const read = strict(understood(readIptables({ name: `rules.v${family}`, text }, family)));
        expectSameFates(read, ruleset, packets);
      }),
      { numRuns: 100 },
    );
  }, 60_000);
}

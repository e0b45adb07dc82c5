import fc from "fast-check";
import { expect, test } from "vitest";
import type { Family } from "../../src/address/ranges.ts";
import { emitIptables } from "../../src/emit/iptables.ts";
import { emitNft } from "../../src/emit/nft.ts";
import { legalise } from "../../src/lower/legalise.ts";
import type { LimitMatch, Ruleset } from "../../src/netfilter/ruleset.ts";
import { type SimulatedPacket, simulate } from "../../src/netfilter/simulate.ts";
import { readIptables } from "../../src/read/iptables.ts";
import { readNft } from "../../src/read/nft.ts";
import { arbitraryPacket, arbitraryRuleset } from "../netfilter/arbitrary.ts";
import { strict, understood } from "./model.ts";

/** What becomes of a packet, in words that do not depend on which rules say so. Limits of odd counts have run dry. */
function fateOf(ruleset: Ruleset, packet: SimulatedPacket) {
  const asked: Pick<LimitMatch, "count" | "unit" | "burst">[] = [];
  const { decidedBy, ...fate } = simulate(ruleset, packet, {
    limit: ({ count, unit, burst }) => {
      asked.push({ count, unit, burst });
      return count % 2 === 0;
    },
    route: ({ destination, ...rest }) =>
      destination % 3n === 0n ? { ...rest, path: "input", out: null } : rest,
  });
  return { ...fate, asked, decidedBy: decidedBy?.origin ?? null };
}

/** Texts that printers leave as they are. */
const words = fc.stringMatching(/^[a-z][a-z0-9]{0,3}$/);
const HEADER = { source: "policy.yaml" };

function packetsOf(family: Family) {
  return fc.array(arbitraryPacket(family), { minLength: 40, maxLength: 40 });
}

/** A log prefix is printed with a blank behind it. */
function trimmed(fate: ReturnType<typeof fateOf>) {
  return { ...fate, logged: fate.logged.map((prefix) => prefix.trim()) };
}

function same(a: Ruleset, b: Ruleset, packets: readonly SimulatedPacket[]): void {
  expect(packets.map((packet) => trimmed(fateOf(a, packet)))).toEqual(
    packets.map((packet) => fateOf(b, packet)),
  );
}

test("what is printed for nft says of every packet what the ruleset says", () => {
  fc.assert(
    fc.property(arbitraryRuleset(words), packetsOf(4), packetsOf(6), (ruleset, four, six) => {
      const read = strict(understood(readNft({ name: "ruleset.nft", text: emitNft(ruleset, HEADER) })));
      same(read, ruleset, [...four, ...six]);
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
        same(read, ruleset, packets);
      }),
      { numRuns: 100 },
    );
  }, 60_000);
}

import fc from "fast-check";
import { expect, test } from "vitest";
import { emitNft } from "../../../src/emit/nft.ts";
import { group } from "../../../src/lower/group.ts";
import type { Box, MappedRuleset } from "../../../src/netfilter/grouped.ts";
import { readNft } from "../../../src/read/nft.ts";
import { arbitraryPacket } from "../../netfilter/arbitrary.ts";
import { fateOf } from "../../netfilter/fate.ts";
import { expectSameFates, strict, understood } from "../../read/model.ts";
import { arbitraryLongRuleset } from "./arbitrary.ts";

const packets = fc
  .tuple(
    fc.array(arbitraryPacket(4), { minLength: 60, maxLength: 60 }),
    fc.array(arbitraryPacket(6), { minLength: 20, maxLength: 20 }),
  )
  .map((both) => both.flat());

/** Rules that stand where every packet meets them. */
function countRules({ chains }: MappedRuleset): number {
  return chains.reduce((sum, { base, rules }) => sum + (base ? rules.length : 0), 0);
}

test("a grouped ruleset does to every packet what the given one does, asking the same limits", () => {
  let given = 0;
  let left = 0;
  fc.assert(
    fc.property(arbitraryLongRuleset(), packets, (ruleset, some) => {
      const grouped = group(ruleset, 8);
      given += countRules(ruleset);
      left += countRules(grouped);
      for (const packet of some) expect(fateOf(grouped, packet)).toEqual(fateOf(ruleset, packet));
    }),
    { numRuns: 200, endOnFailure: true },
  );
  // A pass that groups nothing would also be right.
  expect(left).toBeLessThan(0.8 * given);
}, 120_000);

function areApart(boxes: readonly Box[]): boolean {
  return boxes.every((a, at) =>
    boxes
      .slice(at + 1)
      .every((b) => a.some(({ first, last }, field) => last < b[field]!.first || b[field]!.last < first)),
  );
}

test("no two boxes of a group overlap", () => {
  let maps = 0;
  fc.assert(
    fc.property(arbitraryLongRuleset(), (ruleset) => {
      for (const { rules } of group(ruleset, 8).chains) {
        for (const { matches, statement } of rules) {
          const lists = matches.flatMap((match) => (match.kind === "tuple" ? [match.boxes] : []));
          if (statement.kind === "map") {
            maps++;
            lists.push(statement.cases.map(({ box }) => box));
          }
          for (const boxes of lists) expect(areApart(boxes)).toBe(true);
        }
      }
    }),
    { numRuns: 100, endOnFailure: true },
  );
  expect(maps).toBeGreaterThan(10);
}, 120_000);

test("what is printed for nft of a grouped ruleset says of every packet what the given one says", () => {
  fc.assert(
    fc.property(arbitraryLongRuleset(), packets, (ruleset, some) => {
      const text = emitNft(group(ruleset, 8), { source: "policy.yaml" });
      expectSameFates(strict(understood(readNft({ name: "ruleset.nft", text }))), ruleset, some);
    }),
    { numRuns: 60, endOnFailure: true },
  );
}, 120_000);

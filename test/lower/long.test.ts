import fc from "fast-check";
import { expect, test } from "vitest";
import { longPolicy } from "../support/long-policy.ts";
import { differencesOf } from "../verify/own.ts";

test("long lists, which become sets and trees, are proved to do what the policy means", () => {
  let proved = 0;
  fc.assert(
    fc.property(longPolicy, (text) => {
      for (const withSets of [false, true]) {
        const differences = differencesOf(text, withSets);
        if (!differences) return;
        proved++;
        expect(differences, text).toEqual([]);
      }
    }),
    { numRuns: 12 },
  );
  expect(proved).toBeGreaterThan(12);
}, 120_000);

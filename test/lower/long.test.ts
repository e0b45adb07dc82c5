import fc from "fast-check";
import { expect, test } from "vitest";
import { longPolicy } from "../support/long-policy.ts";
import { differencesOf } from "../verify/own.ts";

test("long lists, which become sets and trees, are proved to do what the policy means", () => {
  let proved = 0;
  fc.assert(
    fc.property(longPolicy, (text) => {
      const differences = differencesOf(text);
      if (!differences) return;
      proved++;
      expect(differences, text).toEqual([]);
    }),
    { numRuns: 12 },
  );
  expect(proved).toBeGreaterThan(6);
}, 120_000);

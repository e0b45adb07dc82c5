import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limitedPolicy } from "../meaning/support.ts";
import { randomPolicy } from "../support/random-policy.ts";
import { differencesOf } from "./own.ts";

describe("whatever is compiled is proved to mean what the policy means", () => {
  const kinds = [
    ["plain", randomPolicy({ nat: false })],
    ["with NAT", randomPolicy({ nat: true })],
    ["with limits", limitedPolicy({ nat: false })],
    ["with NAT and limits", limitedPolicy({ nat: true })],
  ] as const;
  test.each(kinds)("%s", { timeout: 300_000 }, (_, policies) => {
    let proved = 0;
    fc.assert(
      fc.property(policies, (text) => {
        const differences = differencesOf(text);
        if (!differences) return;
        proved++;
        expect(differences, text).toEqual([]);
      }),
      { numRuns: 400 },
    );
    expect(proved).toBeGreaterThan(50);
  });
});

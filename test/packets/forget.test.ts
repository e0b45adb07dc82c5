import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstMatch } from "../../src/packets/first-match.ts";
import { forget } from "../../src/packets/forget.ts";
import { rankRules } from "../../src/packets/rules.ts";
import { EVERY_PACKET, rules, type Small, scan, spaceOfRules } from "./small.ts";

const FIELDS = ["path", "port", "destination", "source"] as const;

describe("forget", () => {
  test("keeps a packet when some values of the forgotten fields put it in the set", () => {
    fc.assert(
      fc.property(rules(4), fc.subarray([...FIELDS]), (list, forgotten) => {
        const space = spaceOfRules(list);
        const found = forget(space, firstMatch(rankRules(space, list)), forgotten);
        const rest = (packet: Small): string =>
          FIELDS.filter((field) => !forgotten.includes(field))
            .map((field) => packet[field])
            .join();
        const kept = new Set(EVERY_PACKET.filter((packet) => scan(list, packet) !== 0).map(rest));
        const wrong = EVERY_PACKET.find(
          (packet) => space.verdict(found, packet) !== (kept.has(rest(packet)) ? 1 : 0),
        );
        expect(wrong).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { editDistance, suggest } from "../../src/language/suggest.ts";

describe("suggest", () => {
  test.each([
    ["tpc", ["tcp", "udp"], "tcp"],
    ["form", ["to", "from"], "from"],
    ["wbe", ["web", "db"], "web"],
    ["TCP", ["tcp"], "tcp"],
    ["adress", ["addresses", "address"], "address"],
    ["memcache", ["memcached"], "memcached"],
  ])("%s", (word, candidates, meant) => {
    expect(suggest(word, candidates)).toBe(meant);
  });

  test.each([
    ["xyz", ["tcp", "web"]],
    ["web", ["web"]],
    ["ab", ["cb"]],
    ["a", ["b"]],
    ["", ["a"]],
    ["web", []],
  ])("nothing for %j among %j", (word, candidates) => {
    expect(suggest(word, candidates)).toBeNull();
  });

  test("nothing for a text of any length", () => {
    expect(suggest("x".repeat(1_000_000), ["x".repeat(1_000_000 - 1)])).toBeNull();
  });

  test("the first of those that are equally near", () => {
    expect(suggest("wxb", ["web", "wub"])).toBe("web");
  });
});

describe("editDistance", () => {
  test.each([
    ["", "", 0],
    ["abc", "", 3],
    ["abc", "abc", 0],
    ["abc", "acb", 1],
    ["abc", "abx", 1],
    ["abc", "ab", 1],
    ["kitten", "sitting", 3],
    ["ca", "abc", 3],
  ])("%s to %s", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  test("is symmetric, and at most the length of the longer one", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});

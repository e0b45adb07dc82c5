import { expect, test } from "vitest";
import { depthOf, MOST_DEEP } from "../../../src/lower/iptables/depth.ts";
import { legalise } from "../../../src/lower/legalise.ts";
import type { Ruleset } from "../../../src/netfilter/ruleset.ts";
import { accept, addresses, base, called, drop, ip, rule, ruleset } from "../../netfilter/build.ts";

/** So many chains, each leading into the next, and more rules in the first one than a packet should walk through. */
function ladder(deep: number): Ruleset {
  const clients = Array.from({ length: 200 }, (_, at) =>
    rule([addresses("source", 4, ip(10, 0, at, 1))], accept),
  );
  const step = (at: number) => rule([], { kind: "jump", chain: `step-${at}` });
  const steps = Array.from({ length: deep - 1 }, (_, at) =>
    called("filter", `step-${at}`, at === deep - 2 ? rule([addresses("source", 4, 1n)], drop) : step(at + 1)),
  );
  return ruleset(base("filter", "input", ...clients, step(0)), ...steps);
}

test("the depth counts the base chain and every chain below", () => {
  expect(depthOf(ladder(5).chains)).toBe(5);
  expect(depthOf(ladder(50_000).chains)).toBe(50_000);
});

test("long lists become trees where the chains below leave room", () => {
  const { chains } = legalise(ladder(5), 4);
  expect(chains.length).toBeGreaterThan(20);
  expect(depthOf(chains)).toBeLessThanOrEqual(MOST_DEEP);
});

test("long lists stay lists where trees would lead deeper than iptables-nft loads", () => {
  const { chains } = legalise(ladder(MOST_DEEP + 1), 4);
  expect(chains[0]!.rules.length).toBeGreaterThan(200);
});

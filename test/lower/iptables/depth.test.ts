import { expect, test } from "vitest";
import { depthOf, MOST_DEEP } from "../../../src/lower/iptables/depth.ts";
import { legalise } from "../../../src/lower/legalise.ts";
import { lower } from "../../../src/lower/lower.ts";
import type { Ruleset } from "../../../src/netfilter/ruleset.ts";
import { accept, addresses, base, called, drop, ip, rule, ruleset } from "../../netfilter/build.ts";
import { policyOf } from "../../support/policy.ts";
import { differencesOf } from "../../verify/own.ts";

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

/** A policy with rules above a deny that waits for routing, each of which has to be told apart by many lines. */
function waiting(rules: number): string {
  const lines = Array.from(
    { length: rules },
    (_, at) =>
      `      - allow udp from 10.${at}.0.1, 10.${at}.0.4, 10.${at}.0.9 to not 192.0.2.1, 192.0.2.7, 192.0.2.9 out not eth${at}, wg${at}\n`,
  );
  return `version: 1
defaults: { forward: allow }
policies:
  - name: p
    rules:
${lines.join("")}  - name: late
    doNotTrack: true
    rules:
      - deny from any to any out eth9
`;
}

test("rules above a deny that waits lead no deeper for each of them", () => {
  const depths = [3, 12].map((rules) => depthOf(legalise(lower(policyOf(waiting(rules))), 4).chains));
  expect(Math.max(...depths)).toBeLessThanOrEqual(MOST_DEEP);
  expect(differencesOf(waiting(12))).toEqual([]);
});

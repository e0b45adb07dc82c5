import fc from "fast-check";
import { expect, test } from "vitest";
import { emitIptables } from "../../src/emit/iptables.ts";
import { dispatch } from "../../src/lower/dispatch.ts";
import { legalise } from "../../src/lower/legalise.ts";
import type { GroupedRuleset } from "../../src/netfilter/grouped.ts";
import { readIptables } from "../../src/read/iptables.ts";
import { arbitraryPacket } from "../netfilter/arbitrary.ts";
import { accept, addresses, base, drop, ip, ports, protocols, rule, ruleset } from "../netfilter/build.ts";
import { fateOf } from "../netfilter/fate.ts";
import { expectSameFates, strict, understood } from "../read/model.ts";
import { arbitraryLongRuleset } from "./group/arbitrary.ts";

for (const family of [4, 6] as const) {
  test(`long chains for IPv${family} do to every packet what they did, asking the same limits`, () => {
    let trees = 0;
    fc.assert(
      fc.property(
        arbitraryLongRuleset(150),
        fc.array(arbitraryPacket(family), { minLength: 60, maxLength: 60 }),
        (given, packets) => {
          const legal = legalise(given, family);
          trees += legal.chains.length - given.chains.length;
          for (const packet of packets) expect(fateOf(legal, packet)).toEqual(fateOf(given, packet));
        },
      ),
      { numRuns: 60, endOnFailure: true },
    );
    expect(trees).toBeGreaterThan(60);
  }, 120_000);

  test(`what is printed of them for IPv${family} says the same`, () => {
    fc.assert(
      fc.property(
        arbitraryLongRuleset(150),
        fc.array(arbitraryPacket(family), { minLength: 60, maxLength: 60 }),
        (given, packets) => {
          const text = emitIptables(legalise(given, family), family, { source: "policy.yaml" });
          const read = strict(understood(readIptables({ name: "rules", text }, family)));
          expectSameFates(read, given, packets);
        },
      ),
      { numRuns: 20, endOnFailure: true },
    );
  }, 120_000);
}

const client = (index: number) => ip(10, index >> 12, (index >> 4) & 255, (index & 15) << 4);

/** Allows of many clients, each to a port, with a few for everyone among them. */
function services(count: number) {
  return Array.from({ length: count }, (_, index) =>
    index % 500 === 499
      ? rule([protocols(6), ports("destination", 22)], drop)
      : rule(
          [
            protocols(index % 5 === 0 ? 17 : 6),
            ports("destination", 1024 + ((index * 7919) % 60_000)),
            addresses("source", 4, [client(index), client(index) + 15n]),
          ],
          accept,
        ),
  );
}

/** The lines that a packet meets in a ruleset at most, and the chains it is in at once. */
function worstWay({ chains }: GroupedRuleset): { readonly lines: number; readonly depth: number } {
  const byName = new Map(chains.map((chain) => [chain.name, chain]));
  const worst = (name: string): { lines: number; depth: number } => {
    let most = 0;
    let deepest = 0;
    for (const [at, { statement }] of byName.get(name)!.rules.entries()) {
      const below =
        statement.kind === "jump" || statement.kind === "goto"
          ? worst(statement.chain)
          : { lines: 0, depth: 0 };
      most = Math.max(most, at + 1 + below.lines);
      deepest = Math.max(deepest, below.depth + 1);
    }
    return { lines: most, depth: deepest };
  };
  return worst(chains[0]!.name);
}

test("a packet meets few of very many lines, in chains not too deep", () => {
  const { lines, depth } = worstWay(legalise(ruleset(base("filter", "input", ...services(10_000))), 4));
  expect(lines).toBeLessThan(100);
  expect(depth).toBeLessThanOrEqual(8);
});

test("up to 32 lines stay in policy order", () => {
  const few = services(32);
  expect(dispatch(few, 4).steps).toEqual(few.map((line) => ({ kind: "line", rule: line })));
});

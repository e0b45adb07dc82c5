import fc from "fast-check";
import { expect, test } from "vitest";
import { createOutcomes } from "../../src/meaning/outcomes.ts";
import { createSeenWorld } from "../../src/meaning/seen.ts";
import { fieldsOf } from "../../src/meaning/world.ts";
import type { ScriptChain, ScriptMatch, ScriptRule, ScriptStatement } from "../../src/netfilter/script.ts";
import type { Packet } from "../../src/policy/packet.ts";
import { chainMaps } from "../../src/verify/chains.ts";
import { extrasOf } from "../../src/verify/extras.ts";
import { walkHook } from "../../src/verify/walk.ts";

const PORTS = [1, 2, 3, 4, 5, 6];

/** A test of the port, mostly of few, so that lines often take packets from each other. */
const portTest = fc
  .tuple(fc.subarray(PORTS, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([ports, negated]): readonly ScriptMatch[] => [
    { kind: "protocol", protocols: [6], negated: false },
    { kind: "port", side: "destination", ports: ports.map((port) => ({ first: port, last: port })), negated },
  ]);

const plain = fc.constantFrom<ScriptStatement>(
  { kind: "accept" },
  { kind: "drop" },
  { kind: "return" },
  { kind: "continue" },
);

const ruleWith = (statement: fc.Arbitrary<ScriptStatement>): fc.Arbitrary<ScriptRule> =>
  fc
    .tuple(fc.oneof(portTest, fc.constant([])), statement)
    .map(([matches, one]) => ({ matches, log: null, statement: one, origin: "", group: "" }));

/** A tree of chains, each but the first led to by one line of an earlier one; some by a second line, too. */
const chains = fc
  .array(fc.array(ruleWith(plain), { maxLength: 3 }), { minLength: 1, maxLength: 6 })
  .chain((bodies) => {
    const leads = bodies.flatMap((_, at) =>
      at === 0 ? [] : [leadTo(at), fc.option(leadTo(at), { freq: 6 })],
    );
    return fc
      .tuple(fc.constantFrom("accept" as const, "drop" as const), ...leads)
      .map(([policy, ...found]) => {
        const rules = bodies.map((body) => [...body]);
        for (const lead of found) if (lead) rules[lead.from]!.splice(lead.place, 0, lead.rule);
        return rules.map((own, at): ScriptChain => {
          const base = at === 0 ? ({ hook: "input", policy, priority: 0 } as const) : null;
          return { table: "filter", name: `chain ${at}`, base, rules: own };
        });
      });
  });

function leadTo(at: number) {
  const statement = fc
    .constantFrom("jump" as const, "goto" as const)
    .map((kind): ScriptStatement => ({ kind, chain: `chain ${at}` }));
  return fc.record({ from: fc.nat(at - 1), place: fc.nat(3), rule: ruleWith(statement) });
}

test("chains that lead into each other do to every packet what a walk along their lines does", () => {
  fc.assert(
    fc.property(chains, (some) => {
      const ruleset = { chains: some };
      const world = createSeenWorld([], extrasOf([{ ruleset, families: [4] }]));
      const space = world.seenSpaces[4];
      const outcomes = createOutcomes();
      const map = chainMaps(ruleset, 4, space, world.devices, outcomes).hook("filter", "input");
      for (const port of [...PORTS, 7]) {
        const packet: Packet = {
          family: 4,
          path: "input",
          in: "eth0",
          out: null,
          source: 1n,
          destination: 2n,
          protocol: 6,
          sourcePort: 9,
          destinationPort: port,
          icmp: null,
          opening: true,
        };
        const fields = { ...fieldsOf(packet, world.devices), seen: 0, delivery: 1 };
        const found = outcomes.leafOf(space.verdict(map, fields));
        const { ending } = walkHook(ruleset, "filter", "input", { packet, seen: "new" });
        expect(found?.kind === "drop").toBe(ending !== null);
      }
    }),
    { numRuns: 400 },
  );
});

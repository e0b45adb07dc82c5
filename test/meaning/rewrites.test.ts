import { expect, test } from "vitest";
import { understand } from "../../src/compile.ts";
import { conductOf } from "../../src/meaning/conduct.ts";
import { createOutcomes } from "../../src/meaning/outcomes.ts";
import { rewritesOf } from "../../src/meaning/rewrites.ts";
import { createSeenWorld } from "../../src/meaning/seen.ts";

/** How many nodes are asked for to follow so many sentences, which is what that takes. */
function stepsFor(sentences: number): number {
  const lines = Array.from(
    { length: sentences },
    (_, i) => `  dnat tcp from any to 192.0.2.1 port ${i + 1} -> 10.0.${i >> 8}.${i & 255} port 80`,
  );
  const text = ["version: 1", "nat: |", ...lines].join("\n");
  const { policy } = understand({ name: "nat.yaml", text }, { read: () => ({ error: "no such file" }) });
  const world = createSeenWorld([policy!]);
  const outcomes = createOutcomes();
  const conduct = conductOf(policy!, 4, world, outcomes);
  const space = world.seenSpaces[4];
  const { nodes } = space.engine;
  const { make } = nodes;
  let steps = 0;
  nodes.make = (...asked) => {
    steps++;
    return make(...asked);
  };
  expect(rewritesOf(policy!, conduct, space.everything, 4, world, outcomes)).toHaveLength(sentences);
  return steps;
}

test("following destination NAT takes time linear in the number of sentences", () => {
  // Four times as many; what does not hang on the number of sentences, and the depth of diagrams, may come on top.
  expect(stepsFor(400)).toBeLessThan(6 * stepsFor(100));
});

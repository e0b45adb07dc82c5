import fc from "fast-check";
import { expect, test } from "vitest";
import { type Conduct, conductOf } from "../../src/meaning/conduct.ts";
import { createOutcomes, type Outcome, type Outcomes } from "../../src/meaning/outcomes.ts";
import { createSeenWorld } from "../../src/meaning/seen.ts";
import { fieldsOf } from "../../src/meaning/world.ts";
import type { Diagram } from "../../src/packets/nodes.ts";
import { describePacket } from "../../src/policy/describe.ts";
import { type Decision, evaluate } from "../../src/policy/evaluate.ts";
import { isNeighbourDiscovery, TCP } from "../../src/policy/packet.ts";
import type { Rule } from "../../src/policy/policy.ts";
import { translated } from "../support/journey.ts";
import { policyOf } from "../support/policy.ts";
import { randomPacket, type Sample } from "../support/random-packet.ts";
import { limitedPolicy } from "./support.ts";

/** Follows a tree with the answers of an oracle, which knows rules by their place. */
function leafOf(outcome: Outcome, outcomes: Outcomes, hasRoom: (rule: number) => boolean): string {
  const asked = outcomes.askedOf(outcome);
  if (!asked) {
    const { kind, detail } = outcomes.leafOf(outcome)!;
    return `${kind} ${detail}`.trim();
  }
  if (asked.question.kind !== "limit") throw new Error("a policy has no other questions");
  const rule = Number(/^rule ([0-9]+)/.exec(asked.question.bucket)![1]);
  return leafOf(hasRoom(rule) ? asked.yes : asked.no, outcomes, hasRoom);
}

function mapFor(conduct: Conduct, { packet, state }: Sample): Diagram {
  if (isNeighbourDiscovery(packet)) return conduct.never;
  if (state === "new") return conduct.opening;
  return state === "invalid" ? conduct.invalid : conduct.known;
}

/** The decision of the reference in the words of a leaf. */
function worded({ verdict, tracked, destinationNat }: Decision, { packet }: Sample): string {
  if (destinationNat && !isNeighbourDiscovery(packet)) return "translate";
  if (verdict === "allow") return `accept ${tracked ? "tracked" : "untracked"}`;
  return verdict === "deny" ? "drop" : `reject ${packet.protocol === TCP ? "tcp-reset" : "port-unreachable"}`;
}

test("what a policy means for all packets is what the reference says of each, in every state, limits or not", () => {
  let compared = 0;
  fc.assert(
    fc.property(
      limitedPolicy({ nat: true }),
      fc.noShrink(fc.array(randomPacket, { minLength: 30, maxLength: 30 })),
      fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
      (text, samples, room) => {
        const policy = policyOf(text);
        const world = createSeenWorld([policy]);
        const outcomes = createOutcomes();
        const conducts = {
          4: conductOf(policy, 4, world, outcomes),
          6: conductOf(policy, 6, world, outcomes),
        };
        const hasRoom = (rule: number): boolean => room[rule % room.length]!;
        const verdictIn = (map: Diagram, packet: Sample["packet"]): string =>
          leafOf(
            world.seenSpaces[packet.family].verdict(map, {
              ...fieldsOf(packet, world.devices),
              seen: 0,
              delivery: 0,
            }),
            outcomes,
            hasRoom,
          );
        for (const sample of samples) {
          const { packet, state } = sample;
          const conduct = conducts[packet.family];
          let after: Sample["packet"] | null = null;
          const decision = evaluate(policy, packet, {
            state,
            withinLimit: (rule: Rule) => hasRoom(policy.rules.indexOf(rule)),
            translate(before, nat) {
              const routed = translated(before, nat);
              // The output hook goes on seeing the device from before.
              after = routed.path === "output" ? { ...routed, out: packet.out } : routed;
              return routed;
            },
          });
          const where = `${text}\n${describePacket(packet)} ${state} ${room}`;
          const found = verdictIn(mapFor(conduct, sample), packet);
          expect(found.startsWith("translate") ? "translate" : found, where).toBe(worded(decision, sample));
          if (after) {
            const judged = verdictIn(conduct.translated(), after);
            const { destinationNat: _, ...rest } = decision;
            expect(judged, `${where}, translated`).toBe(
              worded({ ...rest, destinationNat: null }, { ...sample, packet: after }),
            );
          }
          compared++;
        }
      },
    ),
    { numRuns: 300 },
  );
  expect(compared).toBe(300 * 30);
}, 120_000);

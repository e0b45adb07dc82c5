import fc from "fast-check";
import { expect, test } from "vitest";
import { FATE, type LimitCase, type View } from "../../src/meaning/fates.ts";
import { type Meaning, meaningOf } from "../../src/meaning/meaning.ts";
import { cubesOf, fieldsOf } from "../../src/meaning/world.ts";
import type { Diagram } from "../../src/packets/nodes.ts";
import { describePacket } from "../../src/policy/describe.ts";
import { type Decision, evaluate, matches } from "../../src/policy/evaluate.ts";
import { isIcmpError, isNeighbourDiscovery, type Packet } from "../../src/policy/packet.ts";
import type { Policy, Rule } from "../../src/policy/policy.ts";
import { replyTo } from "../../src/policy/reply.ts";
import { policyOf } from "../support/policy.ts";
import { randomPolicy } from "../support/random-policy.ts";
import { limitedPolicy, opening, packets } from "./support.ts";

/** The limits that each case of a proof assumes, as the reference evaluator asks for them. */
const ASSUMED: Readonly<Record<LimitCase, (rule: Rule) => boolean>> = {
  untracking: ({ action }) => action === "allow",
  keeping: ({ tracked }) => tracked,
  blocking: ({ action }) => action !== "allow",
  tracking: ({ tracked, action }) => tracked && action === "allow",
};
const CASES = Object.keys(ASSUMED) as LimitCase[];

/** What the essentials decide is no rule's affair, and no map's. */
function isRuled({ essentials }: Policy, packet: Packet): boolean {
  if (isNeighbourDiscovery(packet)) return false;
  return !essentials || (packet.path !== "loopback" && !isIcmpError(packet));
}

/** Whether a fate is what the reference says, as far as the case is exact. */
function agree(limits: LimitCase, fate: number, { verdict, tracked }: Decision): boolean {
  const passes = verdict === "allow";
  switch (limits) {
    case "untracking":
      return (fate === FATE.untracked) === (passes && !tracked);
    case "keeping":
      return (fate === FATE.allowed || fate === FATE.denied) === tracked;
    case "blocking":
    case "tracking":
      return (fate === FATE.allowed || fate === FATE.untracked) === passes;
  }
}

function fateIn(meaning: Meaning, limits: LimitCase, view: View, packet: Packet): number {
  const { family } = packet;
  const fields = fieldsOf(packet, meaning.world.devices);
  return meaning.space(family).verdict(meaning.fates(family, limits, view), fields);
}

test.each(CASES)("the fates of case %s are the reference's", (limits) => {
  fc.assert(
    fc.property(limitedPolicy({ nat: false }), packets, (text, some) => {
      const policy = policyOf(text);
      const meaning = meaningOf(policy);
      const wrong = some.filter((packet) => {
        if (!isRuled(policy, packet)) return false;
        const decision = evaluate(policy, packet, opening(ASSUMED[limits]));
        return !agree(limits, fateIn(meaning, limits, "packet", packet), decision);
      });
      expect(wrong.map(describePacket)).toEqual([]);
    }),
  );
});

test.each(CASES)("so are the fates of replies in case %s", (limits) => {
  fc.assert(
    fc.property(limitedPolicy({ nat: false }), packets, (text, some) => {
      const policy = policyOf(text);
      const meaning = meaningOf(policy);
      const wrong = some.filter((packet) => {
        const reply = replyTo(packet);
        if (!reply || !isRuled(policy, reply)) return false;
        const decision = evaluate(policy, reply, opening(ASSUMED[limits]));
        return !agree(limits, fateIn(meaning, limits, "reply", packet), decision);
      });
      expect(wrong.map(describePacket)).toEqual([]);
    }),
  );
});

test.each(CASES)(
  "replies to what is untracked, and those that are, have the fates of all replies in case %s",
  (limits) => {
    fc.assert(
      fc.property(limitedPolicy({ nat: false }), (text) => {
        const meaning = meaningOf(policyOf(text));
        for (const family of [4, 6] as const) {
          const space = meaning.space(family);
          const untracked = (map: Diagram): Diagram => space.where(map, FATE.untracked);
          const asked = meaning.replies(family, limits);
          const all = meaning.fates(family, limits, "reply");
          const among = untracked(meaning.fates(family, "untracking", "packet"));
          expect(untracked(asked)).toBe(untracked(all));
          expect(space.restrict(asked, among)).toBe(space.restrict(all, among));
        }
      }),
    );
  },
);

test("the cubes of a sentence hold what it matches", () => {
  fc.assert(
    fc.property(randomPolicy({ nat: true }), packets, (text, some) => {
      const policy = policyOf(text);
      const { world } = meaningOf(policy);
      for (const { match, origin } of [...policy.rules, ...policy.sourceNat, ...policy.destinationNat])
        for (const family of [4, 6] as const) {
          const space = world.spaces[family];
          const set = space.set(cubesOf(match, family, policy.self, world.devices));
          const wrong = some.filter(
            (packet) =>
              packet.family === family &&
              (space.verdict(set, fieldsOf(packet, world.devices)) === 1) !==
                matches(match, packet, policy.self),
          );
          expect(wrong.map(describePacket), origin.role).toEqual([]);
        }
    }),
  );
});

test("every packet is possible, and answered unless it is for a group or of an ICMP type without reply", () => {
  fc.assert(
    fc.property(packets, (some) => {
      const meaning = meaningOf(policyOf("version: 1\ninterfaces: { a: eth0, b: eth1, c: wg0 }\n"));
      for (const packet of some) {
        const { family } = packet;
        const is = (set: "possible" | "answerable") =>
          meaning.space(family).verdict(meaning[set](family), fieldsOf(packet, meaning.world.devices)) === 1;
        expect({ possible: is("possible"), answerable: is("answerable") }).toEqual({
          possible: true,
          answerable: replyTo(packet) !== null,
        });
      }
    }),
  );
});

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Family } from "../../src/address/ranges.ts";
import { repliesDenied, repliesTracked, repliesUntracked } from "../../src/lint/way-back.ts";
import { type Meaning, meaningOf } from "../../src/meaning/meaning.ts";
import { packetOf } from "../../src/meaning/witness.ts";
import { fieldsOf } from "../../src/meaning/world.ts";
import type { Diagram } from "../../src/packets/nodes.ts";
import { describePacket } from "../../src/policy/describe.ts";
import { type Decision, evaluate } from "../../src/policy/evaluate.ts";
import { isNeighbourDiscovery, type Packet, TCP } from "../../src/policy/packet.ts";
import type { Policy, Rule } from "../../src/policy/policy.ts";
import { replyTo } from "../../src/policy/reply.ts";
import { limitedPolicy, opening, packets } from "../meaning/support.ts";
import { policyOf } from "../support/policy.ts";

/** What may become of a packet, for each way in which limits have room or not. Policies with many limits are left out. */
function decisions(policy: Policy, packet: Packet): Decision[] {
  const limited = policy.rules.filter(({ limit }) => limit);
  return Array.from({ length: 2 ** limited.length }, (_, bits) =>
    evaluate(
      policy,
      packet,
      opening((rule: Rule) => (bits >> limited.indexOf(rule)) % 2 === 1),
    ),
  );
}

const isUntracked = ({ verdict, tracked }: Decision): boolean => verdict === "allow" && !tracked;
const isDenied = ({ verdict }: Decision): boolean => verdict !== "allow";
const isTracked = ({ verdict, tracked }: Decision): boolean => verdict === "allow" && tracked;

/** Each proof, and what the reference says of a packet that it complains of. */
const PROOFS: Readonly<
  Record<
    string,
    {
      readonly set: (meaning: Meaning, family: Family) => Diagram;
      readonly fails: (policy: Policy, packet: Packet, reply: Packet) => boolean;
    }
  >
> = {
  "replies of untracked packets that may be denied": {
    set: repliesDenied,
    fails: (policy, packet, reply) =>
      decisions(policy, packet).some(isUntracked) && decisions(policy, reply).some(isDenied),
  },
  "replies of untracked packets that may be tracked": {
    set: repliesTracked,
    fails: (policy, packet, reply) =>
      decisions(policy, packet).some(isUntracked) && decisions(policy, reply).some(isTracked),
  },
  "replies of tracked flows that may be left untracked": {
    set: repliesUntracked,
    fails: (policy, packet, reply) =>
      (packet.protocol !== TCP || packet.opening) &&
      decisions(policy, packet).some(isTracked) &&
      decisions(policy, reply).some(isUntracked),
  },
};

/** Rules that ask where forwarded packets leave cannot act in raw, which the reference does not say: `untracked-path` does. */
function isConcerned(policy: Policy, packet: Packet): boolean {
  if (isNeighbourDiscovery(packet)) return false;
  if (packet.path === "loopback" && policy.essentials) return false;
  return (
    packet.path !== "forward" || policy.rules.every(({ match }) => match.out === null && match.in === null)
  );
}

test.each(Object.keys(PROOFS))("the packets with %s are those of the reference", (name) => {
  const { set, fails } = PROOFS[name]!;
  let failures = 0;
  fc.assert(
    fc.property(limitedPolicy({ nat: false }), packets, (text, some) => {
      const policy = policyOf(text);
      fc.pre(policy.rules.filter(({ limit }) => limit).length <= 4);
      const meaning = meaningOf(policy);
      const wrong = some.filter((packet) => {
        const reply = replyTo(packet);
        if (!reply || !isConcerned(policy, packet)) return false;
        const { family } = packet;
        const is = meaning
          .space(family)
          .verdict(set(meaning, family), fieldsOf(packet, meaning.world.devices));
        if (is === 1) failures++;
        return (is === 1) !== fails(policy, packet, reply);
      });
      expect(wrong.map(describePacket)).toEqual([]);
    }),
    { numRuns: 200 },
  );
  // The sample would prove nothing if no policy in it were broken.
  expect(failures).toBeGreaterThan(20);
});

test.each(Object.keys(PROOFS))("the packet shown for %s fails under the reference", (name) => {
  const { set, fails } = PROOFS[name]!;
  let shown = 0;
  fc.assert(
    fc.property(limitedPolicy({ nat: false }), (text) => {
      const policy = policyOf(text);
      fc.pre(policy.rules.filter(({ limit }) => limit).length <= 4);
      const meaning = meaningOf(policy);
      for (const family of [4, 6] as const) {
        const packet = packetOf(set(meaning, family), family, meaning.world);
        if (!packet || !isConcerned(policy, packet)) continue;
        shown++;
        const reply = replyTo(packet);
        expect(reply && fails(policy, packet, reply), describePacket(packet)).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
  expect(shown).toBeGreaterThan(20);
});

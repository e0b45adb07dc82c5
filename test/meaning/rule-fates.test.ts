import fc from "fast-check";
import { expect, test } from "vitest";
import { meaningOf } from "../../src/meaning/meaning.ts";
import { ruleFates } from "../../src/meaning/rule-fates.ts";
import { evaluate, matches } from "../../src/policy/evaluate.ts";
import type { Packet } from "../../src/policy/packet.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { policyOf, ruled } from "../support/policy.ts";
import { opening } from "./support.ts";

/*
 * A world so small that every packet that its rules can tell apart can be tried: two hosts and the rest, ports 80, 81 and
 * the rest, three protocols, IPv4 addresses alone.
 */

const PEERS = ["any", "self", "10.0.0.2", "10.0.0.2-10.0.0.3", "not 10.0.0.3", "self, 10.0.0.3"];
const rule = fc
  .record({
    action: fc.constantFrom("allow", "allow", "deny", "reject"),
    traffic: fc.constantFrom("", "tcp", "udp"),
    from: fc.constantFrom(...PEERS),
    to: fc.constantFrom(...PEERS),
    port: fc.constantFrom("", "", " port 80", " port 80-81", " port not 80"),
    replies: fc.constantFrom("", "", "", " replies"),
  })
  .map(
    ({ action, traffic, from, to, port, replies }) =>
      `${action} ${traffic} from ${from} to ${to}${traffic ? port : ""}${replies}`,
  );

const smallPolicy = fc
  .record({
    rules: fc.array(rule, { minLength: 1, maxLength: 6 }),
    flags: fc.constantFrom([], ["doNotTrack: true"], ["doNotTrack: true", "symmetricAllow: true"]),
    output: fc.constantFrom("allow", "deny"),
    essentials: fc.boolean(),
  })
  .map(({ rules, flags, output, essentials }) => {
    const allowed = flags.length > 0 ? rules.filter((one) => !one.startsWith("reject")) : rules;
    const head = [`defaults: { output: ${output} }`, `essentials: ${essentials}`];
    return ruled([...allowed, "allow udp from 10.0.0.2 to self port 80"], flags, head);
  });

const V4 = 0x0a00_0000n;
const V6 = 0xfd00n << 112n;

/** One packet of every class. */
function everyPacket(): Packet[] {
  // Without `host.addresses` this host may have any of the addresses.
  const last = [2, 3, 9];
  const ways = ["input", "output", "forward", "loopback"] as const;
  const kinds = [6, 17].flatMap((protocol) =>
    [80, 81, 99].flatMap((sourcePort) =>
      [80, 81, 99].flatMap((destinationPort) =>
        (protocol === 6 ? [true, false] : [false]).map((isOpening) => ({
          protocol,
          sourcePort,
          destinationPort,
          opening: isOpening,
        })),
      ),
    ),
  );
  const portless = { protocol: 47, sourcePort: null, destinationPort: null, opening: false };
  return ways.flatMap((path) =>
    last.flatMap((source) =>
      last.flatMap((destination) =>
        ([4, 6] as const).flatMap((family) =>
          [...kinds, portless].map((kind): Packet => {
            const address = (host: number) => (family === 4 ? V4 : V6) + BigInt(host);
            const isSentHere = path === "output" || path === "loopback";
            const isDeliveredHere = path === "input" || path === "loopback";
            return {
              family,
              path,
              in: path === "loopback" ? "lo" : isSentHere ? null : "eth0",
              out: path === "loopback" ? "lo" : isDeliveredHere ? null : "eth0",
              source: address(source),
              destination: address(destination),
              icmp: null,
              ...kind,
            };
          }),
        ),
      ),
    ),
  );
}

const PACKETS = everyPacket();

function effect(policy: Policy, packet: Packet): string {
  const { verdict, tracked, droppedEarly } = evaluate(
    policy,
    packet,
    opening(() => true),
  );
  return `${verdict} ${tracked} ${droppedEarly}`;
}

test("the fate of every rule is what trying every packet with and without it shows", () => {
  const seen = { silent: 0, removable: 0, needed: 0 };
  fc.assert(
    fc.property(smallPolicy, (text) => {
      const policy = policyOf(text);
      const now = PACKETS.map((packet) => effect(policy, packet));
      const expected = policy.rules.map((one) => {
        const has = (rule: Policy["rules"][number], packet: Packet): boolean =>
          matches(rule.match, packet, policy.self) &&
          (rule.action === "allow" || packet.path !== "loopback" || !policy.essentials);
        const without = { ...policy, rules: policy.rules.filter((other) => other !== one) };
        return {
          matches: PACKETS.some((packet) => has(one, packet)),
          decides: PACKETS.some((packet) => policy.rules.find((other) => has(other, packet)) === one),
          removable: PACKETS.every((packet, i) => effect(without, packet) === now[i]),
        };
      });
      for (const { decides, removable } of expected)
        seen[!decides ? "silent" : removable ? "removable" : "needed"]++;
      expect(ruleFates(meaningOf(policy))).toEqual(expected);
    }),
    { numRuns: 120 },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(10);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { describePacket } from "../../src/policy/describe.ts";
import { parsePacket } from "../../src/policy/parse-packet.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { formatTrace, formatTraceJson } from "../../src/trace/formats.ts";
import { type Journey, trace } from "../../src/trace/trace.ts";
import { policyOf, ruled } from "../support/policy.ts";
import { randomPacket } from "../support/random-packet.ts";
import { randomPolicy } from "../support/random-policy.ts";
import { differencesOf } from "../verify/own.ts";

function traced(policy: Policy, text: string, state: "new" | "invalid" = "new") {
  const packet = parsePacket(text, policy.self);
  if ("fault" in packet) throw new Error(packet.fault);
  return trace(policy, packet, { state, via: null });
}

/** What the last hook did, in the words of a decision. */
function lastResult({ steps }: Journey): string {
  const filter = steps.findLast(({ stage }) => stage === "filter" || stage === "raw");
  return { dropped: "deny", rejected: "reject" }[filter?.result ?? ""] ?? "allow";
}

const MEMCACHED = ruled(
  ["allow tcp from 10.1.0.0/16 to self port 11211"],
  ["doNotTrack: true", "symmetricAllow: true"],
);

test("a packet and its reply, hook by hook", () => {
  expect(
    formatTrace(traced(policyOf(MEMCACHED), "tcp 10.1.2.3:40000 > self:11211 in eth0 flags syn")),
  ).toMatchInlineSnapshot(`
    "tcp 10.1.2.3:40000 > 192.0.2.1:11211 in eth0 flags syn
      raw prerouting              left untracked          policy.yaml:7 test
      connection tracking         does not see it
      filter input                accepted                open flows, and what raw left untracked
      allowed, untracked: allow tcp from 10.1.0.0/16 to self port 11211 (policy.yaml:7)

    and its reply

    tcp 192.0.2.1:11211 > 10.1.2.3:40000 out eth0
      raw output                  left untracked          policy.yaml:7 test, replies
      connection tracking         does not see it
      filter output               accepted                no rule decides
      allowed, untracked: allow tcp from 10.1.0.0/16 to self port 11211 (policy.yaml:7, its replies)
    "
  `);
});

test("a translated packet is shown as it goes on, and the rules that it met", () => {
  const policy = policyOf(
    ruled(
      [
        "deny tcp from 10.0.0.0/8 to 10.8.0.5 port 80 limit 5/second",
        "allow tcp from any to 10.8.0.5 port 80",
      ],
      [],
      [
        "interfaces: { wan: eth0 }",
        "nat:",
        "  - dnat tcp from any to self port 8080 in wan -> 10.8.0.5 port 80",
      ],
    ),
  );
  expect(
    formatTrace(traced(policy, "tcp 198.51.100.7:40000 > self:8080 in eth0 flags syn")),
  ).toMatchInlineSnapshot(`
    "tcp 198.51.100.7:40000 > 192.0.2.1:8080 in eth0 flags syn
      connection tracking         calls it NEW
      destination NAT prerouting  rewritten               policy.yaml:4 nat
                                  is now tcp 198.51.100.7:40000 > 10.8.0.5:80 in eth0 flags syn
      filter forward              accepted                policy.yaml:9 test
      allowed, tracked: allow tcp from any to 10.8.0.5 port 80 (policy.yaml:9)

    and its reply

    tcp 10.8.0.5:80 > 198.51.100.7:40000 out eth0
      connection tracking         calls it ESTABLISHED
      filter forward              accepted                open flows
      allowed, tracked: it belongs to a flow that is known
    "
  `);
});

test("what programs read says the same", () => {
  const { packet, verdict, tracked, rule, reply } = JSON.parse(
    formatTraceJson(traced(policyOf(MEMCACHED), "tcp 10.1.2.3:40000 > self:11211 in eth0 flags syn"), "1"),
  );
  expect({ packet, verdict, tracked, line: rule.line, reply: reply.packet }).toEqual({
    packet: "tcp 10.1.2.3:40000 > 192.0.2.1:11211 in eth0 flags syn",
    verdict: "allow",
    tracked: false,
    line: 7,
    reply: "tcp 192.0.2.1:11211 > 10.1.2.3:40000 out eth0",
  });
});

test.each([
  ["tcp 10.1.2.3:40000 > self:22 in eth0 flags syn", "it does not pass"],
  ["icmp 10.1.2.3 > self port-unreachable in eth0", "nothing answers such a packet"],
])("%s has no reply: %s", (packet, why) => {
  const { reply, noReply } = traced(policyOf(MEMCACHED), packet);
  expect({ reply, noReply }).toEqual({ reply: null, noReply: why });
});

test("the hooks of the compiled ruleset come to what the policy means, wherever verify finds no difference", () => {
  let compared = 0;
  fc.assert(
    fc.property(
      randomPolicy({ nat: false }),
      fc.array(randomPacket, { minLength: 20, maxLength: 20 }),
      (text, samples) => {
        const differences = differencesOf(text);
        if (!differences || differences.length > 0) return;
        const policy = policyOf(text);
        for (const { packet, state } of samples) {
          const found = trace(policy, packet, { state, via: null });
          // Of flows that cannot come about, raw may not know what the policy says: see `compare`.
          if (state !== "new" && packet.path === "forward") continue;
          compared++;
          expect(lastResult(found), `${text}\n${describePacket(packet)} ${state}`).toBe(
            found.decision.verdict,
          );
        }
      },
    ),
    { numRuns: 100 },
  );
  expect(compared).toBeGreaterThan(200);
}, 120_000);

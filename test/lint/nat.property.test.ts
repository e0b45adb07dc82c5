import fc from "fast-check";
import { expect, test } from "vitest";
import { describePacket } from "../../src/policy/describe.ts";
import { evaluate, matches } from "../../src/policy/evaluate.ts";
import { isNeighbourDiscovery, type Packet, TCP } from "../../src/policy/packet.ts";
import { sentHere } from "../../src/policy/paths.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { replyTo } from "../../src/policy/reply.ts";
import { opening, packets } from "../meaning/support.ts";
import { translated } from "../support/journey.ts";
import { policyOf } from "../support/policy.ts";
import { HOST_ADDRESS } from "../support/random-packet.ts";
import { randomPolicy } from "../support/random-policy.ts";
import { lintText } from "./support.ts";

const circumstances = { ...opening(() => true), translate: translated };

/** Random policies with NAT in which a check finds nothing: what the check promises must hold there for every packet. */
function whereSilent(check: string, promise: (policy: Policy, packet: Packet) => boolean): void {
  let silent = 0;
  let loud = 0;
  fc.assert(
    fc.property(randomPolicy({ nat: true }), packets, (text, some) => {
      if (lintText(text).some((finding) => finding.check === check)) {
        loud++;
        return;
      }
      silent++;
      const policy = policyOf(text);
      expect(some.filter((packet) => !promise(policy, packet)).map(describePacket)).toEqual([]);
    }),
    { numRuns: 400 },
  );
  expect(Math.min(silent, loud)).toBeGreaterThan(5);
}

test("where untracked-nat is silent, no sentence matches what is left untracked", () => {
  whereSilent("untracked-nat", (policy, packet) => {
    const { tracked, verdict } = evaluate({ ...policy, destinationNat: [] }, packet, circumstances);
    if (tracked || verdict !== "allow" || isNeighbourDiscovery(packet)) return true;
    const sentences = [
      ...policy.destinationNat,
      ...(packet.path === "forward" || packet.path === "output" ? policy.sourceNat : []),
    ];
    return !sentences.some(({ match }) => matches(match, packet, policy.self));
  });
});

test("where untracked-nat-reply is silent, raw tracks what answers translated flows", () => {
  let answers = 0;
  whereSilent("untracked-nat-reply", (policy, packet) => {
    if (packet.protocol === TCP && !packet.opening) return true;
    const { tracked, verdict, destinationNat, sourceNat } = evaluate(policy, packet, circumstances);
    if (!tracked || verdict !== "allow" || (!destinationNat && !sourceNat)) return true;
    const forwarded = destinationNat ? translated(packet, destinationNat) : packet;
    const replies = sourceNat
      ? drawnPorts(forwarded, sourceNat.ports).map((port) => {
          const { family } = packet;
          const pool = sourceNat.pool && (family === 4 ? sourceNat.pool.v4 : sourceNat.pool.v6);
          return replyTo({
            ...forwarded,
            path: "output",
            in: null,
            source: pool ? pool.first : HOST_ADDRESS[family],
            sourcePort: port,
          });
        })
      : [replyTo(forwarded)];
    return replies.every((reply) => {
      if (!reply || (reply.path === "loopback" && policy.essentials) || sentHere(packet.path)) return true;
      // Without `host.addresses` the proof takes it that masquerade does not hide the host's own address.
      if (sourceNat?.masquerade && !policy.self && hides(sourceNat.match, reply)) return true;
      answers++;
      const answer = evaluate({ ...policy, destinationNat: [] }, reply, circumstances);
      return answer.tracked || answer.verdict !== "allow";
    });
  });
  expect(answers).toBeGreaterThan(20);
});

function drawnPorts(
  { sourcePort }: Packet,
  range: { first: number; last: number } | null,
): (number | null)[] {
  if (sourcePort === null) return [null];
  if (range) return [range.first, range.last];
  return sourcePort < 512 ? [1, 53, 80, 511] : sourcePort < 1024 ? [600, 1023] : [1024, 40000, 65535];
}

function hides(match: Policy["rules"][number]["match"], { family, destination }: Packet): boolean {
  const ranges = family === 4 ? match.source.addresses.v4 : match.source.addresses.v6;
  return ranges.some(({ first, last }) => first <= destination && destination <= last);
}

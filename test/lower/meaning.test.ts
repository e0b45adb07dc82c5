import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lower } from "../../src/lower/lower.ts";
import { describeOrigin } from "../../src/lower/build.ts";
import { simulate } from "../../src/netfilter/simulate.ts";
import { describePacket } from "../../src/policy/describe.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { simulated, surroundings, translated } from "../support/journey.ts";
import { readPolicy } from "../support/policy.ts";
import { randomPacket, type Sample } from "../support/random-packet.ts";
import { randomPolicy } from "../support/random-policy.ts";

const VERDICTS = { allow: "accept", deny: "drop", reject: "reject" } as const;

/** What the reference says of a packet, in the simulator's terms. */
function meant(policy: Policy, { packet, state }: Sample): object {
  const { verdict, tracked, droppedEarly, destinationNat, sourceNat } = evaluate(policy, packet, {
    state,
    withinLimit: () => true,
    translate: translated,
  });
  return {
    verdict: VERDICTS[verdict],
    untracked: !tracked && !droppedEarly,
    destinationNat: destinationNat && (destinationNat.redirect ? "redirect" : "dnat"),
    sourceNat: sourceNat && (sourceNat.masquerade ? "masquerade" : "snat"),
  };
}

function done(policy: Policy, { packet, state }: Sample): object {
  const fate = simulate(lower(policy), simulated(packet, state), surroundings);
  return {
    verdict: fate.verdict,
    untracked: fate.untracked,
    destinationNat: fate.destinationNat?.kind ?? null,
    sourceNat: fate.sourceNat?.kind ?? null,
  };
}

describe("a lowered policy does what the reference says", () => {
  for (const nat of [false, true])
    test(nat ? "with NAT" : "without NAT", { timeout: 120_000 }, () => {
      let compared = 0;
      fc.assert(
        fc.property(
          randomPolicy({ nat }),
          fc.uniqueArray(randomPacket, { minLength: 1, maxLength: 40, size: "max" }),
          (text, samples) => {
            const { policy } = readPolicy(text);
            if (!policy) return;
            for (const sample of samples) {
              compared++;
              expect(done(policy, sample), `${text}\n${describePacket(sample.packet)} ${sample.state}`).toEqual(
                meant(policy, sample),
              );
            }
          },
        ),
        { numRuns: 500 },
      );
      expect(compared).toBeGreaterThan(5000);
    });
});

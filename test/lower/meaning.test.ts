import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lower } from "../../src/lower/lower.ts";
import { simulate } from "../../src/netfilter/simulate.ts";
import { describePacket } from "../../src/policy/describe.ts";
import { evaluate, matches } from "../../src/policy/evaluate.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { simulated, surroundings, translated } from "../support/journey.ts";
import { readPolicy } from "../support/policy.ts";
import { randomPacket, type Sample } from "../support/random-packet.ts";
import { randomPolicy } from "../support/random-policy.ts";

const VERDICTS = { allow: "accept", deny: "drop", reject: "reject" } as const;

/** What the reference says of a packet, in the simulator's terms. */
function meant(policy: Policy, { packet, state }: Sample): object {
  const { verdict, tracked, destinationNat, sourceNat } = evaluate(policy, packet, {
    state,
    withinLimit: () => true,
    translate: translated,
  });
  const passes = verdict === "allow";
  return outcome(
    VERDICTS[verdict],
    passes && !tracked,
    passes && destinationNat && (destinationNat.redirect ? "redirect" : "dnat"),
    passes && sourceNat && (sourceNat.masquerade ? "masquerade" : "snat"),
  );
}

/** Nobody can see what happened, before it was dropped, to a packet that was dropped. */
function outcome(verdict: string, untracked: boolean, ...nat: readonly (string | null | false)[]): object {
  return { verdict, untracked, nat: nat.map((kind) => kind || null) };
}

function done(policy: Policy, { packet, state }: Sample): object {
  const fate = simulate(lower(policy), simulated(packet, state), surroundings);
  const passes = fate.verdict === "accept";
  return outcome(
    fate.verdict,
    passes && fate.untracked,
    passes && (fate.destinationNat?.kind ?? null),
    passes && (fate.sourceNat?.kind ?? null),
  );
}

/**
 * Whether the raw hook, which does not know where a forwarded packet will leave, may take this one for another that the
 * policy leaves untracked. Where it matters that is the error `untracked-path`, and no lowering can do what such a policy
 * says; it does not matter for a packet that opens nothing, is not translated, and is denied.
 */
function isAmbiguous(policy: Policy, { packet, state }: Sample): boolean {
  if (packet.path !== "forward") return false;
  const { tracked, verdict, destinationNat } = evaluate(policy, packet, {
    state,
    withinLimit: () => true,
    translate: translated,
  });
  if (!tracked || (state === "new" && verdict !== "allow" && !destinationNat)) return false;
  return policy.rules.some(
    ({ match }) => match.out !== null && matches({ ...match, out: null }, packet, policy.self),
  );
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
              if (isAmbiguous(policy, sample)) continue;
              compared++;
              expect(
                done(policy, sample),
                `${text}\n${describePacket(sample.packet)} ${sample.state}`,
              ).toEqual(meant(policy, sample));
            }
          },
        ),
        { numRuns: 500 },
      );
      expect(compared).toBeGreaterThan(5000);
    });
});

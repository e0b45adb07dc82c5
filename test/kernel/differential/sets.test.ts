import fc from "fast-check";
import { expect, test } from "vitest";
import { SETS_EVERYWHERE } from "../../lower/ipset/costs.ts";
import { longPolicy } from "../../support/long-policy.ts";
import { readPolicy } from "../../support/policy.ts";
import { crossroads } from "../crossroads.ts";
import { describeKernel } from "../requirements.ts";
import { boundaryShot } from "./boundaries.ts";
import { randomOf } from "./random.ts";
import { compare, scriptsOf } from "./run.ts";
import { describeShot } from "./shots.ts";

/** Policies with long lists, and packets at the boundaries of each. */
const POLICIES = 4;
const SHOTS = 120;

describeKernel("the kernel does what the reference says where long lists are sets", () => {
  test.each(["iptables-legacy", "iptables-nft"] as const)(
    "under %s",
    { timeout: 120_000 },
    async (backend) => {
      const net = await crossroads();
      const found: string[] = [];
      let compared = 0;
      try {
        for (const [at, text] of fc.sample(longPolicy, { seed: 3, numRuns: POLICIES }).entries()) {
          const { policy } = readPolicy(text);
          if (!policy) continue;
          const random = randomOf(at);
          const shots = Array.from({ length: SHOTS }, () => boundaryShot(policy, random));
          const scripts = scriptsOf(policy, SETS_EVERYWHERE);
          expect(scripts.sets).toMatch(/^create \S+ hash:net,port /m);
          const result = await compare({ backend, net }, policy, shots, scripts);
          compared += result.compared;
          for (const { problem, shots: some } of result.differences)
            found.push(`${some.map(describeShot).join(", then ")}: ${problem}\n${text}`);
        }
      } finally {
        await net.lab.destroy();
      }
      expect(found).toEqual([]);
      expect(compared).toBeGreaterThan(POLICIES * SHOTS);
    },
  );
});

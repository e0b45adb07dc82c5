import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { policyOf } from "../../support/policy.ts";
import { BACKENDS } from "../backends.ts";
import { type Crossroads, crossroads } from "../crossroads.ts";
import { describeKernel } from "../requirements.ts";
import { compare, compareOpen } from "./run.ts";
import { describeShot, parseShot } from "./shots.ts";

/** Policies that the kernel once treated otherwise than the reference, with the packets that showed it in comments. */
const FOLDER = fileURLToPath(new URL("../regressions", import.meta.url));
const cases = readdirSync(FOLDER).sort();

function readCase(name: string) {
  const text = readFileSync(`${FOLDER}/${name}`, "utf8");
  const policy = policyOf(text);
  const packets = [...text.matchAll(/^# (.* > .*)$/gm)].map(([, packet]) => packet!);
  return { policy, packets, shots: packets.map((packet) => parseShot(packet, policy.self)) };
}

test.each(cases)("%s names packets, which are read as they are written", (name) => {
  const { packets, shots } = readCase(name);
  expect(packets).not.toEqual([]);
  expect(shots.map(describeShot)).toEqual(packets);
});

for (const backend of BACKENDS) {
  describeKernel(`what once went wrong, under ${backend}`, () => {
    let net: Crossroads;

    beforeAll(async () => {
      net = await crossroads();
    });
    afterAll(() => net.lab.destroy());

    test.each(cases)("%s", async (name) => {
      const { policy, shots } = readCase(name);
      const { compared, differences } = await compare({ backend, net }, policy, shots);
      expect(differences.map(({ shots: way, problem }) => [...way.map(describeShot), problem])).toEqual([]);
      expect(compared).toBeGreaterThanOrEqual(shots.length);
      const open = await compareOpen({ backend, net }, policy, shots);
      expect(open.differences.map(({ problem }) => problem)).toEqual([]);
    });
  });
}

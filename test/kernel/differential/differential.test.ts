import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isNeighbourDiscovery } from "../../../src/policy/packet.ts";
import { policyOf } from "../../support/policy.ts";
import { randomPolicy } from "../../support/random-policy.ts";
import { BACKENDS, load } from "../backends.ts";
import { type Crossroads, crossroads } from "../crossroads.ts";
import { tagOf } from "../packets.ts";
import { describeKernel } from "../requirements.ts";
import { boundaryShot } from "./boundaries.ts";
import { differences } from "./compare.ts";
import { fuzz } from "./fuzz.ts";
import { randomOf } from "./random.ts";
import { scriptsOf } from "./run.ts";
import { describeShot, firstState, injection, type Shot } from "./shots.ts";

/** Policies that the short run takes; a second or so each, under all backends together. */
const POLICIES = 24;

describeKernel("the kernel does what the reference says", () => {
  test("with random policies, under every backend", async () => {
    const { tallies, findings } = await fuzz({
      seed: 1,
      goOn: (policies) => policies < POLICIES,
      shots: 150,
    });
    expect(findings).toEqual([]);
    // Under every backend the same, and enough of everything to say so.
    const [nft, ...others] = BACKENDS.map((backend) => tallies[backend]);
    for (const { packets, ...other } of others)
      expect(other).toMatchObject({ policies: nft!.policies, clean: nft!.clean });
    expect(nft!.packets).toBeGreaterThan(POLICIES * 150);
    expect(nft!.ambiguous).toBeLessThan(nft!.packets / 50);
    expect(nft!.crowded).toBeLessThan(nft!.packets / 100);
    // No policy that passes all checks shows what they rule out: so many policies, and so many answers in them.
    expect(nft!.clean).toBeGreaterThan(POLICIES / 4);
    expect(nft!.answered).toBeGreaterThan(200);
  }, 180_000);
});

/** Packets at the boundaries of some random policies, each of another flow. */
function someShots(): readonly Shot[] {
  const random = randomOf(7);
  const texts = fc.sample(randomPolicy({ nat: true, whole: true }), { seed: 7, numRuns: 20 });
  const shots = texts.flatMap((text) => {
    const policy = policyOf(text);
    return Array.from({ length: 25 }, () => boundaryShot(policy, random));
  });
  const flowOf = ({ packet: { source, destination, protocol, sourcePort, destinationPort } }: Shot) =>
    [protocol, ...[`${source}:${sourcePort}`, `${destination}:${destinationPort}`].sort()].join();
  return [...new Map(shots.map((shot) => [flowOf(shot), shot])).values()];
}

describeKernel("the crossroads", () => {
  let net: Crossroads;

  beforeAll(async () => {
    net = await crossroads();
  });
  afterAll(() => net.lab.destroy());

  test("carries every packet to its end where there are no rules, in the state that is expected of it", async () => {
    const shots = someShots();
    expect(shots.length).toBeGreaterThan(200);
    const seen = await net.volley(shots.map((shot, i) => injection(shot, i + 1)));
    const wrong = shots.flatMap((shot, i) => {
      const problem = differences([asSent(shot)], seen.get(i + 1));
      return problem ? [`${describeShot(shot)}: ${problem}`] : [];
    });
    expect(wrong).toEqual([]);
  });

  test("sends the same packets on without its observer", async () => {
    const policy = policyOf(
      [
        "version: 1",
        "defaults: { input: deny, forward: deny, output: deny }",
        "policies:",
        "  - name: some",
        "    rules: [allow udp from 10.0.0.0/8 to any, allow icmp from any to any, reject tcp from any to any port 80]",
        "  - name: others",
        "    doNotTrack: true",
        "    rules: [allow tcp from any to any port 1-1023, deny from 2001:db8::/32 to any]",
        "",
      ].join("\n"),
    );
    const shots = someShots().filter(({ packet, fragmented }) => packet.path === "forward" && !fragmented);
    const volley = shots.map((shot, i) => injection(shot, i + 1));
    for (const backend of BACKENDS) {
      const other = await crossroads();
      try {
        await load(other.host, backend, scriptsOf(policy));
        const seen = await other.volley(volley);
        const passed = [...seen].flatMap(([tag, { end }]) => (end ? [tag] : []));
        await other.host.run(["nft", "delete", "table", "inet", "observer"]);
        await other.forget();
        const arrived = await other.arrivals(volley);
        // What the host says by itself has other tags.
        const tags = arrived
          .map(({ bytes }) => tagOf(bytes))
          .filter((tag) => tag >= 1 && tag <= volley.length);
        expect(tags.sort(), backend).toEqual(passed.sort());
        expect(passed.length).toBeGreaterThan(20);
        expect(passed.length).toBeLessThan(shots.length);
      } finally {
        await other.lab.destroy();
      }
    }
  }, 60_000);
});

/** Where a packet comes to an end that nobody keeps from it. */
function asSent(shot: Shot): Parameters<typeof differences>[0][number] {
  const { packet } = shot;
  const { path, out, source, destination, sourcePort, destinationPort } = packet;
  return {
    verdict: "allow",
    early: false,
    end: {
      path,
      out: path === "loopback" ? null : out,
      state: isNeighbourDiscovery(packet) ? "untracked" : firstState(shot),
      destination,
      destinationPort,
      source: { first: source, last: source },
      sourcePort: sourcePort === null ? null : { first: sourcePort, last: sourcePort },
    },
  };
}

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Policy } from "../../src/policy/policy.ts";
import { type Trace, trace } from "../../src/trace/trace.ts";
import { policyOf } from "../support/policy.ts";
import { load } from "./backends.ts";
import { type Crossroads, crossroads } from "./crossroads.ts";
import { boundaryShot } from "./differential/boundaries.ts";
import { randomOf } from "./differential/random.ts";
import { scriptsOf } from "./differential/run.ts";
import { describeShot, firstState, injection, isNeverTracked, type Shot } from "./differential/shots.ts";
import type { Host } from "./lab.ts";
import { describeKernel } from "./requirements.ts";

/** Untracked, tracked, denied early and late, translated both ways. No rejects: their answers would be counted too. */
const POLICIES: Readonly<Record<string, string>> = {
  memcached: readFileSync("examples/memcached/policy.yaml", "utf8"),
  "early denies": readFileSync("golden/cases/untracked-deny-out/policy.yaml", "utf8"),
  gateway: `version: 1
defaults: { output: deny }
policies:
  - name: resolver
    doNotTrack: true
    symmetricAllow: true
    rules:
      - allow udp from 10.0.0.0/16 to self port 53 in eth0
  - name: gateway
    rules:
      - allow tcp from 10.0.0.0/16 to any port 80, 443 in eth0 out eth1
      - allow tcp from any to 10.0.0.80 port 80
      - deny tcp from self to 192.0.2.0/24
      - allow from self to any
nat:
  - dnat tcp from any to self port 8080 in eth1 -> 10.0.0.80 port 80
  - masquerade from 10.0.0.0/16 out eth1
`,
};

const SHOTS = 120;

/** What a rule of the kernel and a step of a trace have in common: the kind of chain and the comment. */
type Place = string;

describeKernel("ctc trace", () => {
  let net: Crossroads;

  beforeAll(async () => {
    net = await crossroads();
  });
  afterAll(() => net.lab.destroy());

  test.each(Object.keys(POLICIES))("agrees with the kernel step by step: %s", async (name) => {
    const policy = policyOf(POLICIES[name]!);
    const shots = shotsOf(policy);
    const traces = shots.map((shot) =>
      trace(policy, shot.packet, { state: firstState(shot), via: shot.via }),
    );
    await load(net.host, "nft", { v4: "", v6: "", nft: counting(scriptsOf(policy).nft) });
    await net.forget();

    // A volley ends with packets of its own, which are counted as well.
    const none = await counts(net.host);
    await net.volley([]);
    const ends = subtract(await counts(net.host), none);
    const before = await counts(net.host);
    const seen = await net.volley(shots.map((shot, at) => injection(shot, at + 1)));
    const counted = subtract(subtract(await counts(net.host), before), ends);

    const said = shots.map((shot, at) => `${describeShot(shot)}: ${fateOf(traces[at]!)}`);
    expect(
      shots.map((shot, at) => {
        const sighting = seen.get(at + 1);
        const end = sighting?.end;
        const fate = end
          ? `allowed ${end.state === "untracked" ? "untracked" : "tracked"} ${end.path}`
          : sighting?.passedRaw
            ? "dropped"
            : "dropped early";
        return `${describeShot(shot)}: ${fate}`;
      }),
    ).toEqual(said);
    expect(Object.fromEntries([...counted].sort())).toEqual(Object.fromEntries([...placesOf(traces)].sort()));
  });
});

/** Packets at the edges of a policy, no two of one flow. */
function shotsOf(policy: Policy): readonly Shot[] {
  const random = randomOf(20_261_122);
  const flows = new Map<string, Shot>();
  while (flows.size < SHOTS) {
    const shot = boundaryShot(policy, random);
    if (shot.fragmented || isNeverTracked(shot)) continue;
    const { family, protocol, source, destination, sourcePort, destinationPort } = shot.packet;
    const ends = [`${source} ${sourcePort}`, `${destination} ${destinationPort}`].sort();
    flows.set(`${family} ${protocol} ${ends.join()}`, shot);
  }
  return [...flows.values()];
}

function fateOf({ decision: { verdict, tracked, droppedEarly }, packet, translated }: Trace): string {
  if (verdict === "allow")
    return `allowed ${tracked ? "tracked" : "untracked"} ${(translated ?? packet).path}`;
  return droppedEarly ? "dropped early" : "dropped";
}

/** How often each rule decided, as the traces say. */
function placesOf(traces: readonly Trace[]): ReadonlyMap<Place, number> {
  const places = new Map<Place, number>();
  for (const { steps } of traces)
    for (const { stage, by } of steps) {
      if (by === null) continue;
      const place = `${stage.endsWith("NAT") ? "nat" : stage}: ${by}`;
      places.set(place, (places.get(place) ?? 0) + 1);
    }
  return places;
}

/** A script each of whose verdicts is counted. */
function counting(nft: string): string {
  return nft.replace(
    /([ \t])(?<!ct status )((?:notrack accept|accept|drop|masquerade|dnat|redirect)\b[^"\n]*) comment "/g,
    '$1counter $2 comment "',
  );
}

interface ListedRule {
  readonly chain: string;
  readonly comment?: string;
  readonly expr: readonly { readonly counter?: { readonly packets: number }; readonly jump?: unknown }[];
}

/** How often each rule that decides something has matched. */
async function counts(host: Host): Promise<ReadonlyMap<Place, number>> {
  const listed: { readonly nftables: readonly { readonly rule?: ListedRule }[] } = JSON.parse(
    await host.run(["nft", "-j", "list", "table", "inet", "ctc"]),
  );
  const found = new Map<Place, number>();
  for (const { rule } of listed.nftables) {
    const counter = rule?.expr.find((one) => one.counter)?.counter;
    if (!rule || !counter || rule.expr.some((one) => one.jump !== undefined)) continue;
    // What comes in on loopback was traced on its way out.
    if (rule.chain === "raw-prerouting" && rule.comment === "loopback was judged in output") continue;
    const table = /^(raw|nat)-/.exec(rule.chain)?.[1] ?? "filter";
    const place = `${table}: ${rule.comment}`;
    found.set(place, (found.get(place) ?? 0) + counter.packets);
  }
  return found;
}

/** Differences that are not zero. */
function subtract(a: ReadonlyMap<Place, number>, b: ReadonlyMap<Place, number>): Map<Place, number> {
  return new Map(
    [...a].flatMap(([place, count]) => {
      const left = count - (b.get(place) ?? 0);
      return left === 0 ? [] : [[place, left] as const];
    }),
  );
}

import { beforeEach, expect, test } from "vitest";
import { load } from "../backends.ts";
import { describeExample } from "../compile.ts";
import { conntrackEntries } from "../conntrack.ts";
import { briefly, type Flow } from "../lab.ts";
import { PAIR, type Pair, pair } from "../topologies.ts";

const ADMIN = "192.0.2.10";
const MONITORING = "192.0.2.30";
const FAMILIES = [4, 6] as const;

describeExample("web-server", (backend, scripts) => {
  let net: Pair;

  beforeEach(async () => {
    net = await pair();
    await net.client.ip(`address add ${ADMIN}/32 dev eth0`, `address add ${MONITORING}/32 dev eth0`);
    await net.host.ip(`route add 192.0.2.0/24 via ${PAIR.client[4]}`);
    await load(net.host, backend, await scripts());
    return net.lab.destroy;
  });

  test.each(FAMILIES)("serves everybody over IPv%i, as tracked flows", async (family) => {
    const to = PAIR.host[family];
    for (const port of [80, 443]) await net.host.serve("tcp", to, port);
    await net.host.serve("udp", to, 443);
    const flows = [
      { protocol: "tcp", to, port: 80 },
      { protocol: "tcp", to, port: 443 },
      { protocol: "udp", to, port: 443 },
    ] as const;
    for (const ending of await net.client.askAll(flows)) expect(ending.outcome).toBe("answered");
    expect(await conntrackEntries(net.host, "dport=")).toHaveLength(3);
  });

  test("keeps everything else to those it is for", async () => {
    const to = PAIR.host[4];
    for (const port of [22, 9100, 3306]) await net.host.serve("tcp", to, port);
    const flow = (port: number, from: string): Flow => ({ protocol: "tcp", to, port, from });
    for (const allowed of [flow(22, ADMIN), flow(9100, MONITORING)])
      expect(await net.client.ask(allowed)).toMatchObject({ outcome: "answered" });
    for (const denied of [flow(22, MONITORING), flow(9100, ADMIN), flow(3306, ADMIN)])
      expect(await net.client.ask(briefly(denied))).toEqual({ outcome: "silence" });
  });

  test("lets in as many new connections at once as the burst of the limit", async () => {
    await net.host.serve("tcp", PAIR.host[4], 22);
    const flows = Array.from(
      { length: 30 },
      () => ({ protocol: "tcp", to: PAIR.host[4], port: 22, from: ADMIN, timeout: 2 }) as const,
    );
    const answered = (await net.client.askAll(flows, 30)).filter(
      ({ outcome }) => outcome === "answered",
    ).length;
    // Ten a minute after the first twenty: one more may have come in while these were counted.
    expect(answered).toBeGreaterThanOrEqual(20);
    expect(answered).toBeLessThanOrEqual(21);
  });

  test.each(FAMILIES)(
    "tells who asks for port 113 over IPv%i at once that there is nothing",
    async (family) => {
      const flow = { protocol: "tcp", to: PAIR.host[family], port: 113 } as const;
      expect(await net.client.ask(flow)).toEqual({ outcome: "refused" });
    },
  );

  test("opens connections of its own", async () => {
    await net.client.serve("tcp", PAIR.client[4], 5432);
    const flow = { protocol: "tcp", to: PAIR.client[4], port: 5432 } as const;
    expect(await net.host.ask(flow)).toMatchObject({ outcome: "answered" });
  });
});

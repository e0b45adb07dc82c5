import { beforeEach, expect, test } from "vitest";
import { load } from "../backends.ts";
import { describeExample } from "../compile.ts";
import { conntrackEntries } from "../conntrack.ts";
import { briefly } from "../lab.ts";
import { PAIR, type Pair, pair } from "../topologies.ts";

const OPERATOR = "198.51.100.7";
const FAMILIES = [4, 6] as const;

describeExample("dns-server", (backend, scripts) => {
  let net: Pair;

  beforeEach(async () => {
    net = await pair();
    await net.client.ip(`address add ${OPERATOR}/32 dev eth0`);
    await net.host.ip(`route add ${OPERATOR} via ${PAIR.client[4]}`);
    await load(net.host, backend, await scripts());
    return net.lab.destroy;
  });

  test.each(FAMILIES)("answers IPv%i questions over UDP and TCP and remembers none", async (family) => {
    for (const protocol of ["udp", "tcp"] as const) await net.host.serve(protocol, PAIR.host[family], 53);
    const questions = Array.from(
      { length: 200 },
      (_, i) => ({ protocol: i % 4 === 0 ? "tcp" : "udp", to: PAIR.host[family], port: 53 }) as const,
    );
    for (const ending of await net.client.askAll(questions)) expect(ending.outcome).toBe("answered");
    expect(await conntrackEntries(net.host)).toEqual([]);
  });

  test.each(FAMILIES)("takes IPv%i datagrams that come in fragments", async (family) => {
    await net.host.serve("udp", PAIR.host[family], 53);
    const large = { protocol: "udp", to: PAIR.host[family], port: 53, size: 4000 } as const;
    expect(await net.client.ask(large)).toMatchObject({ outcome: "answered" });
    expect(await conntrackEntries(net.host)).toEqual([]);
  });

  test.each(FAMILIES)("refuses the later fragments of IPv%i datagrams to other ports", async (family) => {
    await net.host.serve("udp", PAIR.host[family], 5353);
    const large = { protocol: "udp", to: PAIR.host[family], port: 5353, size: 4000 } as const;
    expect(await net.client.ask(briefly(large))).toEqual({ outcome: "silence" });
  });

  test("asks other servers itself, as tracked flows", async () => {
    await net.client.serve("udp", PAIR.client[4], 53);
    const question = { protocol: "udp", to: PAIR.client[4], port: 53 } as const;
    expect(await net.host.ask(question)).toMatchObject({ outcome: "answered" });
    expect(await conntrackEntries(net.host, "dport=53")).toHaveLength(1);
  });

  test("a question to itself passes loopback untracked", async () => {
    for (const address of ["127.0.0.1", "::1"]) {
      await net.host.serve("udp", address, 53);
      expect(await net.host.ask({ protocol: "udp", to: address, port: 53 })).toMatchObject({
        outcome: "answered",
      });
    }
    expect(await conntrackEntries(net.host)).toEqual([]);
  });

  test("lets operators in and nobody else", async () => {
    await net.host.serve("tcp", PAIR.host[4], 22);
    const ssh = { protocol: "tcp", to: PAIR.host[4], port: 22 } as const;
    expect(await net.client.ask({ ...ssh, from: OPERATOR })).toMatchObject({ outcome: "answered" });
    expect(await net.client.ask(briefly({ ...ssh, from: PAIR.client[4] }))).toEqual({ outcome: "silence" });
  });
});

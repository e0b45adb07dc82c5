import { beforeEach, expect, test } from "vitest";
import { load } from "../backends.ts";
import { compileExample, describeExample } from "../compile.ts";
import { conntrackEntries, FILLING, fillTable } from "../conntrack.ts";
import { briefly } from "../lab.ts";
import { GATEWAY, gateway, NARROW, narrowPath, PAIR, type Pair, pair } from "../topologies.ts";

const ADMIN = "192.0.2.10";
const STRANGER = "10.7.0.1";
const FAMILIES = [4, 6] as const;
/** A memcached on every address, IPv4 and IPv6, TCP alone. */
const MEMCACHED = ["memcached", "-u", "nobody", "-U", "0", "-l", "0.0.0.0,::", "-p", "11211", "-c", "1024"];

describeExample("memcached", (backend, scripts) => {
  let net: Pair;

  beforeEach(async () => {
    net = await pair();
    await net.client.ip(`address add ${ADMIN}/32 dev eth0`, `address add ${STRANGER}/32 dev eth0`);
    await net.host.ip(
      `route add ${ADMIN} via ${PAIR.client[4]}`,
      `route add ${STRANGER} via ${PAIR.client[4]}`,
    );
    await load(net.host, backend, await scripts());
    return net.lab.destroy;
  });

  test.each(FAMILIES)("serves many short IPv%i connections and remembers none", async (family) => {
    await net.host.spawn(MEMCACHED, 11211);
    expect(await net.client.useMemcached(PAIR.host[family], 11211, 500)).toBe(500);
    expect(await conntrackEntries(net.host)).toEqual([]);
  });

  test(
    "serves with a full tracking table, where what is tracked gets no further",
    async () => {
      await net.host.spawn(MEMCACHED, 11211);
      await net.host.serve("tcp", PAIR.host[4], 22);
      const ssh = { protocol: "tcp", to: PAIR.host[4], port: 22, from: ADMIN } as const;
      expect(await net.client.ask(ssh)).toMatchObject({ outcome: "answered" });
      await fillTable(net.host);
      expect(await net.client.useMemcached(PAIR.host[4], 11211, 500)).toBe(500);
      expect(await net.client.ask(briefly(ssh))).toEqual({ outcome: "silence" });
    },
    FILLING,
  );

  test("serves processes of its own host, on loopback and on its own address", async () => {
    await net.host.spawn(MEMCACHED, 11211);
    for (const address of ["127.0.0.1", "::1", PAIR.host[4], PAIR.host[6]])
      expect(await net.host.useMemcached(address, 11211, 20), address).toBe(20);
    expect(await conntrackEntries(net.host, PAIR.host[4])).toEqual([]);
  });

  test("lets administrators in, as a tracked flow", async () => {
    await net.host.serve("tcp", PAIR.host[4], 22);
    expect(await net.client.ask({ protocol: "tcp", to: PAIR.host[4], port: 22, from: ADMIN })).toMatchObject({
      outcome: "answered",
      peer: [ADMIN, expect.any(Number)],
    });
    const [entry, ...others] = await conntrackEntries(net.host, "dport=22");
    expect(entry).toContain("[ASSURED]");
    expect(others).toEqual([]);
  });

  test("lets in nobody else", async () => {
    for (const port of [22, 80, 11211]) await net.host.serve("tcp", PAIR.host[4], port);
    await net.host.serve("udp", PAIR.host[4], 11211);
    const denied = [
      { protocol: "tcp", to: PAIR.host[4], port: 11211, from: STRANGER },
      { protocol: "tcp", to: PAIR.host[4], port: 11211, from: ADMIN },
      { protocol: "tcp", to: PAIR.host[4], port: 22, from: PAIR.client[4] },
      { protocol: "tcp", to: PAIR.host[4], port: 80, from: PAIR.client[4] },
      { protocol: "udp", to: PAIR.host[4], port: 11211, from: PAIR.client[4] },
    ] as const;
    for (const ending of await net.client.askAll(denied.map(briefly)))
      expect(ending).toEqual({ outcome: "silence" });
  });

  test("opens no connections to its clients from the port that it serves on", async () => {
    await net.client.serve("tcp", PAIR.client[4], 9999);
    const call = { protocol: "tcp", to: PAIR.client[4], port: 9999 } as const;
    expect(await net.host.ask(briefly({ ...call, fromPort: 11211 }))).toEqual({ outcome: "silence" });
    expect(await net.host.ask(call)).toMatchObject({ outcome: "answered" });
  });

  test("would open them with plainly mirrored rules", async () => {
    await net.lab.destroy();
    net = await pair();
    const plain = (text: string) => text.replace("symmetricAllow: true", "symmetricAllow: both");
    await load(net.host, backend, await compileExample("memcached", { "policy.yaml": plain }));
    await net.client.serve("tcp", PAIR.client[4], 9999);
    const call = { protocol: "tcp", to: PAIR.client[4], port: 9999, fromPort: 11211 } as const;
    expect(await net.host.ask(call)).toMatchObject({ outcome: "answered" });
  });

  test("answers IPv6 neighbours that do not know it yet", async () => {
    await Promise.all([net.host.ip("neigh flush dev eth0"), net.client.ip("neigh flush dev eth0")]);
    expect(await net.client.ping(PAIR.host[6])).toBe(true);
  });
});

describeExample("memcached", (backend, scripts) => {
  const withoutEssentials = (text: string) => text.replace("version: 1\n", "version: 1\nessentials: false\n");

  /** Of 50,000 bytes, how many a client gets behind a hop that takes no more than 1,300 at once. */
  async function received(family: 4 | 6, edit?: (text: string) => string): Promise<number> {
    const { lab, left, right } = await narrowPath();
    try {
      await load(
        left,
        backend,
        edit ? await compileExample("memcached", { "policy.yaml": edit }) : await scripts(),
      );
      await left.serve("tcp", NARROW.left[family], 11211, 50_000);
      return await right.download({
        protocol: "tcp",
        to: NARROW.left[family],
        port: 11211,
        timeout: edit ? 2 : 10,
      });
    } finally {
      await lab.destroy();
    }
  }

  test.each(FAMILIES)("whole IPv%i answers pass a hop with a smaller MTU", async (family) => {
    expect(await received(family)).toBe(50_000);
  });

  test("nothing passes it without the essentials, which let the hop's ICMP errors in", async () => {
    expect(await received(4, withoutEssentials)).toBe(0);
  });
});

describeExample("memcached", (backend) => {
  const forLan = (text: string) => text.replace("10.1.0.0/16", `${GATEWAY.client[4]}/32`);
  const forwarding = (text: string) =>
    text.replace("version: 1\n", "version: 1\ndefaults: { forward: allow }\n");

  test("forwards nothing, neither to a memcached behind it nor of flows that it forwarded before", async () => {
    const { lab, client, gateway: host, server } = await gateway();
    try {
      await server.ip(`route add ${GATEWAY.client[4]} via ${GATEWAY.wan[4]}`);
      await server.serve("udp", GATEWAY.server[4], 53);
      await server.serve("tcp", GATEWAY.server[4], 11211);
      await host.spawn(MEMCACHED, 11211);
      const known = { protocol: "udp", to: GATEWAY.server[4], port: 53, fromPort: 4000 } as const;
      const through = { protocol: "tcp", to: GATEWAY.server[4], port: 11211 } as const;

      const before = await compileExample("memcached", { "policy.yaml": (text) => forwarding(forLan(text)) });
      await load(host, backend, before);
      for (const flow of [known, through])
        expect(await client.ask(flow)).toMatchObject({ outcome: "answered" });
      expect(await conntrackEntries(host, "sport=4000")).toHaveLength(1);

      const remembered = await conntrackEntries(host, "dport=11211");
      await load(host, backend, await compileExample("memcached", { "policy.yaml": forLan }));
      for (const flow of [known, through])
        expect(await client.ask(briefly(flow))).toEqual({ outcome: "silence" });
      expect(await client.useMemcached(GATEWAY.lan[4], 11211, 20)).toBe(20);
      expect(await conntrackEntries(host, "dport=11211")).toHaveLength(remembered.length);
    } finally {
      await lab.destroy();
    }
  });
});

import { beforeEach, expect, test } from "vitest";
import { conntrackEntries } from "../conntrack.ts";
import { briefly } from "../lab.ts";
import { packetHex, UDP } from "../packets.ts";
import { installProbes, readProbe } from "../probe.ts";
import { describeKernel } from "../requirements.ts";
import { GATEWAY, type Gateway, gateway, PAIR, type Pair, pair } from "../topologies.ts";
import { counted, FAMILIES, UNTRACKED, untrackedOnArrival } from "./common.ts";

const MASQUERADE = `table inet n {
  chain postrouting {
    type nat hook postrouting priority 100
    oifname "eth0" masquerade fully-random
  }
}
`;

/** Sends what comes to port 7000 on the outer side to the client, which stands behind the gateway. */
const DNAT = `table inet n {
  chain prerouting {
    type nat hook prerouting priority -100
    iifname "eth0" udp dport 7000 dnat ip to ${GATEWAY.client[4]}
  }
}
`;

describeKernel("translation and tracking", () => {
  let net: Gateway;
  const load = (script: string) => net.gateway.run(["nft", "-f", "-"], script);

  beforeEach(async () => {
    net = await gateway();
    return net.lab.destroy;
  });

  /** The sources of the datagrams to port 7000 that the server's cable sees while the client asks. */
  async function sourcesSeen(family: 4 | 6) {
    const seen = await net.server.capture("eth0", () =>
      net.client.ask({ protocol: "udp", to: GATEWAY.server[family], port: 7000, timeout: 0.3 }),
    );
    return seen
      .filter(({ packet }) => packet.protocol === UDP && packet.destinationPort === 7000)
      .map(({ packet }) => packet.source);
  }

  test.each(FAMILIES)("a tracked IPv%i packet is masqueraded", async (family) => {
    await load(MASQUERADE);
    expect(await sourcesSeen(family)).toEqual([GATEWAY.wan[family]]);
  });

  test.each(FAMILIES)("an untracked IPv%i packet is not: its private source leaks", async (family) => {
    await load(`${UNTRACKED}${MASQUERADE}`);
    expect(await sourcesSeen(family)).toEqual([GATEWAY.client[family]]);
  });

  test("an untracked packet skips dnat and stays with the gateway", async () => {
    await load(DNAT);
    await net.client.serve("udp", GATEWAY.client[4], 7000);
    await net.gateway.serve("udp", GATEWAY.wan[4], 7000);
    const flow = { protocol: "udp", to: GATEWAY.wan[4], port: 7000 } as const;
    await net.server.ip(`route add default via ${GATEWAY.wan[4]}`);
    expect(await net.server.ask(flow)).toMatchObject({ local: [GATEWAY.client[4], 7000] });
    await load(UNTRACKED);
    expect(await net.server.ask(flow)).toMatchObject({ local: [GATEWAY.wan[4], 7000] });
  });

  test("a reply that is untracked does not find its way back through the masquerade", async () => {
    await load(MASQUERADE);
    await net.server.serve("udp", GATEWAY.server[4], 7000);
    const flow = { protocol: "udp", to: GATEWAY.server[4], port: 7000 } as const;
    expect(await net.client.ask(flow)).toMatchObject({ outcome: "answered" });
    await load(untrackedOnArrival("udp sport 7000"));
    expect(await net.client.ask(briefly(flow))).toEqual({ outcome: "silence" });
  });

  test("ports drawn at random keep none, ports left alone are all kept", async () => {
    await net.server.serve("udp", GATEWAY.server[4], 7000);
    const flows = Array.from(
      { length: 100 },
      (_, i) => ({ protocol: "udp", to: GATEWAY.server[4], port: 7000, fromPort: 20_000 + i }) as const,
    );
    const keptOf = async (script: string) => {
      await load(script);
      const endings = await net.client.askAll(flows);
      await load("delete table inet n");
      await net.gateway.run(["conntrack", "-F"]);
      return endings.filter((end, i) => end.outcome === "answered" && end.peer[1] === 20_000 + i).length;
    };
    expect(await keptOf(MASQUERADE.replace(" fully-random", ""))).toBe(100);
    expect(await keptOf(MASQUERADE)).toBeLessThan(5);
  });
});

describeKernel("translation on the way out", () => {
  let net: Gateway;
  const load = (script: string) => net.gateway.run(["nft", "-f", "-"], script);

  beforeEach(async () => {
    net = await gateway();
    return net.lab.destroy;
  });

  /** Sends what goes to port 7000 to a queue between the choice of a port and the moment when the flow is remembered. */
  async function holdBackBehindNat() {
    // A kernel may know queues only by iptables' name for them, and iptables has no hook there.
    await net.gateway.run("iptables-nft -w -t mangle -N held".split(" "));
    await net.gateway.run("iptables-nft -w -t mangle -A held -j NFQUEUE --queue-num 1".split(" "));
    await load("add chain ip mangle late { type filter hook postrouting priority 110; }");
    await load("add rule ip mangle late udp dport 7000 jump held");
  }

  test("the output hook goes on showing the device that a packet was to leave by before dnat", async () => {
    const rule = `udp dport 7000 dnat ip to ${GATEWAY.client[4]}`;
    await load(`table inet n {\n chain c {\n type nat hook output priority -100\n ${rule}\n }\n}\n`);
    await installProbes(net.gateway, [
      { name: "before", hook: "output", match: 'udp dport 7000 oifname "eth0"' },
      { name: "after", hook: "postrouting", match: 'udp dport 7000 oifname "eth1"' },
    ]);
    await net.client.serve("udp", GATEWAY.client[4], 7000);
    const flow = { protocol: "udp", to: GATEWAY.server[4], port: 7000 } as const;
    expect(await net.gateway.ask(flow)).toMatchObject({ local: [GATEWAY.client[4], 7000] });
    for (const name of ["before", "after"])
      expect(await readProbe(net.gateway, name)).toEqual(counted("new"));
  });

  test.each([
    ["where ports are kept, one of them is dropped", MASQUERADE.replace(" fully-random", ""), 1],
    ["where ports are drawn at random, both go on", MASQUERADE, 2],
  ])("two new flows from one port that are under way together: %s", async (_, script, arriving) => {
    await load(script);
    await holdBackBehindNat();
    await net.gateway.operate("hold_back", { queue: 1, timeout: 10 });
    const first = (source: string) =>
      packetHex({
        source,
        destination: GATEWAY.server[4],
        content: { kind: "udp", sourcePort: 5000, destinationPort: 7000 },
      });
    const seen = await net.server.capture("eth0", async () => {
      await net.client.send([first(GATEWAY.client[4]), first("172.17.0.3")]);
      await net.gateway.operate("let_go", { queue: 1, count: 2 });
    });
    const datagrams = seen.filter(({ packet }) => packet.protocol === UDP && packet.destinationPort === 7000);
    expect(datagrams).toHaveLength(arriving);
    expect(datagrams.filter(({ packet }) => packet.source !== GATEWAY.wan[4])).toEqual([]);
  });

  test.each([
    [100, 1, 511],
    [1000, 600, 1023],
    [5000, 1024, 65_535],
  ])("a port drawn for %i is from %i to %i", async (fromPort, first, last) => {
    await load(MASQUERADE);
    await net.server.serve("udp", GATEWAY.server[4], 7000);
    const flows = Array.from({ length: 20 }, (_, i) => i).map(
      (i) => ({ protocol: "udp", to: GATEWAY.server[4], port: 7000, fromPort: fromPort + i }) as const,
    );
    const endings = await net.client.askAll(flows);
    const drawn = endings.map((end) => (end.outcome === "answered" ? end.peer[1] : Number.NaN));
    expect(drawn.filter((port) => first <= port && port <= last)).toHaveLength(20);
    expect(new Set(drawn).size).toBe(20);
  });
});

describeKernel("flows of which only one direction is untracked", () => {
  let net: Pair;
  const load = (script: string) => net.host.run(["nft", "-f", "-"], script);

  beforeEach(async () => {
    net = await pair();
    return net.lab.destroy;
  });

  const probes = [
    { name: "openings", hook: "output", match: "tcp sport 7000 tcp flags & (syn | ack) == (syn | ack)" },
    { name: "later", hook: "output", match: "tcp sport 7000 tcp flags & (syn | ack) == ack" },
    { name: "arriving", hook: "input", match: "tcp dport 7000 tcp flags & (syn | ack) == ack" },
  ] as const;

  test("TCP, requests only: SYN-ACKs are invalid, later segments new, and each flow leaves an entry", async () => {
    await load(untrackedOnArrival("tcp dport 7000"));
    await installProbes(net.host, probes);
    await net.host.serve("tcp", PAIR.host[4], 7000);
    const flow = { protocol: "tcp", to: PAIR.host[4], port: 7000 } as const;
    expect(await net.client.ask(flow)).toMatchObject({ outcome: "answered" });
    expect(await readProbe(net.host, "openings")).toEqual(counted("invalid"));
    expect(await readProbe(net.host, "later")).toMatchObject({
      new: expect.any(Number),
      invalid: 0,
      untracked: 0,
    });
    expect((await readProbe(net.host, "later")).new).toBeGreaterThan(0);
    expect(await conntrackEntries(net.host, "[UNREPLIED]")).toHaveLength(1);
  });

  test("TCP, requests only, with tcp_loose=0: everything is invalid", async () => {
    await net.host.sysctl({ "net.netfilter.nf_conntrack_tcp_loose": 0 });
    await load(untrackedOnArrival("tcp dport 7000"));
    await installProbes(net.host, probes);
    await net.host.serve("tcp", PAIR.host[4], 7000);
    await net.client.ask({ protocol: "tcp", to: PAIR.host[4], port: 7000 });
    const later = await readProbe(net.host, "later");
    expect(later.all).toBeGreaterThan(0);
    expect(later).toEqual(counted("invalid", later.all));
    expect(await conntrackEntries(net.host)).toEqual([]);
  });

  test("TCP, replies only: every packet after the SYN is invalid", async () => {
    await load(
      "table inet half {\n chain c {\n type filter hook output priority -300\n tcp sport 7000 notrack\n }\n}\n",
    );
    await installProbes(net.host, probes);
    await net.host.serve("tcp", PAIR.host[4], 7000);
    await net.client.ask({ protocol: "tcp", to: PAIR.host[4], port: 7000 });
    const arriving = await readProbe(net.host, "arriving");
    expect(arriving.all).toBeGreaterThan(0);
    expect(arriving).toEqual(counted("invalid", arriving.all));
  });

  test("UDP, requests only: every reply is new, for ever", async () => {
    await load(untrackedOnArrival("udp dport 7000"));
    await installProbes(net.host, [{ name: "replies", hook: "output", match: "udp sport 7000" }]);
    await net.host.serve("udp", PAIR.host[4], 7000);
    const flow = { protocol: "udp", to: PAIR.host[4], port: 7000, fromPort: 40_000 } as const;
    for (let i = 0; i < 3; i++) await net.client.ask(flow);
    expect(await readProbe(net.host, "replies")).toEqual(counted("new", 3));
  });

  test("ping, requests only: echo replies are invalid", async () => {
    await load(untrackedOnArrival("icmp type echo-request"));
    await installProbes(net.host, [{ name: "replies", hook: "output", match: "icmp type echo-reply" }]);
    await net.client.ping(PAIR.host[4]);
    expect(await readProbe(net.host, "replies")).toEqual(counted("invalid"));
  });
});

import { beforeEach, expect, test } from "vitest";
import { load } from "../backends.ts";
import { describeExample } from "../compile.ts";
import { conntrackEntries } from "../conntrack.ts";
import { briefly, createLab, type Ending, type Flow, type Host, type Lab } from "../lab.ts";
import { packetHex } from "../packets.ts";

const NODE = { 4: "192.0.2.11", 6: "2001:db8:2::11" } as const;
/** The other node, which also plays the world beyond. */
const OTHER = { 4: "192.0.2.12", 6: "2001:db8:2::12" } as const;
const WORLD = { 4: "203.0.113.9", 6: "2001:db8:77::9" } as const;
const CONTAINER = { 4: "10.244.1.5", 6: "fd00:10:244:1::5" } as const;
const SHOP = { 4: "10.244.1.80", 6: "fd00:10:244:1::80" } as const;
/** A container of the other node, at the far end of the tunnel. */
const REMOTE = "10.244.2.5";
const FAMILIES = [4, 6] as const;

describeExample("container-gateway", (backend, scripts) => {
  let lab: Lab;
  let node: Host;
  let container: Host;
  let world: Host;

  beforeEach(async () => {
    lab = await createLab();
    [node, container, world] = await Promise.all([lab.host(), lab.host(), lab.host()]);
    await lab.link(
      { host: node, device: "eth0", addresses: [`${NODE[4]}/24`, `${NODE[6]}/64`] },
      {
        host: world,
        device: "eth0",
        addresses: [`${OTHER[4]}/24`, `${OTHER[6]}/64`, `${WORLD[4]}/32`, `${WORLD[6]}/128`],
      },
    );
    await lab.link(
      { host: node, device: "cni0", addresses: ["10.244.1.1/24", "fd00:10:244:1::1/64"] },
      {
        host: container,
        device: "eth0",
        addresses: [`${CONTAINER[4]}/24`, `${CONTAINER[6]}/64`, `${SHOP[4]}/32`, `${SHOP[6]}/128`],
      },
    );
    await Promise.all([
      node.forward(),
      node.ip(`route add default via ${OTHER[4]}`, `route add default via ${OTHER[6]}`),
      container.ip("route add default via 10.244.1.1", "route add default via fd00:10:244:1::1"),
    ]);
    await load(node, backend, await scripts());
    return lab.destroy;
  });

  /** The tunnel between the two nodes, as flannel lays it. */
  async function layTunnel(): Promise<void> {
    const ends = [
      { host: node, from: NODE[4], to: OTHER[4], address: "10.244.1.0", beyond: "10.244.2" },
      { host: world, from: OTHER[4], to: NODE[4], address: "10.244.2.0", beyond: "10.244.1" },
    ];
    for (const { host, from, to, address, beyond } of ends) {
      await host.ip(
        `link add flannel.1 type vxlan id 1 local ${from} remote ${to} dstport 8472 dev eth0`,
        "link set flannel.1 up",
        `address add ${address}/32 dev flannel.1`,
        `route add ${beyond}.0/24 via ${beyond}.0 dev flannel.1 onlink`,
      );
    }
    await world.ip(`address add ${REMOTE}/32 dev lo`);
  }

  test.each(FAMILIES)(
    "draws the ports of masqueraded IPv%i flows at random, and none of the tunnel's",
    async (family) => {
      await world.serve("udp", WORLD[family], 7000);
      const flows = Array.from(
        { length: 400 },
        (_, i): Flow => ({
          protocol: "udp",
          to: WORLD[family],
          port: 7000,
          from: CONTAINER[family],
          fromPort: 20_000 + i,
        }),
      );
      const peers = peersOf(await container.askAll(flows));
      expect(peers).toHaveLength(flows.length);
      expect(new Set(peers.map(([address]) => address))).toEqual(new Set([NODE[family]]));
      const ports = peers.map(([, port]) => port);
      expect(Math.min(...ports)).toBeGreaterThanOrEqual(10_000);
      expect(Math.max(...ports)).toBeLessThanOrEqual(32_767);
      // 22,768 ports are left to draw from: of 400, some collide with their own number by chance, most do not.
      expect(ports.filter((port, i) => port === 20_000 + i).length).toBeLessThan(5);
      // Each quarter of the range gets its share: 100 of 400, with five standard deviations to either side.
      const quarters = [0, 0, 0, 0];
      for (const port of ports) quarters[Math.floor((port - 10_000) / 5_692)]! += 1;
      for (const share of quarters) {
        expect(share).toBeGreaterThan(56);
        expect(share).toBeLessThan(144);
      }
    },
  );

  test.each(FAMILIES)(
    "lets no IPv%i address of a container out, not even in a stray packet",
    async (family) => {
      await world.serve("tcp", WORLD[family], 7000);
      const stray = (flags: readonly ("rst" | "ack" | "fin")[]) =>
        packetHex({
          source: CONTAINER[family],
          destination: WORLD[family],
          content: { kind: "tcp", sourcePort: 4444, destinationPort: 7000, flags },
        });
      const seen = await world.capture("eth0", async () => {
        const flow = { protocol: "tcp", to: WORLD[family], port: 7000, from: CONTAINER[family] } as const;
        expect(peersOf(await container.askAll(Array(20).fill(flow)))).toHaveLength(20);
        // The end of a connection that the node knows nothing of: no translation belongs to it.
        await container.send([stray(["rst"]), stray(["rst", "ack"]), stray(["fin", "ack"])]);
      });
      const sources = seen.filter(({ sent }) => !sent).map(({ packet }) => packet.source);
      expect(sources).toContain(NODE[family]);
      expect(sources.filter((source) => source === CONTAINER[family])).toEqual([]);
    },
  );

  test.each(FAMILIES)("publishes a container's port 80 as its own IPv%i port 8080", async (family) => {
    await container.serve("tcp", SHOP[family], 80);
    await container.serve("tcp", SHOP[family], 22);
    const flow = (port: number): Flow => ({ protocol: "tcp", to: NODE[family], port, from: WORLD[family] });
    expect(await world.ask(flow(8080))).toMatchObject({
      peer: [WORLD[family], expect.any(Number)],
      local: [SHOP[family], 80],
    });
    expect(await world.ask(briefly(flow(22)))).toEqual({ outcome: "silence" });
  });

  test("carries containers' flows through the tunnel, and remembers none of its packets", async () => {
    await layTunnel();
    await world.serve("tcp", REMOTE, 7000);
    await container.serve("tcp", CONTAINER[4], 7000);
    const there = { protocol: "tcp", to: REMOTE, port: 7000, from: CONTAINER[4] } as const;
    expect(await container.ask(there)).toMatchObject({
      outcome: "answered",
      peer: [CONTAINER[4], expect.any(Number)],
    });
    const back = { protocol: "tcp", to: CONTAINER[4], port: 7000, from: REMOTE } as const;
    expect(await world.ask(back)).toMatchObject({
      outcome: "answered",
      peer: [REMOTE, expect.any(Number)],
    });
    expect(await conntrackEntries(node, "port=8472")).toEqual([]);
    expect(await conntrackEntries(node, "dport=7000")).toHaveLength(2);
  });

  test.each(FAMILIES)("lets no container speak to a node's tunnel port over IPv%i", async (family) => {
    for (const port of [8472, 8473]) await world.serve("udp", OTHER[family], port);
    const flow = { protocol: "udp", to: OTHER[family], from: CONTAINER[family] } as const;
    expect(await container.ask(briefly({ ...flow, port: 8472 }))).toEqual({ outcome: "silence" });
    expect(await container.ask({ ...flow, port: 8473 })).toMatchObject({
      peer: [NODE[family], expect.any(Number)],
    });
  });
});

function peersOf(endings: readonly Ending[]): readonly [string, number][] {
  return endings.flatMap((ending) => (ending.outcome === "answered" ? [ending.peer] : []));
}

import { beforeEach, expect, test } from "vitest";
import { packetHex } from "../packets.ts";
import { installProbes, readProbe } from "../probe.ts";
import { describeKernel } from "../requirements.ts";
import {
  GATEWAY,
  type Gateway,
  gateway,
  NARROW,
  type NarrowPath,
  narrowPath,
  PAIR,
  type Pair,
  pair,
} from "../topologies.ts";
import { counted, ERRORS, FAMILIES, UNTRACKED, untrackedOnArrival } from "./common.ts";

/** In which state an ICMP error about a flow is, by whether the flow is tracked. */
const EACH_TRACKING = FAMILIES.flatMap((family) => [
  [family, "untracked", "invalid"] as const,
  [family, "tracked", "related"] as const,
]);

describeKernel("ICMP errors at the two ends of a flow", () => {
  let net: Pair;

  beforeEach(async () => {
    net = await pair();
    return net.lab.destroy;
  });

  test.each(EACH_TRACKING)(
    "an IPv%i error about an %s flow arrives as %s",
    async (family, tracking, state) => {
      if (tracking === "untracked") await net.host.run(["nft", "-f", "-"], UNTRACKED);
      await installProbes(net.host, [{ name: "in", hook: "input", match: ERRORS[family] }]);
      // Nobody listens there: the client answers with a port-unreachable.
      const flow = { protocol: "udp", to: PAIR.client[family], port: 7000 } as const;
      expect(await net.host.ask(flow)).toEqual({ outcome: "refused" });
      expect(await readProbe(net.host, "in")).toEqual(counted(state));
    },
  );

  test.each(EACH_TRACKING)(
    "this host's own IPv%i port-unreachable about an %s packet leaves as %s",
    async (...row) => {
      const [family, tracking, state] = row;
      if (tracking === "untracked") await net.host.run(["nft", "-f", "-"], UNTRACKED);
      await installProbes(net.host, [{ name: "out", hook: "output", match: ERRORS[family] }]);
      const flow = { protocol: "udp", to: PAIR.host[family], port: 7000 } as const;
      expect(await net.client.ask(flow)).toEqual({ outcome: "refused" });
      expect(await readProbe(net.host, "out")).toEqual(counted(state));
    },
  );

  test.each(FAMILIES)(
    "the IPv%i reset of a closed port is invalid where only requests are untracked",
    async (family) => {
      await net.host.run(["nft", "-f", "-"], untrackedOnArrival("tcp dport 7000"));
      await installProbes(net.host, [{ name: "out", hook: "output", match: "tcp flags & rst == rst" }]);
      const flow = { protocol: "tcp", to: PAIR.host[family], port: 7000 } as const;
      expect(await net.client.ask(flow)).toEqual({ outcome: "refused" });
      expect(await readProbe(net.host, "out")).toEqual(counted("invalid"));
    },
  );

  test.each(FAMILIES)(
    "the IPv%i reset of a closed port is untracked where replies are too",
    async (family) => {
      await net.host.run(["nft", "-f", "-"], UNTRACKED);
      await installProbes(net.host, [{ name: "out", hook: "output", match: "tcp flags & rst == rst" }]);
      const flow = { protocol: "tcp", to: PAIR.host[family], port: 7000 } as const;
      expect(await net.client.ask(flow)).toEqual({ outcome: "refused" });
      expect(await readProbe(net.host, "out")).toEqual(counted("untracked"));
    },
  );

  test("IPv6 neighbour discovery and MLD are untracked without any notrack", async () => {
    const neighbours = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }";
    const listeners = "icmpv6 type { mld-listener-report, mld2-listener-report }";
    await installProbes(net.host, [
      { name: "in", hook: "input", match: neighbours },
      { name: "out", hook: "output", match: neighbours },
      { name: "mld", hook: "output", match: listeners },
    ]);
    expect(await net.client.ping(PAIR.host[6])).toBe(true);
    await net.host.ip("address add 2001:db8:1::77/128 dev eth0 nodad");
    await expect.poll(async () => (await readProbe(net.host, "mld")).all).toBeGreaterThan(0);
    for (const name of ["in", "out", "mld"]) {
      const seen = await readProbe(net.host, name);
      expect(seen.all, name).toBeGreaterThan(0);
      expect(seen, name).toEqual(counted("untracked", seen.all));
    }
  });
});

describeKernel("ICMP errors about forwarded flows", () => {
  let net: Gateway;

  beforeEach(async () => {
    net = await gateway();
    await net.server.ip(`route add default via ${GATEWAY.wan[4]}`, `route add default via ${GATEWAY.wan[6]}`);
    return net.lab.destroy;
  });

  test.each(EACH_TRACKING)(
    "an IPv%i error about an %s flow passes forward as %s",
    async (family, tracking, state) => {
      if (tracking === "untracked") await net.gateway.run(["nft", "-f", "-"], UNTRACKED);
      await installProbes(net.gateway, [
        { name: "out", hook: "output", match: ERRORS[family] },
        { name: "forward", hook: "forward", match: ERRORS[family] },
      ]);
      await net.client.ask({ protocol: "udp", to: GATEWAY.server[family], port: 7000 });
      expect(await readProbe(net.gateway, "forward")).toEqual(counted(state));
      expect(await readProbe(net.gateway, "out")).toMatchObject({ all: 0 });
    },
  );

  test.each(EACH_TRACKING)(
    "a hop's own IPv%i time-exceeded about an %s flow leaves as %s",
    async (...row) => {
      const [family, tracking, state] = row;
      if (tracking === "untracked") await net.gateway.run(["nft", "-f", "-"], UNTRACKED);
      await installProbes(net.gateway, [{ name: "out", hook: "output", match: ERRORS[family] }]);
      const dying = {
        source: GATEWAY.client[family],
        destination: GATEWAY.server[family],
        content: { kind: "udp", sourcePort: 40000, destinationPort: 7000 },
        ttl: 1,
      } as const;
      await net.client.send([packetHex(dying)]);
      expect(await readProbe(net.gateway, "out")).toEqual(counted(state));
    },
  );
});

describeKernel("a transfer through a narrow hop", () => {
  let net: NarrowPath;

  beforeEach(async () => {
    net = await narrowPath();
    return net.lab.destroy;
  });

  test.each(EACH_TRACKING)("the hop's own IPv%i too-big about an %s flow leaves as %s", async (...row) => {
    const [family, tracking, state] = row;
    if (tracking === "untracked") await net.near.run(["nft", "-f", "-"], UNTRACKED);
    await installProbes(net.near, [{ name: "out", hook: "output", match: ERRORS[family] }]);
    await net.left.serve("tcp", NARROW.left[family], 7000, 50_000);
    const flow = { protocol: "tcp", to: NARROW.left[family], port: 7000 } as const;
    expect(await net.right.download(flow)).toBe(50_000);
    const seen = await readProbe(net.near, "out");
    expect(seen.all).toBeGreaterThan(0);
    expect(seen).toEqual(counted(state, seen.all));
  });

  test.each(FAMILIES)(
    "an IPv%i untracked transfer stands still where input drops what is invalid",
    async (family) => {
      await net.left.run(["nft", "-f", "-"], UNTRACKED);
      await net.left.serve("tcp", NARROW.left[family], 7000, 50_000);
      const flow = { protocol: "tcp", to: NARROW.left[family], port: 7000 } as const;
      const drop = "chain input {\n type filter hook input priority 0\n ct state invalid drop\n }\n";
      await net.left.run(["nft", "-f", "-"], `table inet f {\n ${drop} }\n`);
      expect(await net.right.download({ ...flow, timeout: 2 })).toBe(0);
      await net.left.run(["nft", "-f", "-"], `insert rule inet f input ${ERRORS[family]} accept\n`);
      expect(await net.right.download(flow)).toBe(50_000);
    },
  );
});

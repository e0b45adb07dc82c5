import { beforeEach, expect, test } from "vitest";
import { load } from "../backends.ts";
import { compileExample, describeExample } from "../compile.ts";
import { conntrackEntries } from "../conntrack.ts";
import { briefly } from "../lab.ts";
import { packetHex } from "../packets.ts";
import { installProbes, readProbe } from "../probe.ts";
import { PAIR, type Pair, pair } from "../topologies.ts";

const ADMIN = "192.0.2.10";
/** The first three are on the list in three ways: address, prefix, range. */
const LISTED = ["198.51.100.77", "203.0.113.9", "203.0.113.170", "2001:db8:bad:7::1"];
const UNLISTED = ["198.51.100.78", "203.0.113.130", "203.0.113.176", "2001:db8:bae::1"];

/** SYNs to the web server, 50 from each source. */
function flood(sources: readonly string[]): readonly string[] {
  return sources.flatMap((source) =>
    Array.from({ length: 50 }, (_, i) =>
      packetHex({
        source,
        destination: PAIR.host[source.includes(":") ? 6 : 4],
        content: { kind: "tcp", sourcePort: 1024 + i, destinationPort: 443, flags: ["syn"] },
      }),
    ),
  );
}

describeExample("blocklist", (backend, scripts) => {
  let net: Pair;
  let via: { readonly device: string; readonly mac: string };

  beforeEach(async () => {
    net = await pair();
    via = { device: "eth0", mac: await net.host.mac("eth0") };
    await net.client.ip(`address add ${ADMIN}/32 dev eth0`);
    await net.host.ip(`route add default via ${PAIR.client[4]}`, `route add default via ${PAIR.client[6]}`);
    for (const family of [4, 6] as const) await net.host.serve("tcp", PAIR.host[family], 443);
    return net.lab.destroy;
  });

  test("drops a flood from the list before tracking sees it", async () => {
    await load(net.host, backend, await scripts());
    const match = "tcp dport 443";
    await installProbes(net.host, [
      { name: "before", hook: "prerouting", priority: -310, match },
      // Conntrack comes at -200.
      { name: "tracked", hook: "prerouting", priority: -190, match },
    ]);
    await net.client.send(flood(LISTED), via);
    expect(await readProbe(net.host, "before")).toMatchObject({ all: 200 });
    expect(await readProbe(net.host, "tracked")).toMatchObject({ all: 0 });
    expect(await conntrackEntries(net.host)).toEqual([]);
    // The same flood from the addresses next to those on the list: each SYN costs an entry.
    await net.client.send(flood(UNLISTED), via);
    expect(await readProbe(net.host, "tracked")).toMatchObject({ all: 200 });
    expect(await conntrackEntries(net.host, "dport=443")).toHaveLength(200);
  });

  test("serves those who are not on it", async () => {
    await load(net.host, backend, await scripts());
    for (const family of [4, 6] as const) {
      const flow = { protocol: "tcp", to: PAIR.host[family], port: 443 } as const;
      expect(await net.client.ask(flow)).toMatchObject({ outcome: "answered" });
    }
  });

  test("an administrator who gets onto the list still comes in, and only for ssh", async () => {
    const listAdmin = (text: string) => `${text}${ADMIN}\n`;
    await load(net.host, backend, await compileExample("blocklist", { "blocklist.txt": listAdmin }));
    await net.host.serve("tcp", PAIR.host[4], 22);
    const flow = { protocol: "tcp", to: PAIR.host[4], from: ADMIN } as const;
    expect(await net.client.ask({ ...flow, port: 22 })).toMatchObject({ outcome: "answered" });
    expect(await net.client.ask(briefly({ ...flow, port: 443 }))).toEqual({ outcome: "silence" });
  });
});

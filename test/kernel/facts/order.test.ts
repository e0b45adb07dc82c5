import { beforeEach, expect, test } from "vitest";
import { installProbes, readProbe } from "../probe.ts";
import { describeKernel } from "../requirements.ts";
import { GATEWAY, type Gateway, gateway } from "../topologies.ts";
import { counted } from "./common.ts";

/** Sends what comes from outside to port 7000 to the client, as if it came from the gateway. */
const BOTH_WAYS = `table ip n {
  chain prerouting {
    type nat hook prerouting priority -100
    iifname "eth0" udp dport 7000 counter dnat to ${GATEWAY.client[4]}
  }
  chain postrouting {
    type nat hook postrouting priority 100
    oifname "eth1" udp dport 7000 counter masquerade
  }
}
`;

describeKernel("the order in which things happen to a packet", () => {
  let net: Gateway;
  const load = (script: string) => net.gateway.run(["nft", "-f", "-"], script);
  const flow = { protocol: "udp", to: GATEWAY.wan[4], port: 7000, fromPort: 40_000 } as const;

  beforeEach(async () => {
    net = await gateway();
    await net.client.serve("udp", GATEWAY.client[4], 7000);
    return net.lab.destroy;
  });

  test("raw, tracking, destination NAT, the filter, source NAT", async () => {
    await load(BOTH_WAYS);
    const [wan, client] = [GATEWAY.wan[4], GATEWAY.client[4]];
    const match = (address: string) => `udp dport 7000 ${address}`;
    await installProbes(net.gateway, [
      { name: "raw", hook: "prerouting", priority: -300, match: match(`ip daddr ${wan}`) },
      { name: "tracked", hook: "prerouting", priority: -199, match: match(`ip daddr ${wan}`) },
      { name: "routed", hook: "prerouting", priority: -99, match: match(`ip daddr ${client}`) },
      {
        name: "filter",
        hook: "forward",
        priority: 0,
        match: match(`ip daddr ${client} ip saddr ${GATEWAY.server[4]}`),
      },
      { name: "left", hook: "postrouting", priority: 101, match: match(`ip saddr ${GATEWAY.lan[4]}`) },
    ]);
    expect(await net.server.ask(flow)).toMatchObject({ outcome: "answered", peer: [GATEWAY.lan[4], 40_000] });
    // What tracking has not looked at yet is as good as invalid.
    expect(await readProbe(net.gateway, "raw")).toEqual(counted("invalid"));
    for (const name of ["tracked", "routed", "filter", "left"])
      expect(await readProbe(net.gateway, name), name).toEqual(counted("new"));
  });

  test("NAT asks its rules about the first packet of a flow only", async () => {
    await load(BOTH_WAYS);
    for (let i = 0; i < 3; i++) expect(await net.server.ask(flow)).toMatchObject({ outcome: "answered" });
    const listed = await net.gateway.run(["nft", "list", "table", "ip", "n"]);
    expect([...listed.matchAll(/counter packets (\d+)/g)].map(([, packets]) => Number(packets))).toEqual([
      1, 1,
    ]);
  });

  test("an accept ends its own chain and no other, a drop is final", async () => {
    const chain = (verdict: string, priority: number) =>
      `table inet at${-priority} {\n chain c {\n type filter hook prerouting priority ${priority}\n udp dport 7000 ${verdict}\n }\n}\n`;
    await load(BOTH_WAYS);
    await load(chain("accept", -20) + chain("drop", -10));
    expect(await net.server.ask({ ...flow, timeout: 0.3 })).toEqual({ outcome: "silence" });
    await load(`delete table inet at10\n${chain("accept", -10)}`);
    expect(await net.server.ask(flow)).toMatchObject({ outcome: "answered" });
  });
});

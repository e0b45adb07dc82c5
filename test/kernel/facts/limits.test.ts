import { beforeEach, expect, test } from "vitest";
import { BACKENDS } from "../backends.ts";
import { packetHex } from "../packets.ts";
import { installProbes, readProbe } from "../probe.ts";
import { describeKernel } from "../requirements.ts";
import { PAIR, type Pair, pair } from "../topologies.ts";

describeKernel("a limit", () => {
  let net: Pair;

  beforeEach(async () => {
    net = await pair();
    return net.lab.destroy;
  });

  test.each(BACKENDS)("lets its burst pass at once, and no more (%s)", async (backend) => {
    if (backend === "nft") {
      const rules = "udp dport 7000 limit rate 1/hour burst 7 packets accept\n udp dport 7000 drop";
      const chain = `chain c {\n type filter hook input priority 0\n ${rules}\n }\n`;
      await net.host.run(["nft", "-f", "-"], `table inet f {\n ${chain} }\n`);
    } else {
      const match = "-w -A INPUT -p udp --dport 7000".split(" ");
      const limit = "-m limit --limit 1/hour --limit-burst 7".split(" ");
      await net.host.run([backend, ...match, ...limit, "-j", "ACCEPT"]);
      await net.host.run([backend, ...match, "-j", "DROP"]);
    }
    await installProbes(net.host, [{ name: "in", hook: "input", match: "udp dport 7000" }]);
    const datagram = packetHex({
      source: PAIR.client[4],
      destination: PAIR.host[4],
      content: { kind: "udp", sourcePort: 40_000, destinationPort: 7000 },
    });
    await net.client.send(Array.from({ length: 20 }, () => datagram));
    expect(await readProbe(net.host, "in")).toMatchObject({ all: 7 });
  });

  test.each([
    ["10000/second", 10_000, true],
    ["10001/second", 10_000, false],
    ["10000/second", 10_001, false],
  ])("of %s with a burst of %i is one that iptables counts: %s", async (rate, burst, isTaken) => {
    const rule = `-A INPUT -m limit --limit ${rate} --limit-burst ${burst} -j ACCEPT`.split(" ");
    for (const program of ["iptables-nft", "iptables-legacy", "ip6tables-legacy"]) {
      const { code } = await net.host.attempt([program, "-w", ...rule]);
      expect(code === 0, program).toBe(isTaken);
    }
  });
});

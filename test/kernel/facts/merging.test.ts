import { beforeEach, expect, test } from "vitest";
import { packetHex } from "../packets.ts";
import { describeKernel } from "../requirements.ts";
import { PAIR, type Pair, pair } from "../topologies.ts";

describeKernel("two exclusions in one rule", () => {
  let net: Pair;

  beforeEach(async () => {
    net = await pair();
    return net.lab.destroy;
  });

  /** Loads the same rule for nft and for both iptables, and counts how many of its packets each of them takes. */
  async function taken(nft: string, iptables: string, packet: string) {
    const chain = `chain c {\n type filter hook input priority 0\n ${nft} counter\n }\n`;
    await net.host.run(["nft", "-f", "-"], `table inet f {\n ${chain} }\n`);
    const tools = ["iptables-nft", "iptables-legacy"];
    for (const tool of tools) await net.host.run([tool, "-w", "-A", "INPUT", ...iptables.split(" ")]);
    await net.client.send([packet]);
    const listed = await net.host.run(["nft", "list", "table", "inet", "f"]);
    const counts = await Promise.all(tools.map((tool) => net.host.run([tool, "-w", "-S", "INPUT", "-v"])));
    const last = (text: string, pattern: RegExp) => Number([...text.matchAll(pattern)].at(-1)?.[1]);
    return [last(listed, /packets (\d+)/g), ...counts.map((text) => last(text, /-c (\d+) /g))];
  }

  const source = PAIR.client[4];
  const destination = PAIR.host[4];

  test("of ports becomes one in nft and iptables-nft, which takes what differs in either port", async () => {
    // The source port is an excluded one, so that the rule should not take this datagram.
    const content = { kind: "udp", sourcePort: 61, destinationPort: 81 } as const;
    const packet = packetHex({ source, destination, content });
    const rules = ["udp sport != 61 udp dport != 80", "-p udp ! --sport 61 ! --dport 80"] as const;
    expect(await taken(...rules, packet)).toEqual([1, 1, 0]);
  });

  test("of an ICMP type and its code becomes one in nft, which takes what differs in either", async () => {
    const content = { kind: "icmp", type: 8, code: 1 } as const;
    const packet = packetHex({ source, destination, content });
    const rules = ["icmp type != 8 icmp code != 0", "-p icmp -m icmp ! --icmp-type 8/0"] as const;
    // iptables asks for the pair, and means it so.
    expect(await taken(...rules, packet)).toEqual([1, 1, 1]);
  });
});

import { beforeEach, expect, test } from "vitest";
import { buildPacket, type Content, fragment } from "../packets.ts";
import { installProbes, type ProbeState, readProbe } from "../probe.ts";
import { describeKernel } from "../requirements.ts";
import { PAIR, type Pair, pair } from "../topologies.ts";
import { counted } from "./common.ts";

const UDP = { kind: "udp", sourcePort: 40_000, destinationPort: 7000, size: 24 } as const;
const TCP = { kind: "tcp", sourcePort: 40_000, destinationPort: 7000, flags: ["syn"] } as const;

describeKernel("a packet in two fragments", () => {
  let net: Pair;

  beforeEach(async () => {
    net = await pair();
    return net.lab.destroy;
  });

  test.each<readonly [4 | 6, "UDP" | "TCP", ProbeState, Content]>([
    [4, "UDP", "new", UDP],
    [4, "TCP", "new", TCP],
    [6, "UDP", "new", UDP],
    // The first fragment must hold the whole header of the transport (RFC 8200, 4.5), and 8 bytes are no TCP header.
    [6, "TCP", "invalid", TCP],
  ])("is put together, if its first one holds the whole header: IPv%i, %s, %s", async (...row) => {
    const [family, , state, content] = row;
    await installProbes(net.host, [
      { name: "in", hook: "input", match: "meta l4proto { tcp, udp } th dport 7000" },
    ]);
    const whole = buildPacket({
      source: PAIR.client[family],
      destination: PAIR.host[family],
      content,
    });
    const parts = fragment(whole, 8).map((part) => part.toString("hex"));
    await net.client.send(parts, { device: "eth0", mac: await net.host.mac("eth0") });
    expect(await readProbe(net.host, "in")).toEqual(counted(state));
  });
});

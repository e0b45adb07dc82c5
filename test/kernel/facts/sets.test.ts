import { beforeEach, expect, test } from "vitest";
import { packetHex } from "../packets.ts";
import { describeKernel } from "../requirements.ts";
import { PAIR, type Pair, pair } from "../topologies.ts";

const CLIENT = PAIR.client[4];

/** Every protocol with ports, by the name that ipset has for it. */
const PORTED = { tcp: 6, udp: 17, dccp: 33, sctp: 132, udplite: 136 } as const;

/** A header that begins with two ports, as those of all these protocols do. */
function header(destinationPort: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt16BE(40_000, 0);
  bytes.writeUInt16BE(destinationPort, 2);
  return bytes;
}

describeKernel("a set of the kernel", () => {
  let net: Pair;

  beforeEach(async () => {
    net = await pair();
    return net.lab.destroy;
  });

  test.each([
    ["bitmap:port", "7000", "dst", ["tcp", "udp"]],
    [
      "hash:net,port",
      (name: string) => `${CLIENT},${name}:7000`,
      "src,dst",
      ["tcp", "udp", "sctp", "udplite"],
    ],
  ] as const)(
    "%s of port 7000 holds packets to that port of few protocols",
    async (type, element, sides, held) => {
      const elements =
        typeof element === "string" ? [element] : held.map((name) => element(name as keyof typeof PORTED));
      const sets = [`create s ${type}${type === "bitmap:port" ? " range 0-65535" : ""}`];
      await net.host.run(
        ["ipset", "restore"],
        [...sets, ...elements.map((one) => `add s ${one}`), ""].join("\n"),
      );
      for (const backend of ["iptables-legacy", "iptables-nft"]) {
        const line = `-w -t raw -A PREROUTING -p PROTOCOL -m set --match-set s ${sides}`;
        for (const number of Object.values(PORTED))
          await net.host.run([backend, ...line.replace("PROTOCOL", `${number}`).split(" ")]);
        const packets = Object.values(PORTED).flatMap((protocol) =>
          [7000, 7001].map((port) =>
            packetHex({
              source: CLIENT,
              destination: PAIR.host[4],
              content: { kind: "other", protocol, body: header(port) },
            }),
          ),
        );
        await net.client.send(packets);
        const saved = await net.host.run([`${backend}-save`, "-c", "-t", "raw"]);
        const counted = [...saved.matchAll(/^\[(\d+):\d+\] -A PREROUTING -p (\S+) /gm)].filter(
          ([, count]) => count === "1",
        );
        expect(counted.map(([, , name]) => name).sort(), backend).toEqual([...held].sort());
        await net.host.run([backend, "-w", "-t", "raw", "-F"]);
      }
    },
  );

  test.each([
    ["hash:net", "0.0.0.0/0", false],
    ["hash:net", "128.0.0.0/1", true],
    ["hash:net,port", "10.0.0.0/8,dccp:80", false],
    ["hash:net,port", "10.0.0.0/8,udplite:80", true],
  ])("%s takes %s: %s", async (type, element, isTaken) => {
    await net.host.run(["ipset", "create", "s", type]);
    expect((await net.host.attempt(["ipset", "add", "s", element])).code === 0).toBe(isTaken);
  });
});

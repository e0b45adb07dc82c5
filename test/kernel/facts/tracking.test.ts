import { beforeEach, expect, test } from "vitest";
import { conntrackEntries, FILLING, fillTable } from "../conntrack.ts";
import { TCP_FLAGS } from "../differential/shots.ts";
import { packetHex } from "../packets.ts";
import { installProbes, readProbe } from "../probe.ts";
import { describeKernel } from "../requirements.ts";
import { PAIR, type Pair, pair } from "../topologies.ts";
import { counted } from "./common.ts";

const client = PAIR.client[4];
const host = PAIR.host[4];

/** A table with one rule at a hook that tracks nothing of UDP port 7000. */
function notrack(hook: string, priority: number): string {
  return `table inet t {\n chain c {\n type filter hook ${hook} priority ${priority};\n udp dport 7000 notrack\n }\n}\n`;
}

const datagram = packetHex({
  source: client,
  destination: host,
  content: { kind: "udp", sourcePort: 40000, destinationPort: 7000 },
});

describeKernel("how the kernel tracks", () => {
  let net: Pair;
  const nft = (script: string) => net.host.run(["nft", "-f", "-"], script);

  beforeEach(async () => {
    net = await pair();
    return net.lab.destroy;
  });

  test("untracked is a state of its own and matches no other", async () => {
    await nft(notrack("prerouting", -300));
    await installProbes(net.host, [{ name: "in", hook: "input", match: "udp dport 7000" }]);
    await net.client.send([datagram]);
    expect(await readProbe(net.host, "in")).toEqual({
      all: 1,
      new: 0,
      established: 0,
      related: 0,
      invalid: 0,
      untracked: 1,
    });
    expect(await conntrackEntries(net.host)).toEqual([]);
  });

  test.each([
    ["prerouting", -300, "untracked"],
    ["prerouting", -201, "untracked"],
    ["prerouting", -199, "new"],
    ["input", -300, "new"],
  ] as const)("notrack in %s at priority %i leaves the packet %s", async (hook, priority, state) => {
    await nft(notrack(hook, priority));
    await installProbes(net.host, [{ name: "in", hook: "input", match: "udp dport 7000" }]);
    await net.client.send([datagram]);
    expect(await readProbe(net.host, "in")).toMatchObject({ all: 1, [state]: 1 });
  });

  test("a TCP packet that belongs to no flow is new or invalid, as its flags are", async () => {
    const packets = TCP_FLAGS.map((one, i) => ({ ...one, sourcePort: 40_000 + i }));
    await installProbes(
      net.host,
      packets.map(({ sourcePort }) => ({
        name: `p${sourcePort}`,
        hook: "input",
        match: `tcp sport ${sourcePort}`,
      })),
    );
    await net.client.send(
      packets.map(({ flags, sourcePort }) => {
        const content = { kind: "tcp", sourcePort, destinationPort: 7000, flags } as const;
        return packetHex({ source: client, destination: host, content });
      }),
    );
    for (const { flags, state, sourcePort } of packets) {
      const seen = await readProbe(net.host, `p${sourcePort}`);
      // The client's kernel resets what it never asked for.
      expect(seen[state], flags.join("+")).toBe(1);
    }
  });

  test.each([
    [4, [8, 13, 15, 17], [0, 3, 5, 9, 10, 11, 12, 14, 16, 18, 42]],
    [6, [128, 139], [1, 2, 3, 4, 129, 137, 140, 150]],
  ] as const)(
    "of ICMP messages that belong to no flow, only requests are new (IPv%i)",
    async (family, requests, others) => {
      const types = [...requests, ...others];
      const kind = family === 4 ? "icmp" : "icmpv6";
      await installProbes(
        net.host,
        types.map((type) => ({
          name: `t${type}`,
          hook: "input",
          match: `${kind} type ${type} ${kind} code 0`,
        })),
      );
      const [source, destination] = [PAIR.client[family], PAIR.host[family]];
      // An error that is about nothing that the host ever sent.
      const packets = types.map((type) =>
        packetHex({
          source,
          destination,
          content: { kind: "icmp", type, rest: type, body: Buffer.alloc(48) },
        }),
      );
      await net.client.send(packets);
      for (const type of types) {
        const state = (requests as readonly number[]).includes(type) ? "new" : "invalid";
        expect(await readProbe(net.host, `t${type}`), `${type}`).toEqual(counted(state));
      }
    },
  );

  test("an echo reply is a reply only with the code of its request", async () => {
    await installProbes(net.host, [
      { name: "same", hook: "input", match: "icmp type echo-reply icmp code 0" },
      { name: "other", hook: "input", match: "icmp type echo-reply icmp code 1" },
    ]);
    const echo = (from: string, to: string, type: number, code: number) =>
      packetHex({ source: from, destination: to, content: { kind: "icmp", type, code } });
    await net.host.send([echo(host, client, 8, 0)]);
    await net.client.send([echo(client, host, 0, 0), echo(client, host, 0, 1)]);
    // The client's own kernel answers as well.
    expect(await readProbe(net.host, "same")).toEqual(counted("established", 2));
    expect(await readProbe(net.host, "other")).toEqual(counted("invalid"));
  });

  test("notrack does not end the chain: the rule after it still decides", async () => {
    await nft(notrack("prerouting", -300).replace("notrack", "notrack\n udp dport 7000 drop"));
    await installProbes(net.host, [{ name: "in", hook: "input", match: "udp dport 7000" }]);
    await net.client.send([datagram]);
    expect(await readProbe(net.host, "in")).toMatchObject({ all: 0 });
  });

  test("without a ct match nothing is tracked, with one everything is", async () => {
    await nft(
      "table inet t {\n chain c {\n type filter hook input priority 0;\n udp dport 7000 accept\n }\n}\n",
    );
    await net.client.send([datagram]);
    expect(await conntrackEntries(net.host)).toEqual([]);
    await nft("add rule inet t c ct state new accept");
    await net.client.send([datagram]);
    expect(await conntrackEntries(net.host, "dport=7000")).toHaveLength(1);
  });

  test("fragments reach port rules whole only while a ct match keeps defragmentation on", async () => {
    await net.host.hold(host, 7000);
    const fragments = `table inet t {
      counter later {}
      chain c {
        type filter hook prerouting priority -300
        udp dport 7000 notrack drop
        ip frag-off & 0x1fff != 0 counter name later
      }
    }
    `;
    const laterFragments = async () => {
      await net.client.ask({ protocol: "udp", to: host, port: 7000, size: 4000, timeout: 0.2 });
      const counters = await net.host.run(["nft", "list", "counters", "table", "inet", "t"]);
      return Number(/packets (\d+)/.exec(counters)![1]);
    };
    await nft(fragments);
    expect(await laterFragments()).toBe(2);
    await nft(`delete table inet t\n${fragments}`);
    await nft(
      "table inet u {\n chain c {\n type filter hook input priority 0;\n ct state established accept\n }\n}\n",
    );
    expect(await laterFragments()).toBe(0);
  });

  test("notrack leaves existing entries where they are", async () => {
    await nft(
      "table inet u {\n chain c {\n type filter hook input priority 0;\n ct state new accept\n }\n}\n",
    );
    await net.client.send([datagram]);
    await nft(notrack("prerouting", -300));
    await net.client.send([datagram]);
    expect(await conntrackEntries(net.host, "dport=7000")).toHaveLength(1);
  });

  test(
    "a full table drops new tracked flows and nothing that is untracked",
    async () => {
      await nft(`${notrack("prerouting", -300)}
      table inet r {
        chain o {
          type filter hook output priority -300
          udp sport 7000 notrack
        }
        chain i {
          type filter hook input priority 0
          ct state new accept
        }
      }
    `);
      await fillTable(net.host);
      for (const port of [7000, 7001]) await net.host.serve("udp", host, port);
      const outcome = async (port: number) =>
        (await net.client.ask({ protocol: "udp", to: host, port })).outcome;
      expect(await outcome(7001)).toBe("silence");
      expect(await outcome(7000)).toBe("answered");
    },
    FILLING,
  );

  test("a packet that the filter drops leaves no entry behind", async () => {
    await nft(
      "table inet u {\n chain c {\n type filter hook input priority 0;\n ct state new udp dport 7000 drop\n }\n}\n",
    );
    await net.client.send([datagram]);
    expect(await conntrackEntries(net.host)).toEqual([]);
  });

  test(
    "a full table makes room for new flows by evicting those that are not assured",
    async () => {
      await nft(
        "table inet u {\n chain c {\n type filter hook input priority 0;\n ct state new accept\n }\n}\n",
      );
      await fillTable(net.host, "SEEN_REPLY");
      await net.host.serve("udp", host, 7001);
      expect(await net.client.ask({ protocol: "udp", to: host, port: 7001 })).toMatchObject({
        outcome: "answered",
      });
    },
    FILLING,
  );

  test("one answered datagram leaves an entry for 30 seconds, one TCP connection for 120, assured", async () => {
    await nft(
      "table inet u {\n chain c {\n type filter hook input priority 0;\n ct state new accept\n }\n}\n",
    );
    const secondsLeft = async (protocol: "udp" | "tcp") => {
      await net.host.serve(protocol, host, 7000);
      await net.client.ask({ protocol, to: host, port: 7000 });
      const [entry] = await conntrackEntries(net.host, `${protocol} `);
      return { seconds: Number(entry!.split(/\s+/)[2]), assured: entry!.includes("[ASSURED]") };
    };
    const udp = await secondsLeft("udp");
    expect(udp.seconds).toBeGreaterThan(25);
    expect(udp).toMatchObject({ assured: false });
    expect(udp.seconds).toBeLessThanOrEqual(30);
    const tcp = await secondsLeft("tcp");
    expect(tcp.seconds).toBeGreaterThan(115);
    expect(tcp.seconds).toBeLessThanOrEqual(120);
    expect(tcp).toMatchObject({ assured: true });
  });
});

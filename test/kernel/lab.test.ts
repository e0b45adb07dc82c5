import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createLab } from "./lab.ts";
import { buildPacket, type PacketPlan, parsePacket } from "./packets.ts";
import { describeKernel, missing } from "./requirements.ts";
import { run } from "./shell.ts";
import { PAIR, pair } from "./topologies.ts";

const ABANDON = fileURLToPath(new URL("./abandon.ts", import.meta.url));

test("names everything that is missing", async () => {
  const lacking = await missing("/nowhere");
  for (const program of ["nft", "iptables-legacy-restore", "conntrack", "memcached"])
    expect(lacking).toContain(program);
});

describeKernel("the laboratory", () => {
  test("sweeps away what a killed run left behind, with its processes", async () => {
    const child = spawn(process.execPath, [ABANDON], { stdio: ["ignore", "pipe", "inherit"] });
    const name = await new Promise<string>((resolve) => {
      child.stdout.setEncoding("utf8").once("data", (text: string) => resolve(text.trim()));
    });
    const left = (await run(["ip", "netns", "pids", name])).split("\n").filter(Boolean).map(Number);
    // The agent and the memcached that it started.
    expect(left).toHaveLength(2);
    const dead = new Promise((resolve) => child.on("close", resolve));
    child.kill("SIGKILL");
    await dead;
    const lab = await createLab();
    try {
      expect(readdirSync("/run/netns")).not.toContain(name);
      // A process that has ended and is not yet buried by its parent has no program any more.
      await expect.poll(() => left.filter((pid) => existsSync(`/proc/${pid}/exe`))).toEqual([]);
    } finally {
      await lab.destroy();
    }
  });

  test("leaves nothing behind when it is destroyed", async () => {
    const { lab, host, client } = await pair();
    await host.spawn(["memcached", "-u", "nobody", "-l", PAIR.host[4], "-p", "11211"], 11211);
    expect(
      (await host.run(["ip", "netns", "pids", host.namespace])).trim().split("\n").length,
    ).toBeGreaterThan(1);
    await lab.destroy();
    for (const { namespace } of [host, client]) expect(readdirSync("/run/netns")).not.toContain(namespace);
  });

  const plans: readonly PacketPlan[] = [
    {
      source: PAIR.client[4],
      destination: PAIR.host[4],
      content: { kind: "udp", sourcePort: 40000, destinationPort: 53, size: 9 },
    },
    {
      source: PAIR.client[6],
      destination: PAIR.host[6],
      content: { kind: "tcp", sourcePort: 1, destinationPort: 65535, flags: ["syn", "ack"] },
    },
    { source: PAIR.client[4], destination: PAIR.host[4], content: { kind: "icmp", type: 13, code: 0 } },
    { source: PAIR.client[6], destination: PAIR.host[6], content: { kind: "icmp", type: 128 } },
  ];

  test.each(plans)("a packet arrives as it was sent: %j", async (plan) => {
    const { lab, host, client } = await pair();
    try {
      const sent = buildPacket(plan);
      const seen = await host.capture("eth0", () => client.send([sent.toString("hex")]));
      const arrived = seen.filter((one) => !one.sent).map(({ packet }) => packet.bytes.toString("hex"));
      expect(arrived).toContain(sent.toString("hex"));
      expect(parsePacket(sent)).toMatchObject({ source: plan.source, destination: plan.destination });
    } finally {
      await lab.destroy();
    }
  });

  test("the kernel believes the checksums of packets that are made here", async () => {
    const { lab, host, client } = await pair();
    try {
      const flow = { kind: "udp", sourcePort: 40000, destinationPort: 9 } as const;
      const echo = { kind: "icmp", type: 8 } as const;
      const echo6 = { kind: "icmp", type: 128 } as const;
      const to = (family: 4 | 6) => ({ source: PAIR.client[family], destination: PAIR.host[family] });
      const packets = [
        { ...to(4), content: flow },
        { ...to(6), content: flow },
        { ...to(4), content: echo },
        { ...to(6), content: echo6 },
        { ...to(4), content: { kind: "tcp", sourcePort: 40000, destinationPort: 9, flags: ["syn"] } },
        { ...to(6), content: { kind: "tcp", sourcePort: 40000, destinationPort: 9, flags: ["syn"] } },
      ] as const;
      const hex = packets.map((packet) => buildPacket(packet).toString("hex"));
      // Each asks for an answer: a port-unreachable, an echo reply, a reset.
      const answers = (await host.capture("eth0", () => client.send(hex))).filter(({ sent }) => sent);
      const kinds = answers.map(({ packet }) => packet.icmp?.type ?? packet.flags.join("+"));
      expect(kinds).toEqual(expect.arrayContaining([3, 1, 0, 129, "rst+ack"]));
      expect(kinds.filter((kind) => kind === "rst+ack")).toHaveLength(2);
    } finally {
      await lab.destroy();
    }
  });
});

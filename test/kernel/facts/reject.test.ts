import { beforeEach, expect, test } from "vitest";
import { BACKENDS, type Backend } from "../backends.ts";
import type { Host } from "../lab.ts";
import { installProbes, readProbe } from "../probe.ts";
import { describeKernel } from "../requirements.ts";
import { GATEWAY, type Gateway, gateway, PAIR, type Pair, pair } from "../topologies.ts";
import { counted, ERRORS, FAMILIES, UNTRACKED, untrackedOnArrival } from "./common.ts";

type Protocol = "tcp" | "udp";

/** Rejects what goes to port 7000: TCP with a reset, UDP with a port-unreachable. */
async function rejectAt(
  hook: "input" | "forward",
  host: Host,
  backend: Backend,
  protocol: Protocol,
): Promise<void> {
  if (backend === "nft") {
    const rule = `${protocol} dport 7000 reject${protocol === "tcp" ? " with tcp reset" : ""}`;
    const chain = `chain c {\n type filter hook ${hook} priority 0\n ${rule}\n }\n`;
    await host.run(["nft", "-f", "-"], `table inet f {\n ${chain} }\n`);
    return;
  }
  for (const [program, unreachable] of [
    [backend, "icmp-port-unreachable"],
    [backend.replace("ip", "ip6"), "icmp6-port-unreachable"],
  ] as const) {
    const reply = protocol === "tcp" ? "tcp-reset" : unreachable;
    const rule = `-w -A ${hook.toUpperCase()} -p ${protocol} --dport 7000 -j REJECT --reject-with ${reply}`;
    await host.run([program, ...rule.split(" ")]);
  }
}

const combinations = BACKENDS.flatMap((backend) =>
  (["tcp", "udp"] as const).flatMap((protocol) =>
    FAMILIES.map((family) => [backend, protocol, family] as const),
  ),
);

describeKernel("a reset", () => {
  test.each(["iptables-nft", "iptables-legacy", "ip6tables-nft", "ip6tables-legacy"])(
    "is an answer that %s gives only where the rule itself names TCP",
    async (program) => {
      const { lab, host } = await pair();
      try {
        await host.run([program, "-w", "-N", "mine"]);
        const reset = "-j REJECT --reject-with tcp-reset".split(" ");
        expect((await host.attempt([program, "-w", "-A", "mine", ...reset])).code).not.toBe(0);
        expect((await host.attempt([program, "-w", "-A", "mine", "-p", "tcp", ...reset])).code).toBe(0);
      } finally {
        await lab.destroy();
      }
    },
  );
});

describeKernel("a reject before tracking", () => {
  test("is one that nft can do and iptables cannot", async () => {
    const { lab, host, client } = await pair();
    try {
      for (const program of ["iptables-nft", "iptables-legacy", "ip6tables-nft", "ip6tables-legacy"]) {
        const rule = "-w -t raw -A PREROUTING -p udp -j REJECT".split(" ");
        expect((await host.attempt([program, ...rule])).code, program).not.toBe(0);
      }
      const rules = "udp dport 7000 reject\n tcp dport 7000 reject with tcp reset";
      const chain = `chain c {\n type filter hook prerouting priority -300\n ${rules}\n }\n`;
      await host.run(["nft", "-f", "-"], `table inet r {\n ${chain} }\n`);
      for (const family of FAMILIES)
        for (const protocol of ["udp", "tcp"] as const) {
          await host.serve(protocol, PAIR.host[family], 7000);
          expect(await client.ask({ protocol, to: PAIR.host[family], port: 7000 })).toEqual({
            outcome: "refused",
          });
        }
    } finally {
      await lab.destroy();
    }
  });
});

describeKernel("the answer of a reject on input", () => {
  let net: Pair;

  beforeEach(async () => {
    net = await pair();
    return net.lab.destroy;
  });

  async function stateOfAnswer(backend: Backend, protocol: Protocol, family: 4 | 6) {
    await rejectAt("input", net.host, backend, protocol);
    const match = protocol === "tcp" ? "tcp flags & rst == rst" : ERRORS[family];
    await installProbes(net.host, [{ name: "out", hook: "output", match }]);
    await net.host.serve(protocol, PAIR.host[family], 7000);
    const ending = await net.client.ask({ protocol, to: PAIR.host[family], port: 7000 });
    expect(ending).toEqual({ outcome: "refused" });
    return readProbe(net.host, "out");
  }

  test.each(combinations)(
    "to a tracked packet is related (%s, %s, IPv%i)",
    async (backend, protocol, family) => {
      expect(await stateOfAnswer(backend, protocol, family)).toEqual(counted("related"));
    },
  );

  test.each(combinations)(
    "to an untracked packet is invalid, where raw output says nothing (%s, %s, IPv%i)",
    async (backend, protocol, family) => {
      await net.host.run(["nft", "-f", "-"], untrackedOnArrival(`${protocol} dport 7000`));
      expect(await stateOfAnswer(backend, protocol, family)).toEqual(counted("invalid"));
    },
  );

  test.each(combinations)(
    "to an untracked packet with its mirror is untracked for a reset, invalid for ICMP (%s, %s, IPv%i)",
    async (backend, protocol, family) => {
      await net.host.run(["nft", "-f", "-"], UNTRACKED);
      expect(await stateOfAnswer(backend, protocol, family)).toEqual(
        counted(protocol === "tcp" ? "untracked" : "invalid"),
      );
    },
  );
});

describeKernel("the answer of a reject on forward", () => {
  let net: Gateway;

  beforeEach(async () => {
    net = await gateway();
    return net.lab.destroy;
  });

  test.each(combinations)(
    "to a tracked packet leaves as related (%s, %s, IPv%i)",
    async (backend, protocol, family) => {
      await rejectAt("forward", net.gateway, backend, protocol);
      const match = protocol === "tcp" ? "tcp flags & rst == rst" : ERRORS[family];
      await installProbes(net.gateway, [{ name: "out", hook: "output", match }]);
      const ending = await net.client.ask({ protocol, to: GATEWAY.server[family], port: 7000 });
      expect(ending).toEqual({ outcome: "refused" });
      expect(await readProbe(net.gateway, "out")).toEqual(counted("related"));
    },
  );
});

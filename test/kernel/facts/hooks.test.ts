import { beforeEach, expect, test } from "vitest";
import type { Host } from "../lab.ts";
import { packetHex } from "../packets.ts";
import { installProbes, readProbe } from "../probe.ts";
import { describeKernel } from "../requirements.ts";
import { GATEWAY, type Gateway, gateway, PAIR, type Pair, pair } from "../topologies.ts";

const BROADCAST_MAC = "ff:ff:ff:ff:ff:ff";

/** A datagram to port 7000. */
function datagram(source: string, destination: string): string {
  return packetHex({
    source,
    destination,
    content: { kind: "udp", sourcePort: 40000, destinationPort: 7000 },
  });
}

describeKernel("what a hook sees of an arriving packet", () => {
  let net: Pair;

  beforeEach(async () => {
    net = await pair();
    return net.lab.destroy;
  });

  test.each([
    ["local", PAIR.host[4], 1],
    ["local", PAIR.host[6], 1],
    ["broadcast", "10.1.255.255", 1],
    ["broadcast", "255.255.255.255", 1],
    ["multicast", "224.0.0.1", 1],
    ["multicast", "ff02::1", 1],
    // A group that nobody joined is of the same type, and goes nowhere.
    ["multicast", "ff05::99", 0],
    // The subnet-router anycast address, which a host that forwards answers to.
    ["anycast", "2001:db8:1::", 1],
    ["unicast", "10.9.9.9", 0],
  ])("fib daddr type is %s for %s, and input gets %i of it", async (type, destination, delivered) => {
    await net.host.forward();
    await net.host.ip("route add 10.9.9.0/24 dev eth0");
    const match = `udp dport 7000 fib daddr type ${type}`;
    await installProbes(net.host, [
      { name: "raw", hook: "prerouting", priority: -310, match },
      { name: "in", hook: "input", match },
    ]);
    const family = destination.includes(":") ? 6 : 4;
    const group = type === "broadcast" || type === "multicast";
    const mac = group ? BROADCAST_MAC : await net.host.mac("eth0");
    await net.client.send([datagram(PAIR.client[family], destination)], { device: "eth0", mac });
    expect(await readProbe(net.host, "raw")).toMatchObject({ all: 1 });
    expect(await readProbe(net.host, "in")).toMatchObject({ all: delivered });
  });

  test("a packet that claims to come from this host's own address arrives in IPv6, and not in IPv4", async () => {
    await installProbes(net.host, [
      { name: "raw", hook: "prerouting", priority: -310, match: "udp dport 7000" },
      { name: "in", hook: "input", match: "udp dport 7000" },
    ]);
    const device = { device: "eth0", mac: await net.host.mac("eth0") };
    await net.client.send([datagram(PAIR.host[4], PAIR.host[4])], device);
    expect(await readProbe(net.host, "raw")).toMatchObject({ all: 1 });
    expect(await readProbe(net.host, "in")).toMatchObject({ all: 0 });
    await net.client.send([datagram(PAIR.host[6], PAIR.host[6])], device);
    expect(await readProbe(net.host, "in")).toMatchObject({ all: 1 });
  });

  test("an arriving packet with the source ::1 or 127.0.0.1 is dropped by the kernel itself", async () => {
    await installProbes(net.host, [{ name: "in", hook: "input", match: "udp dport 7000" }]);
    const device = { device: "eth0", mac: await net.host.mac("eth0") };
    await net.client.send([datagram("127.0.0.1", PAIR.host[4]), datagram("::1", PAIR.host[6])], device);
    expect(await readProbe(net.host, "in")).toMatchObject({ all: 0 });
  });

  test("ip6tables refuses to ask for broadcast, which IPv6 does not have", async () => {
    const rule = "-t raw -A PREROUTING -m addrtype --dst-type BROADCAST -j ACCEPT".split(" ");
    for (const program of ["ip6tables-nft", "ip6tables-legacy"]) {
      expect((await net.host.attempt([program, "-w", ...rule])).code, program).not.toBe(0);
      const others = rule.map((word) => word.replace("BROADCAST", "LOCAL,ANYCAST,MULTICAST"));
      expect((await net.host.attempt([program, "-w", ...others])).code, program).toBe(0);
    }
  });

  test.each([
    ["iptables", "10.1.0.1", "--dst-type LOCAL,MULTICAST", 1],
    ["iptables", "224.0.0.1", "--dst-type LOCAL,MULTICAST", 1],
    ["ip6tables", "2001:db8:1::1", "--dst-type LOCAL,ANYCAST", 1],
    ["ip6tables", "2001:db8:1::", "--dst-type LOCAL,ANYCAST", 1],
    ["ip6tables", "ff02::1", "--dst-type MULTICAST", 1],
    // No union: in IPv6 the kernel wants the address to be multicast and one of the others, which none is.
    ["ip6tables", "2001:db8:1::1", "--dst-type LOCAL,MULTICAST", 0],
    ["ip6tables", "ff02::1", "--dst-type LOCAL,MULTICAST", 0],
    ["ip6tables", "2001:db8:1::1", "! --dst-type LOCAL,ANYCAST,MULTICAST", 1],
    ["ip6tables", "2001:db8:1::1", "! --dst-type LOCAL,ANYCAST -m addrtype ! --dst-type MULTICAST", 0],
    ["ip6tables", "ff02::1", "! --dst-type LOCAL,ANYCAST -m addrtype ! --dst-type MULTICAST", 0],
    ["ip6tables", "2001:db8:1::77", "! --dst-type LOCAL,ANYCAST -m addrtype ! --dst-type MULTICAST", 1],
    // Unicast is whatever is not multicast, the host's own addresses among it.
    ["ip6tables", "2001:db8:1::1", "--dst-type UNICAST", 1],
    ["iptables", "10.1.0.1", "--dst-type UNICAST", 0],
  ])("%s, a packet to %s, addrtype %s: %i match", async (tool, destination, types, times) => {
    await net.host.forward();
    const rule = `-t raw -A PREROUTING -p udp --dport 7000 -m addrtype ${types}`;
    for (const backend of ["nft", "legacy"])
      await net.host.run([`${tool}-${backend}`, "-w", ...rule.split(" ")]);
    const group = /^(ff|224)/.test(destination);
    const mac = group ? BROADCAST_MAC : await net.host.mac("eth0");
    const source = PAIR.client[tool === "iptables" ? 4 : 6];
    await net.client.send([datagram(source, destination)], { device: "eth0", mac });
    for (const backend of ["nft", "legacy"]) {
      const listed = await net.host.run([`${tool}-${backend}`, "-w", "-t", "raw", "-S", "PREROUTING", "-v"]);
      expect(listed, backend).toMatch(new RegExp(`-A PREROUTING .* -c ${times} `));
    }
  });

  test("an IPv6 link-local address of this host is local, one of the neighbours is not", async () => {
    const linkLocal = async (host: Host) =>
      /inet6 (fe80::[0-9a-f:]+)/.exec(await host.run(["ip", "-6", "address", "show", "dev", "eth0"]))![1]!;
    const [ours, theirs] = await Promise.all([linkLocal(net.host), linkLocal(net.client)]);
    const match = "udp dport 7000 fib daddr type local";
    await installProbes(net.host, [{ name: "raw", hook: "prerouting", priority: -310, match }]);
    const device = { device: "eth0", mac: await net.host.mac("eth0") };
    await net.client.send([datagram(theirs, ours)], device);
    expect(await readProbe(net.host, "raw")).toMatchObject({ all: 1 });
    await net.client.send([datagram(theirs, theirs)], device);
    expect(await readProbe(net.host, "raw")).toMatchObject({ all: 1 });
  });

  test("over lo a packet passes output, postrouting, prerouting and input, all with the device lo", async () => {
    await installProbes(net.host, [
      { name: "out", hook: "output", match: 'udp dport 7000 oifname "lo"' },
      { name: "pre", hook: "prerouting", priority: -310, match: 'udp dport 7000 iifname "lo"' },
      { name: "in", hook: "input", match: 'udp dport 7000 iifname "lo"' },
    ]);
    await net.host.hold(PAIR.host[4], 7000);
    await net.host.send([datagram(PAIR.host[4], PAIR.host[4])]);
    for (const name of ["out", "pre", "in"])
      expect(await readProbe(net.host, name), name).toMatchObject({ all: 1 });
  });

  test.each(["nft", "iptables-legacy"])(
    "on lo a notrack in output decides, one in prerouting does nothing (%s)",
    async (tool) => {
      const notrack = async (hook: "output" | "prerouting", port: number) => {
        if (tool === "nft") {
          const rule = `udp dport ${port} notrack`;
          await net.host.run(
            ["nft", "-f", "-"],
            `table inet ${hook} {\n chain c {\n type filter hook ${hook} priority -300\n ${rule}\n }\n}\n`,
          );
        } else {
          const rule = `-A ${hook.toUpperCase()} -p udp --dport ${port} -j CT --notrack`;
          await net.host.run(["iptables-legacy", "-w", "-t", "raw", ...rule.split(" ")]);
        }
      };
      await notrack("output", 7000);
      await notrack("prerouting", 7001);
      await installProbes(net.host, [
        { name: "a", hook: "input", match: "udp dport 7000" },
        { name: "b", hook: "input", match: "udp dport 7001" },
      ]);
      for (const port of [7000, 7001]) {
        await net.host.serve("udp", PAIR.host[4], port);
        await net.host.ask({ protocol: "udp", to: PAIR.host[4], port });
      }
      expect(await readProbe(net.host, "a")).toMatchObject({ all: 1, untracked: 1 });
      expect(await readProbe(net.host, "b")).toMatchObject({ all: 1, new: 1 });
    },
  );
});

describeKernel("what a hook sees of a forwarded packet", () => {
  let net: Gateway;

  beforeEach(async () => {
    net = await gateway();
    return net.lab.destroy;
  });

  test("postrouting knows the interface that a forwarded packet came in by, and none for this host's own", async () => {
    await installProbes(net.gateway, [
      { name: "in", hook: "postrouting", priority: 90, match: 'udp dport 7000 iifname "eth1"' },
      { name: "out", hook: "postrouting", priority: 90, match: 'udp dport 7000 oifname "eth0"' },
      { name: "any", hook: "postrouting", priority: 90, match: "udp dport 7000 meta iif != 0" },
    ]);
    await net.client.send([datagram(GATEWAY.client[4], GATEWAY.server[4])]);
    await net.client.send([datagram(GATEWAY.client[6], GATEWAY.server[6])]);
    expect(await readProbe(net.gateway, "in")).toMatchObject({ all: 2 });
    expect(await readProbe(net.gateway, "out")).toMatchObject({ all: 2 });
    await net.gateway.send([datagram(GATEWAY.wan[4], GATEWAY.server[4])]);
    expect(await readProbe(net.gateway, "any")).toMatchObject({ all: 2 });
    expect(await readProbe(net.gateway, "out")).toMatchObject({ all: 3 });
  });

  test("nft takes iifname in a nat postrouting chain and it works; iptables refuses -i there", async () => {
    await net.gateway.run(
      ["nft", "-f", "-"],
      'table ip t {\n chain c {\n type nat hook postrouting priority 100\n iifname "eth1" masquerade\n }\n}\n',
    );
    await net.server.serve("udp", GATEWAY.server[4], 7000);
    expect(await net.client.ask({ protocol: "udp", to: GATEWAY.server[4], port: 7000 })).toMatchObject({
      outcome: "answered",
      peer: [GATEWAY.wan[4], expect.any(Number)],
    });
    for (const program of ["iptables-nft", "iptables-legacy"]) {
      const rule = "-t nat -A POSTROUTING -i eth1 -j MASQUERADE".split(" ");
      expect((await net.gateway.attempt([program, "-w", ...rule])).code, program).not.toBe(0);
    }
  });

  test("a packet with this host's own source address is forwarded in IPv6, and not in IPv4", async () => {
    const match = "udp dport 7000";
    await installProbes(net.gateway, [{ name: "forward", hook: "forward", match }]);
    const device = { device: "eth0", mac: await net.gateway.mac("eth1") };
    await net.client.send([datagram(GATEWAY.wan[4], GATEWAY.server[4])], device);
    expect(await readProbe(net.gateway, "forward")).toMatchObject({ all: 0 });
    await net.client.send([datagram(GATEWAY.wan[6], GATEWAY.server[6])], device);
    expect(await readProbe(net.gateway, "forward")).toMatchObject({ all: 1 });
  });

  test("prerouting can ask the routing table for the way out that it does not know yet", async () => {
    await installProbes(net.gateway, [
      { name: "out", hook: "prerouting", priority: -310, match: 'udp dport 7000 fib daddr oifname "eth0"' },
      { name: "known", hook: "prerouting", priority: -310, match: "udp dport 7000 meta oif != 0" },
    ]);
    await net.client.send([datagram(GATEWAY.client[4], GATEWAY.server[4])]);
    expect(await readProbe(net.gateway, "out")).toMatchObject({ all: 1 });
    expect(await readProbe(net.gateway, "known")).toMatchObject({ all: 0 });
  });
});

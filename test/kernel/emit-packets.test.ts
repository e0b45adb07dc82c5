import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { printAddress } from "../../src/address/print.ts";
import { emitNft } from "../../src/emit/nft.ts";
import { group } from "../../src/lower/group.ts";
import type { Ruleset, RulesetRule } from "../../src/netfilter/ruleset.ts";
import { type SimulatedPacket, simulate } from "../../src/netfilter/simulate.ts";
import { arbitraryLongRuleset } from "../lower/group/arbitrary.ts";
import { SETS_EVERYWHERE } from "../lower/ipset/costs.ts";
import { arbitraryPacket, arbitraryRuleset, arbitraryTests } from "../netfilter/arbitrary.ts";
import { base, drop, rule, ruleset } from "../netfilter/build.ts";
import { BACKENDS, load } from "./backends.ts";
import { printed } from "./compile.ts";
import { createLab, type Host, type Lab } from "./lab.ts";
import { type Content, packetHex } from "./packets.ts";
import { describeKernel } from "./requirements.ts";

/** How many random rulesets each backend gets, and how many packets of each family meet each of them. */
const RULESETS = 50;
const PACKETS = 50;

/** Packets are told apart by their TTL, which nothing here tests; what the kernel makes by itself has 64. */
const FIRST_TTL = 100;

/** A whole ruleset shows how chains work together, a single rule what each test means, a long one what sets do. */
const rulesets = fc.oneof(
  { weight: 1, arbitrary: arbitraryLongRuleset(80).map(forwarding) },
  { weight: 1, arbitrary: arbitraryRuleset(fc.constant("")).map(forwarding) },
  {
    weight: 4,
    arbitrary: arbitraryTests(1).map((tests) =>
      forwarding(ruleset(base("filter", "forward", rule(tests, drop)))),
    ),
  },
);

for (const backend of BACKENDS) {
  describeKernel(`random rulesets under ${backend}`, () => {
    let net: Road;

    beforeAll(async () => {
      net = await road();
    });
    afterAll(() => net.lab.destroy());

    test("let through what the simulator lets through", async () => {
      await fc.assert(
        fc.asyncProperty(
          rulesets,
          fc.array(arbitraryPacket(4).map(onTheRoad), { minLength: PACKETS, maxLength: PACKETS }),
          fc.array(arbitraryPacket(6).map(onTheRoad), { minLength: PACKETS, maxLength: PACKETS }),
          fc.constantFrom(null, SETS_EVERYWHERE),
          async (rules, v4, v6, costs) => {
            const packets = [...v4, ...v6];
            const scripts = printed(rules, costs);
            await load(net.gateway, backend, { ...scripts, nft: emitNft(group(rules, 8), { source: "" }) });
            const arrived = await net.drive(packets.map((packet, index) => hexOf(packet, FIRST_TTL + index)));
            for (const [index, packet] of packets.entries()) {
              const passes = simulate(rules, packet).verdict === "accept";
              expect({ packet, passes: arrived.has(FIRST_TTL + index) }).toEqual({ packet, passes });
            }
          },
        ),
        { numRuns: RULESETS, endOnFailure: true },
      );
    }, 120_000);
  });
}

/** A gateway between a host that sends and one that watches. */
interface Road {
  readonly lab: Lab;
  readonly gateway: Host;
  /** Sends packets through the gateway; the TTLs that they were sent with of those that arrive. */
  drive(packets: readonly string[]): Promise<ReadonlySet<number>>;
}

async function road(): Promise<Road> {
  const lab = await createLab();
  const [left, gateway, right] = await Promise.all([lab.host(), lab.host(), lab.host()]);
  await lab.link(
    { host: left, device: "eth0", addresses: [] },
    { host: gateway, device: "eth0", addresses: ["198.51.100.1/24", "2001:db8:100::1/64"] },
  );
  await lab.link(
    { host: right, device: "eth0", addresses: [] },
    { host: gateway, device: "eth10", addresses: ["192.0.2.1/24", "2001:db8:200::1/64"] },
  );
  // Neighbours are told, not asked for: the answers would have to pass the random rules.
  const mac = await right.mac("eth0");
  await gateway.ip(
    `neigh add 192.0.2.9 lladdr ${mac} dev eth10 nud permanent`,
    `neigh add 2001:db8:200::9 lladdr ${mac} dev eth10 nud permanent`,
    "route add 10.0.0.0/24 via 192.0.2.9",
    "route add 2001:db8::/64 via 2001:db8:200::9",
  );
  await gateway.forward();
  const device = { device: "eth0", mac: await gateway.mac("eth0") };
  return {
    lab,
    gateway,
    async drive(packets) {
      const seen = await right.capture("eth0", () => left.send(packets, device));
      const ttls = seen.map(({ packet }) => packet.bytes[packet.family === 4 ? 8 : 7]! + 1);
      return new Set(ttls.filter((ttl) => ttl >= FIRST_TTL));
    },
  };
}

/** The chains that a forwarded packet meets, without tests of what earlier packets left behind. */
function forwarding({ chains }: Ruleset): Ruleset {
  const lasting = ({ matches, ...rest }: RulesetRule): RulesetRule => ({
    ...rest,
    matches: matches.filter(({ kind }) => kind !== "state" && kind !== "dnat-status" && kind !== "limit"),
  });
  return {
    chains: chains
      .filter(({ table }) => table !== "nat")
      .map((chain) => ({ ...chain, rules: chain.rules.map(lasting) })),
  };
}

function onTheRoad(packet: SimulatedPacket): SimulatedPacket {
  return { ...packet, path: "forward", in: "eth0", out: "eth10", sourceType: null, destinationType: null };
}

function hexOf(packet: SimulatedPacket, ttl: number): string {
  return packetHex({
    source: printAddress(packet.family, packet.source),
    destination: printAddress(packet.family, packet.destination),
    content: contentOf(packet),
    ttl,
  });
}

function contentOf({ protocol, sourcePort, destinationPort, icmp, opening }: SimulatedPacket): Content {
  if (icmp) return { kind: "icmp", ...icmp };
  const ports = { sourcePort: sourcePort ?? 0, destinationPort: destinationPort ?? 0 };
  if (protocol === 6) return { kind: "tcp", ...ports, flags: opening ? ["syn"] : ["syn", "ack"] };
  if (protocol === 17) return { kind: "udp", ...ports };
  const body = Buffer.alloc(24);
  body.writeUInt16BE(ports.sourcePort, 0);
  body.writeUInt16BE(ports.destinationPort, 2);
  return { kind: "other", protocol, body };
}

import { type Captured, createLab, type Host, type Lab } from "./lab.ts";
import { installObserver, MINE, SENTINELS, type Sighting, watched } from "./observer.ts";
import { type Packet, packetHex } from "./packets.ts";

/**
 * A host under test with a cable on each of its three devices. Which device a packet leaves by is written in the packet
 * itself, in its type of service, whatever its destination: so a packet can be sent along every path that a policy
 * speaks of, and stays on it when its destination is translated.
 */
export interface Crossroads {
  readonly lab: Lab;
  readonly host: Host;
  /** Sends packets, in order, and tells what became of each, by its tag. What does not arrive fails. */
  volley(shots: readonly Injection[]): Promise<ReadonlyMap<number, Sighting>>;
  /** Sends packets, and tells what leaves the host by its cables. Needs no observer. */
  arrivals(shots: readonly Injection[]): Promise<readonly Packet[]>;
  /** Empties the connection-tracking table. */
  forget(): Promise<void>;
}

/** A packet and the device that it arrives on; null for what the host sends itself. */
export interface Injection {
  readonly device: string | null;
  /** Whole packets of one tag, in hexadecimal: one, or its fragments. */
  readonly packets: readonly Buffer[];
}

export const DEVICES = ["eth0", "eth1", "wg0"] as const;
export type Device = (typeof DEVICES)[number];

/** The host's own addresses on each device. */
export const OWN: Readonly<Record<Device, { readonly 4: string; readonly 6: string }>> = {
  eth0: { 4: "10.0.0.1", 6: "fd00::1" },
  eth1: { 4: "10.0.1.1", 6: "fd00:0:0:1::1" },
  wg0: { 4: "192.0.2.1", 6: "2001:db8::1" },
};

/** The host's link-local address, the same on each device. */
export const LINK_LOCAL = "fe80::a";

/** The type of service by which a packet asks to leave by a device. */
export const SERVICE: Readonly<Record<Device, number>> = { eth0: 0x04, eth1: 0x08, wg0: 0x10 };

/** Settings without which the kernel would drop, answer or hold back some packets whatever the rules say. */
const SETTINGS = {
  "net.ipv4.conf.all.rp_filter": 0,
  "net.ipv4.conf.default.rp_filter": 0,
  "net.ipv4.conf.all.send_redirects": 0,
  "net.ipv4.conf.default.send_redirects": 0,
  "net.ipv4.conf.all.accept_redirects": 0,
  "net.ipv6.conf.all.accept_redirects": 0,
  "net.ipv6.conf.default.accept_redirects": 0,
  "net.ipv6.conf.default.accept_ra": 0,
  // Link-local addresses are given out below, so that they are known.
  "net.ipv6.conf.default.addr_gen_mode": 1,
  "net.ipv4.icmp_ratelimit": 0,
  "net.ipv6.icmp.ratelimit": 0,
  "net.ipv4.icmp_msgs_per_sec": 1_000_000,
  "net.ipv4.icmp_msgs_burst": 1_000_000,
  // Sequence numbers are tags here, in every window or not.
  "net.netfilter.nf_conntrack_tcp_be_liberal": 1,
};

/** Seconds in which a volley comes through, also on a machine that is busy with other tests. */
const PATIENCE = 30;

export async function crossroads(): Promise<Crossroads> {
  const lab = await createLab();
  const [host, world] = await Promise.all([lab.host(), lab.host()]);
  await host.sysctl(SETTINGS);
  await world.sysctl({ "net.ipv6.conf.default.disable_ipv6": 1 });
  for (const device of DEVICES) {
    const own = OWN[device];
    await lab.link(
      { host: world, device, addresses: [] },
      { host, device, addresses: [`${own[4]}/24`, `${own[6]}/64`, `${LINK_LOCAL}/64`] },
    );
  }
  const macs = Object.fromEntries(
    await Promise.all(DEVICES.map(async (device) => [device, await host.mac(device)] as const)),
  );
  await host.forward();
  for (const [i, device] of DEVICES.entries())
    await layRoutes(host, device, 101 + i, await world.mac(device));
  await installObserver(host);

  const aim = (shots: readonly Injection[], arriving: boolean) =>
    shots
      .filter(({ device }) => (device !== null) === arriving)
      .flatMap(({ device, packets }) =>
        packets.map((packet) => [device, device && macs[device], packet.toString("hex")]),
      );
  return {
    lab,
    host,
    async forget() {
      await host.operate("forget");
    },
    async volley(shots) {
      await world.operate("shoot", { packets: [...aim(shots, true), ...sentinels(macs)], mark: MINE });
      await host.operate("shoot", { packets: [...aim(shots, false), sentinelOnLoopback()], mark: MINE });
      return watched(host, PATIENCE);
    },
    async arrivals(shots) {
      const shoot = async () => {
        await world.operate("shoot", { packets: aim(shots, true), mark: MINE });
        await host.operate("shoot", { packets: aim(shots, false), mark: MINE });
      };
      const capture = DEVICES.reduce<() => Promise<readonly Captured[]>>(
        (during, device) => async () => {
          let inner: readonly Captured[] = [];
          const own = await world.capture(device, async () => {
            inner = await during();
          });
          return [...inner, ...own];
        },
        async () => {
          await shoot();
          return [];
        },
      );
      return (await capture()).filter(({ sent }) => !sent).map(({ packet }) => packet);
    },
  };
}

/** The last packets of a volley: what is before them in a device's queue has been seen when they are. */
function sentinels(macs: Readonly<Record<string, string>>): readonly (readonly [string, string, string])[] {
  return DEVICES.map((device, i) => [device, macs[device]!, sentinel(i)]);
}

/** Put onto the device directly: on the host's own way out a ruleset could drop it. */
function sentinelOnLoopback(): readonly [string, string, string] {
  return ["lo", "00:00:00:00:00:00", sentinel(DEVICES.length)];
}

function sentinel(i: number): string {
  return packetHex({
    source: "203.0.113.1",
    destination: OWN.eth0[4],
    content: { kind: "udp", sourcePort: 1, destinationPort: 1 },
    tag: SENTINELS[i]!,
  });
}

async function layRoutes(host: Host, device: Device, table: number, mac: string): Promise<void> {
  const tos = `0x${SERVICE[device].toString(16)}`;
  await host.ip(
    `neigh add 169.254.0.1 lladdr ${mac} dev ${device} nud permanent`,
    `neigh add fe80::1 lladdr ${mac} dev ${device} nud permanent`,
    `route add default via 169.254.0.1 dev ${device} onlink table ${table}`,
    `route add default via fe80::1 dev ${device} table ${table}`,
    `rule add tos ${tos} table ${table} priority 100`,
  );
  await host.run(["ip", "-6", "rule", "add", "tos", tos, "table", `${table}`, "priority", "100"]);
  if (device === "eth0")
    await host.ip(
      `route add default via 169.254.0.1 dev ${device} onlink`,
      `route add default via fe80::1 dev ${device}`,
    );
}

import { type Agent, startAgent } from "./agent.ts";
import { addNamespace, deleteNamespace, freshName, sweepNamespaces } from "./namespaces.ts";
import { type Packet, parsePacket } from "./packets.ts";
import { type Outcome, printed, run } from "./shell.ts";

/** A few hosts and the cables between them, each host a network namespace of its own. */
export interface Lab {
  host(): Promise<Host>;
  /** Lays a cable between two hosts. Both ends have the same MTU, 1500 bytes unless told. */
  link(a: Port, b: Port, options?: { readonly mtu?: number }): Promise<void>;
  /** Ends every process in the lab and deletes its namespaces. */
  destroy(): Promise<void>;
}

/** Where a cable is plugged in: the device it becomes there and its addresses (`10.1.0.1/16`). */
export interface Port {
  readonly host: Host;
  readonly device: string;
  readonly addresses: readonly string[];
}

/** One flow from a client to a `serve`d port. `from` and `fromPort` bind the client's end. */
export interface Flow {
  readonly protocol: "tcp" | "udp";
  readonly to: string;
  readonly port: number;
  readonly from?: string;
  readonly fromPort?: number;
  /** Bytes the client sends: UDP datagrams larger than the MTU travel in fragments. 8 unless told. */
  readonly size?: number;
  /** Seconds without an answer after which the flow counts as silent; 5 unless told. */
  readonly timeout?: number;
}

/** For flows that are to stay without an answer. Others have time enough on a busy machine. */
export function briefly(flow: Flow): Flow {
  return { ...flow, timeout: 1 };
}

/** How a flow ended, and both of its ends as the server saw them. */
export type Ending =
  | { readonly outcome: "answered"; readonly peer: [string, number]; readonly local: [string, number] }
  | {
      readonly outcome:
        | "silence"
        | "refused"
        | "reset"
        | "forbidden"
        | "unreachable"
        | "oversized"
        | "closed";
    };

/** A packet that crossed a device, and whether it left or arrived there. */
export interface Captured {
  readonly sent: boolean;
  readonly packet: Packet;
}

export interface Host {
  /** The name of its namespace, for `ip netns exec`. */
  readonly namespace: string;
  /** Runs a program inside; throws where it fails. */
  run(command: readonly string[], input?: string): Promise<string>;
  /** Runs a program inside, whatever its exit code. */
  attempt(command: readonly string[], input?: string): Promise<Outcome>;
  /** Runs `ip` commands inside, one a line. */
  ip(...commands: readonly string[]): Promise<void>;
  /** Writes settings of this namespace (`net.ipv4.ip_forward`). */
  sysctl(values: Readonly<Record<string, number>>): Promise<void>;
  readSysctl(name: string): Promise<string>;
  /** Forwards packets between its devices, both families. */
  forward(): Promise<void>;
  /** Answers on a port with who asked; with `bulk`, with that many bytes. */
  serve(protocol: "tcp" | "udp", address: string, port: number, bulk?: number): Promise<void>;
  /** Opens one flow. */
  ask(flow: Flow): Promise<Ending>;
  /** Opens many flows, `atOnce` at a time (16 unless told). */
  askAll(flows: readonly Flow[], atOnce?: number): Promise<readonly Ending[]>;
  /** Opens flows all of which have opened, or failed to, before any goes on. */
  askTogether(flows: readonly Flow[]): Promise<readonly Ending[]>;
  /** How many bytes of a `bulk` answer arrive. */
  download(flow: Flow): Promise<number>;
  /** Traceroute with datagrams: the host at each of the first hops that says it is there, null where none does. */
  hops(to: string, port: number, hops: number, timeout?: number): Promise<readonly (string | null)[]>;
  /** Whether an echo reply comes back, within a second unless told. */
  ping(address: string, timeout?: number): Promise<boolean>;
  /** Sends whole packets, hexadecimal: along this host's own output path, or onto a device for a hardware address. */
  send(packets: readonly string[], via?: { readonly device: string; readonly mac: string }): Promise<void>;
  /** Captures what crosses a device while `during` runs. */
  capture(device: string, during: () => Promise<unknown>): Promise<readonly Captured[]>;
  /** Starts a program that ends with the lab, and waits until it listens on a TCP port. */
  spawn(command: readonly string[], port: number): Promise<void>;
  /** Keeps a UDP port open without ever answering. */
  hold(address: string, port: number): Promise<void>;
  /** Short connections to a memcached, each a `set` and a `get`; how many were served as they should be. */
  useMemcached(to: string, port: number, connections: number): Promise<number>;
  /** Hardware address of a device. */
  mac(device: string): Promise<string>;
  /** One operation of the agent inside, for instruments that are built on it. */
  operate(operation: string, values?: object): Promise<unknown>;
}

/** An empty lab. What killed runs left behind is swept away first. */
export async function createLab(): Promise<Lab> {
  await sweepNamespaces();
  const hosts: { name: string; agent: Agent }[] = [];
  return {
    async host() {
      const name = freshName();
      await addNamespace(name);
      const agent = startAgent(name);
      hosts.push({ name, agent });
      // Duplicate address detection takes a second before an IPv6 address may be used, and nothing here is a duplicate.
      await agent.ask("sysctl", {
        values: { "net.ipv6.conf.all.accept_dad": 0, "net.ipv6.conf.default.accept_dad": 0 },
      });
      return hostOf(name, agent);
    },
    link,
    async destroy() {
      await Promise.all(
        hosts.splice(0).map(async ({ name, agent }) => {
          await agent.close();
          await deleteNamespace(name);
        }),
      );
    },
  };
}

/**
 * No two devices of a lab have the same number. Where both ends of a cable have, the kernel takes its time, up to a second,
 * to let them send (`linkwatch_urgent_event`), and drops what they are given before.
 */
let nextIndex = 100;

async function link(a: Port, b: Port, options: { readonly mtu?: number } = {}): Promise<void> {
  const end = ({ device, host }: Port) => {
    const index = String(nextIndex++);
    return [device, "index", index, "mtu", String(options.mtu ?? 1500), "netns", host.namespace];
  };
  await run(["ip", "link", "add", ...end(a), "type", "veth", "peer", ...end(b)]);
  await Promise.all([a, b].map(({ host, device }) => host.ip(`link set ${device} up`)));
  await Promise.all([a, b].map(({ host, device }) => host.operate("plugged", { device })));
  await Promise.all(
    [a, b].map(({ host, device, addresses }) =>
      host.ip(...addresses.map((address) => `address add ${address} dev ${device}${nodad(address)}`)),
    ),
  );
}

function nodad(address: string): string {
  return address.includes(":") ? " nodad" : "";
}

function hostOf(namespace: string, agent: Agent): Host {
  const within = (command: readonly string[], input = "") =>
    agent.ask("run", { command, input }) as Promise<Outcome>;
  const withDefaults = (flow: Flow) => ({ timeout: 5, ...flow });
  let captures = 0;
  const host: Host = {
    namespace,
    run: async (command, input) => printed(await within(command, input), command, input),
    attempt: within,
    async ip(...commands) {
      await host.run(["ip", "-batch", "-"], `${commands.join("\n")}\n`);
    },
    async sysctl(values) {
      await agent.ask("sysctl", { values });
    },
    readSysctl: (name) => agent.ask("read_sysctl", { name }) as Promise<string>,
    forward: () => host.sysctl({ "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1 }),
    async serve(protocol, address, port, bulk = 0) {
      await agent.ask("serve", { protocol, address, port, bulk });
    },
    ask: async (flow) => (await host.askAll([flow]))[0]!,
    askAll: (flows, atOnce = 16) =>
      agent.ask("ask", { flows: flows.map(withDefaults), atOnce }) as Promise<Ending[]>,
    askTogether: (flows) =>
      agent.ask("ask", { flows: flows.map(withDefaults), together: true }) as Promise<Ending[]>,
    download: (flow) => agent.ask("download", withDefaults(flow)) as Promise<number>,
    hops: (to, port, hops, timeout = 5) =>
      agent.ask("hops", { to, port, hops, timeout }) as Promise<(string | null)[]>,
    ping: async (address, timeout = 1) =>
      (await host.attempt(["ping", "-n", "-c1", `-W${timeout}`, address])).code === 0,
    async send(packets, via = undefined) {
      await agent.ask("send", { packets, ...via });
    },
    async capture(device, during) {
      const key = captures++;
      await agent.ask("capture", { device, key });
      await during();
      const seen = (await agent.ask("captured", { key })) as { sent: boolean; packet: string }[];
      return seen.map(({ sent, packet }) => ({ sent, packet: parsePacket(Buffer.from(packet, "hex")) }));
    },
    async spawn(command, port) {
      await agent.ask("spawn", { command, port });
    },
    async hold(address, port) {
      await agent.ask("hold", { address, port });
    },
    useMemcached: (to, port, connections) =>
      agent.ask("memcached", { to, port, connections, timeout: 10 }) as Promise<number>,
    mac: async (device) => (await host.run(["cat", `/sys/class/net/${device}/address`])).trim(),
    operate: (operation, values) => agent.ask(operation, values),
  };
  return host;
}

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { createLab, type Host } from "../../test/kernel/lab.ts";

/** A memcached on a host of its own, clients on another, and a cable. Nothing on the machine itself is changed. */
export interface Stand {
  /** The host that serves, where a ruleset is loaded. */
  readonly host: Host;
  /** Opens short connections. */
  use(load: Load): Promise<Use>;
  /** Entries of the host's tracking table. */
  entries(): Promise<number>;
  /** Empties that table. */
  forget(): Promise<void>;
  destroy(): Promise<void>;
}

export interface Load {
  readonly seconds: number;
  /** Connections a second, whatever the server says; null: each of 32 is followed by the next as soon as it ends. */
  readonly rate: number | null;
}

/** What came of it. */
export interface Use {
  /** Connections served in each interval. */
  readonly served: readonly number[];
  /** Connections that broke, or that gave up after a second. */
  readonly failed: readonly number[];
  /** Seconds. */
  readonly interval: number;
  /** Microseconds of processor time for each connection, of memcached and clients, with what the kernel does for them. */
  readonly cost: number;
  /** The part of it, 0 to 1, that the code of the load generator takes. */
  readonly generator: number;
}

const PORT = 11211;
const AT_ONCE = 32;
const INTERVAL = 0.5;
/** Seconds after which a client does without the cache. */
const PATIENCE = 1;

const ADDRESS = "10.1.0.1";
const GATE = "10.1.0.2";
/**
 * One core does the work of both ends: what a connection costs is then what it takes from that core, and neither waiting
 * for another core nor waking it up.
 */
const ON_ONE_CORE = ["taskset", "--cpu-list", String(cpus().length - 1)];

/** Where the clients' addresses begin, all of them behind one neighbour; see `client.c` for why there are many. */
const CLIENTS = { network: "10.1.64.0/18", first: "10.1.64.0", count: 64 };

/** A stand without any rule. `client` is what `buildClient` has made. */
export async function createStand(client: string): Promise<Stand> {
  const lab = await createLab();
  try {
    const [host, clients] = [await lab.host(), await lab.host()];
    await lab.link(
      { host, device: "eth0", addresses: [`${ADDRESS}/24`] },
      { host: clients, device: "eth0", addresses: [`${GATE}/24`] },
    );
    await host.ip(`route add ${CLIENTS.network} via ${GATE}`);
    await clients.ip(`route add local ${CLIENTS.network} dev lo`);
    // Clients are many machines: none of them is short of memory for closed connections.
    await clients.sysctl({ "net.ipv4.tcp_max_tw_buckets": 0 });
    await host.sysctl({ "net.ipv4.tcp_max_syn_backlog": 8192 });
    const limits = ["-c", "20000", "-b", "4096", "-t", "2", "-m", "16"];
    await host.spawn(
      [...ON_ONE_CORE, "memcached", "-u", "nobody", "-U", "0", "-l", ADDRESS, "-p", String(PORT), ...limits],
      PORT,
    );
    const pid = await pidOf(host, "memcached");
    return {
      host,
      async use({ seconds, rate }) {
        const before = await processorTime(pid);
        const answer = await clients.run([
          ...ON_ONE_CORE,
          client,
          ...[
            ADDRESS,
            PORT,
            CLIENTS.first,
            CLIENTS.count,
            AT_ONCE,
            seconds,
            rate ?? 0,
            Math.min(INTERVAL, seconds),
            PATIENCE,
          ].map(String),
        ]);
        const { interval, served, failed, cpu, user } = JSON.parse(answer) as Omit<
          Use,
          "cost" | "generator"
        > & {
          cpu: number;
          user: number;
        };
        const used = cpu + (await processorTime(pid)) - before;
        return { interval, served, failed, cost: (used / sum(served)) * 1e6, generator: user / used };
      },
      entries: async () => Number(await host.readSysctl("net.netfilter.nf_conntrack_count")),
      async forget() {
        await host.attempt(["conntrack", "-F"]);
      },
      destroy: lab.destroy,
    };
  } catch (error) {
    await lab.destroy();
    throw error;
  }
}

/** Compiles `client.c` into a folder, and returns the path of the program. */
export function buildClient(folder: string): string {
  const program = join(folder, "client");
  execFileSync("gcc", ["-O2", "-o", program, join(import.meta.dirname, "client.c")]);
  return program;
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

async function pidOf(host: Host, program: string): Promise<number> {
  for (const pid of (await host.run(["ip", "netns", "pids", host.namespace])).split("\n").filter(Boolean)) {
    if ((await readFile(`/proc/${pid}/comm`, "utf8")).trim() === program) return Number(pid);
  }
  throw new Error(`${program} does not run`);
}

/** Seconds of all threads of a process, user and system: proc(5), fields 14 and 15 of stat, in hundredths. */
async function processorTime(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The second field is a name in parentheses, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

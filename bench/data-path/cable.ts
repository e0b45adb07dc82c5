import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { addNamespace, deleteNamespace, freshName } from "../../test/kernel/namespaces.ts";
import { attempt, run } from "../../test/kernel/shell.ts";
import { type Flow, printClient } from "./lists.ts";
import type { Load as Loading } from "./scripts.ts";

const TRAFFIC = new URL("traffic.py", import.meta.url).pathname;
const HOST = "192.0.2.1";
const PEER = "192.0.2.2";

/** Seconds that loading a script may take. */
const PATIENCE = 240;

/** Milliseconds in which what is still queued arrives. */
const QUEUED = 50;

/** A host with rules at the end of a cable, and a sender at the other. */
export interface Cable {
  readonly load: Load;
  /** Sends for so many seconds. */
  send(seconds: number): Promise<Sent>;
  /** Ends every process, and deletes the namespaces. */
  destroy(): Promise<void>;
}

export interface Load {
  /** Processor time of the loader. */
  readonly seconds: number;
  /** What the kernel keeps of the rules, in MiB; null where control groups do not count it. */
  readonly memory: number | null;
}

export interface Sent {
  readonly packets: number;
  /** Processor time. */
  readonly seconds: number;
  /** The part of the packets that came through to a socket. */
  readonly passed: number;
}

/** Lays a cable and loads the rules of the host; null where that takes all patience. */
export async function layCable(flows: readonly Flow[], rules: Loading): Promise<Cable | null> {
  const sender = freshName();
  const host = freshName();
  const children: ChildProcess[] = [];
  const inside = ["ip", "netns", "exec", host];
  const destroy = async (): Promise<void> => {
    for (const child of children) child.kill("SIGKILL");
    await deleteNamespace(sender);
    await deleteNamespace(host);
  };
  try {
    await addNamespace(sender);
    await addNamespace(host);
    await run(["ip", "link", "add", "eth0", "netns", sender, "type", "veth", "peer", "eth0", "netns", host]);
    const mac = await Promise.all([sender, host].map(hardwareAddress));
    await run(["ip", "-n", sender, "link", "set", "eth0", "up"]);
    await run(
      ["ip", "-n", host, "-batch", "-"],
      [
        `address add ${HOST}/24 dev eth0`,
        "link set eth0 up",
        `neigh add ${PEER} lladdr ${mac[0]} dev eth0 nud permanent`,
        `route add default via ${PEER}`,
        "",
      ].join("\n"),
    );
    await run([
      ...inside,
      "sysctl",
      "-qw",
      "net.ipv4.conf.all.rp_filter=0",
      "net.ipv4.conf.eth0.rp_filter=0",
    ]);
    const load = await loadRules(inside, rules);
    if (load === null) {
      await destroy();
      return null;
    }
    const ports = [...new Set(flows.map(({ port }) => port))];
    const answering = python(children, [...inside, "taskset", "-c", "1"], ["answer"]);
    await answering.ask(JSON.stringify({ ports }));
    const sending = python(children, ["ip", "netns", "exec", sender, "taskset", "-c", "0"], ["send", "eth0"]);
    const lines = flows.map(({ client, clientPort, port }) => [printClient(client), clientPort, HOST, port]);
    await sending.ask(JSON.stringify({ flows: lines, mac }));
    return {
      load,
      async send(seconds) {
        const before = await delivered(inside);
        const { sent, seconds: used } = JSON.parse(await sending.ask(String(seconds)));
        await setTimeout(QUEUED);
        return { packets: sent, seconds: used, passed: ((await delivered(inside)) - before) / sent };
      },
      destroy,
    };
  } catch (error) {
    await destroy();
    throw error;
  }
}

async function hardwareAddress(namespace: string): Promise<string> {
  return (await run(["ip", "netns", "exec", namespace, "cat", "/sys/class/net/eth0/address"])).trim();
}

async function loadRules(inside: readonly string[], rules: Loading): Promise<Load | null> {
  const account = openAccount();
  try {
    let seconds = 0;
    for (const { loader, script } of rules) {
      const used = await loadScript([...inside, ...loader], script, account);
      if (used === null) return null;
      seconds += used;
    }
    return { seconds, memory: rules.length > 0 && account ? account.used() : null };
  } finally {
    account?.close();
  }
}

/** Processor time that a loader takes; null where that is more than all patience. */
async function loadScript(
  loader: readonly string[],
  script: string,
  account: Account | null,
): Promise<number | null> {
  // Inside the namespace there is another /sys, without control groups.
  const join = account ? `echo $BASHPID >${account.folder}/cgroup.procs; ` : "";
  const timed = `${join}TIMEFORMAT='%U %S'; time timeout ${PATIENCE} ${loader.join(" ")}`;
  const { code, stderr } = await attempt(["bash", "-c", timed], script);
  if (code === 124) return null;
  if (code !== 0) throw new Error(`${loader.join(" ")}: ${stderr}`);
  const [user, system] = stderr.trim().split("\n").at(-1)!.split(" ").map(Number);
  return user! + system!;
}

/** Counts the memory that the kernel takes for what a process does, and keeps after its end. */
interface Account {
  readonly folder: string;
  /** MiB. */
  used(): number;
  close(): void;
}

/** A control group of its own, with the first or the second version of these; null where there is neither. */
function openAccount(): Account | null {
  const [root, file] = existsSync("/sys/fs/cgroup/memory/memory.kmem.usage_in_bytes")
    ? ["/sys/fs/cgroup/memory", "memory.kmem.usage_in_bytes"]
    : ["/sys/fs/cgroup", "memory.current"];
  const folder = `${root}/${freshName()}`;
  if (!existsSync(`${root}/cgroup.procs`)) return null;
  mkdirSync(folder);
  if (!existsSync(`${folder}/${file}`)) {
    rmdirSync(folder);
    return null;
  }
  return {
    folder,
    used: () => Number(readFileSync(`${folder}/${file}`, "utf8")) / 2 ** 20,
    close: () => rmdirSync(folder),
  };
}

/** Datagrams that came to a socket, whether it had room or not. */
async function delivered(inside: readonly string[]): Promise<number> {
  const text = await run([...inside, "cat", "/proc/net/snmp"]);
  const [names, values] = text
    .split("\n")
    .filter((line) => line.startsWith("Udp:"))
    .map((line) => line.split(" "));
  const counter = (name: string): number => Number(values![names!.indexOf(name)]);
  return counter("InDatagrams") + counter("InErrors");
}

function python(children: ChildProcess[], before: readonly string[], args: readonly string[]) {
  const [program, ...rest] = [...before, "/usr/bin/python3", TRAFFIC, ...args];
  const child = spawn(program!, rest, { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async ask(line: string): Promise<string> {
      child.stdin.write(`${line}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`traffic.py ${args.join(" ")} ended`);
      return value;
    },
  };
}

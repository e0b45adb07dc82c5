import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "./random.ts";
import { median, printTable, whole } from "./table.ts";

/** One of the services that the policy opens: what every program here can say. */
interface Service {
  readonly protocol: "tcp" | "udp";
  /** An IPv4 prefix. */
  readonly from: string;
  readonly port: number;
}

/** A program that makes rules of a policy. */
interface Peer {
  readonly name: string;
  /** The program that must be installed; null: nothing. */
  readonly program: string | null;
  /** The most rules that it is given: beyond them it takes minutes. */
  readonly most: number;
  /** It runs once, because it takes the better part of a minute. */
  readonly isSlow?: true;
  /** Writes its policy into a folder, and returns the shell command that compiles it to the file `out` there. */
  readonly prepare: (folder: string, services: readonly Service[], ctc: string) => string;
}

/** Every peer decides by state first, drops what no rule opens, and lets out what this host sends. */
const PEERS: readonly Peer[] = [
  {
    name: "ctc, both families, checked and proved",
    program: null,
    most: Number.POSITIVE_INFINITY,
    prepare: (folder, services, ctc) => `${writeOurs(folder, services)}${ctc} compile policy.yaml > out`,
  },
  {
    name: "ctc --no-verify --target iptables",
    program: null,
    most: Number.POSITIVE_INFINITY,
    prepare: (folder, services, ctc) =>
      `${writeOurs(folder, services)}${ctc} compile --no-verify --target iptables policy.yaml > out`,
  },
  {
    name: "ferm",
    program: "/usr/sbin/ferm",
    most: Number.POSITIVE_INFINITY,
    prepare(folder, services) {
      const rules = services.map(
        ({ protocol, from, port }) => `proto ${protocol} saddr ${from} dport ${port} ACCEPT;`,
      );
      const head = "policy DROP; mod conntrack ctstate (ESTABLISHED RELATED) ACCEPT; interface lo ACCEPT;";
      write(folder, "ferm.conf", [
        `domain ip table filter chain INPUT { ${head}`,
        ...rules,
        "}",
        "domain ip table filter chain FORWARD policy DROP;",
      ]);
      return "ferm --noexec --lines ferm.conf > out";
    },
  },
  {
    name: "shorewall",
    program: "/usr/sbin/shorewall",
    most: 10_000,
    prepare(folder, services) {
      write(folder, "shorewall.conf", [
        readFileSync("/usr/share/shorewall/configfiles/shorewall.conf", "utf8"),
      ]);
      write(folder, "zones", ["fw firewall", "net ipv4"]);
      write(folder, "interfaces", ["?FORMAT 2", "net eth0"]);
      write(folder, "policy", ["fw net ACCEPT", "net all DROP"]);
      const rules = services.map(({ protocol, from, port }) => `ACCEPT net:${from} fw ${protocol} ${port}`);
      write(folder, "rules", ["?SECTION NEW", ...rules]);
      return "shorewall compile . out";
    },
  },
  {
    name: "firehol",
    program: "/usr/sbin/firehol",
    most: 1_000,
    isSlow: true,
    prepare(folder, services) {
      const names = services.map(({ protocol, port }, index) =>
        [`server_s${index}_ports="${protocol}/${port}"`, `client_s${index}_ports="default"`].join("\n"),
      );
      const rules = services.map(({ from }, index) => `\tserver s${index} accept src ${from}`);
      write(folder, "firehol.conf", [
        "version 6",
        ...names,
        "interface4 eth0 net",
        "\tpolicy drop",
        ...rules,
      ]);
      write(folder, "defaults", ["START_FIREHOL=YES"]);
      // It asks a file of the system whether it may run, recurses deeply, and ends with 1 when it only prints.
      return "ulimit -s 65536; mount --bind defaults /etc/default/firehol && (firehol firehol.conf debug > out || true)";
    },
  },
];

/**
 * Compiles the same policy with every peer that is installed, in turns, and prints processor time and its ratio to the
 * first. Peers run in namespaces of their own: some read the tables of the kernel to compile.
 */
export function measurePeers(ctc: string, root: string, sizes: readonly number[], rounds: number): void {
  for (const size of sizes) {
    const services = servicesOf(size);
    const takes = PEERS.map((peer, index) => {
      const why = reasonToSkip(peer, size);
      if (why) return { peer, why, times: [], command: "", folder: "" };
      const folder = join(root, `peer-${size}-${index}`);
      mkdirSync(folder);
      return {
        peer,
        why,
        times: [] as number[],
        command: peer.prepare(folder, services, `'${process.execPath}' '${ctc}'`),
        folder,
      };
    });
    for (let round = 0; round < rounds; round++)
      for (const { peer, why, times, command, folder } of takes)
        if (!why && (round === 0 || !peer.isSlow))
          times.push(processorTime(command, folder, peer.program !== null));
    for (const { peer, why, folder } of takes) if (!why) checkRules(peer.name, join(folder, "out"), services);
    const [ours] = takes;
    printTable([
      [`compile ${whole(size)} services`, "CPU ms", "times ctc's"],
      ...takes.map(({ peer, why, times }) => [
        peer.name,
        why ?? whole(median(times)),
        why ? "" : median(times.map((time, round) => time / ours!.times[round]!)).toFixed(2),
      ]),
    ]);
  }
}

function servicesOf(count: number): readonly Service[] {
  const random = seededRandom(count);
  return Array.from({ length: count }, () => {
    const bytes = [
      1 + random.integer(220),
      random.integer(256),
      random.integer(256),
      16 * random.integer(16),
    ];
    return {
      protocol: random.chance(80) ? "tcp" : "udp",
      from: `${bytes.join(".")}/28`,
      port: 1024 + random.integer(60_000),
    };
  });
}

/** Writes the policy for ctc; an empty string, to stand before a command. */
function writeOurs(folder: string, services: readonly Service[]): "" {
  const rules = services.map(
    ({ protocol, from, port }) => `      allow ${protocol} from ${from} to self port ${port}`,
  );
  write(folder, "policy.yaml", ["version: 1", "policies:", "  - name: services", "    rules: |", ...rules]);
  return "";
}

function write(folder: string, name: string, lines: readonly string[]): void {
  writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
}

function reasonToSkip({ program, most }: Peer, size: number): string | null {
  if (program === null) return null;
  if (!existsSync(program)) return "is missing";
  if (process.getuid?.() !== 0) return "needs root";
  return size > most ? "takes minutes" : null;
}

/** Milliseconds of processor time that a shell command takes, user and system, with all that it starts. */
function processorTime(command: string, folder: string, apart: boolean): number {
  // `times` prints those of the shell, then those of its children: 0m1.234s 0m0.567s.
  const script = `set -e\n${command} 2> errors\ntimes`;
  const words = ["bash", "-c", script];
  const [program, ...args] = apart ? ["unshare", "--net", "--mount", ...words] : words;
  const { status, stdout } = spawnSync(program!, args, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, XDG_CACHE_HOME: join(folder, "..") },
    maxBuffer: 2 ** 28,
  });
  if (status !== 0)
    throw new Error(
      `\`${command}\` ended with code ${status}:\n${readFileSync(join(folder, "errors"), "utf8")}`,
    );
  const spent = [...stdout.matchAll(/(\d+)m([\d.]+)s/g)].slice(-4);
  return spent.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1_000,
    0,
  );
}

/** A program that failed half-way is fast: the address of every service must have come out. */
function checkRules(name: string, out: string, services: readonly Service[]): void {
  const found = new Set(readFileSync(out, "utf8").match(/\d+\.\d+\.\d+\.\d+/g));
  const missing = services.find(({ from }) => !found.has(from.slice(0, from.indexOf("/"))));
  if (missing) throw new Error(`${name} made no rule for ${missing.from}`);
}

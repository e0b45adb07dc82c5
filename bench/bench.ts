/**
 * What checking, compiling, proving and comparing cost, and how that grows:
 *
 *     npm run bench [-- --runs 5 --most 10000 --ctc dist/ctc.mjs]
 *
 * Generated policies go through the real command line, each run a fresh process. Times are medians over what Node itself
 * takes to start. Then one policy goes through ctc and through the programs that `scripts/bench-packages.sh` installs. Up to
 * ten thousand rules that takes some ten minutes, with `--most 100000` half an hour. `node bench/lint.ts --checks` tells
 * the checks apart.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { GENERATORS, type GeneratorName } from "./generate.ts";
import { measurePeers } from "./peers.ts";
import { median, printTable, whole } from "./table.ts";

/** Of one run or, number by number, the median of several. */
interface Cost {
  /** Milliseconds. */
  readonly wall: number;
  /** Milliseconds of all processors, user and system. */
  readonly cpu: number;
  /** MiB. */
  readonly peak: number;
}

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    most: { type: "string", default: "10000" },
    ctc: { type: "string", default: join(import.meta.dirname, "../dist/ctc.mjs") },
  },
});
const runs = Number(values.runs);
const sizes = [100, 1_000, 10_000, 100_000].filter((size) => size <= Number(values.most));

const ctc = resolve(values.ctc);
const folder = mkdtempSync(join(tmpdir(), "ctc-bench-"));
mkdirSync(join(folder, "scripts"));

/** Loaded into each process: tells on file descriptor 3 what the process has used when it ends. */
const TELL = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from "node:fs";
  process.on("exit", () => writeSync(3, JSON.stringify(process.resourceUsage())));
`)}`;

/** `ends`: how the run may end, because a command that failed half-way is fast. */
function run(args: readonly string[], ends: readonly number[]): Cost {
  const start = performance.now();
  const child = spawnSync(process.execPath, ["--import", TELL, ...args], {
    cwd: folder,
    // A cache of compiled code like any user's, filled by the runs that come first.
    env: { ...process.env, XDG_CACHE_HOME: folder },
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  const wall = performance.now() - start;
  if (child.status === null || !ends.includes(child.status))
    throw new Error(`node ${args.join(" ")} exited with ${child.status}:\n${child.stderr}`);
  const usage: NodeJS.ResourceUsage = JSON.parse(child.output[3]!);
  return { wall, cpu: (usage.userCPUTime + usage.systemCPUTime) / 1000, peak: usage.maxRSS / 1024 };
}

function measure(args: readonly string[], times = runs, ends = CLEAN): Cost {
  // What takes a minute does not notice whether code was kept.
  if (times > 1) run(args, ends);
  const costs = Array.from({ length: times }, () => run(args, ends));
  return {
    wall: median(costs.map((cost) => cost.wall)),
    cpu: median(costs.map((cost) => cost.cpu)),
    peak: median(costs.map((cost) => cost.peak)),
  };
}

/** A command on a generated policy. */
interface Task {
  readonly name: string;
  readonly args: (policy: string) => readonly string[];
  readonly ends?: readonly number[];
}

const CLEAN: readonly number[] = [0];

/** In this order: the scripts that one writes, a later one reads. */
const TASKS: readonly Task[] = [
  {
    name: "lint",
    args: (policy) => ["lint", policy],
    // Some rules are suspicious.
    ends: [0, 1],
  },
  { name: "compile --no-verify", args: (policy) => ["compile", "--no-verify", policy, "-o", "scripts/"] },
  { name: "compile", args: (policy) => ["compile", policy, "-o", "scripts/"] },
  {
    name: "verify",
    args: (policy) => [
      "verify",
      policy,
      ...["ruleset.nft", "rules.v4", "rules.v6"].map((script) => `scripts/${script}`),
    ],
  },
  {
    name: "diff, ten rules changed",
    args: (policy) => ["diff", `changed-${policy}`, policy],
    ends: [1],
  },
];

/** How what each command takes grows with the number of rules. */
function measureGrowth(name: GeneratorName, bare: Cost): void {
  const rows = [[`${name} policy`, "rules", "ms", "CPU ms", "peak MiB", "CPU, for 10 times the rules"]];
  for (const task of TASKS) {
    let before: number | null = null;
    for (const size of sizes) {
      const file = `${name}-${size}.yaml`;
      const text = GENERATORS[name](size);
      writeFileSync(join(folder, file), text);
      writeFileSync(join(folder, `changed-${file}`), changeRules(text, 10));
      // The scripts of the policy of this size, for whoever reads them.
      if (task.name === "verify") run([ctc, "compile", "--no-verify", file, "-o", "scripts/"], CLEAN);
      // What takes many seconds varies little.
      const times = size >= 100_000 ? 1 : size >= 10_000 ? Math.min(runs, 3) : runs;
      const cost = measure([ctc, ...task.args(file)], times, task.ends);
      // What else the machine does shows in the time on the wall, and much less in that of the processor.
      const cpu = cost.cpu - bare.cpu;
      rows.push([
        task.name,
        whole(size),
        whole(cost.wall - bare.wall),
        whole(cpu),
        whole(cost.peak),
        before === null ? "" : `× ${(cpu / before).toFixed(1)}`,
      ]);
      before = cpu;
    }
  }
  printTable(rows);
}

/** Moves the port of some rules, evenly spread, up by one. */
function changeRules(text: string, count: number): string {
  const lines = text.split("\n");
  const rules = lines.flatMap((line, at) => (/ port [0-9]+$/.test(line) ? [at] : []));
  for (let i = 0; i < count; i++) {
    const at = rules[Math.floor(((i + 0.5) * rules.length) / count)]!;
    lines[at] = lines[at]!.replace(/[0-9]+$/, (port) => String(Number(port) + 1));
  }
  return lines.join("\n");
}

function measureStart(bare: Cost): void {
  const small = join(folder, "small.yaml");
  writeFileSync(small, spawnSync(process.execPath, [ctc, "init"], { encoding: "utf8" }).stdout);
  const rows = [["start-up", "ms", "CPU ms"]];
  for (const args of [["--version"], ["--help"], ["lint", small], ["compile", small]]) {
    const cost = measure([ctc, ...args], runs * 3);
    rows.push([`ctc ${args[0]}`, whole(cost.wall - bare.wall), whole(cost.cpu - bare.cpu)]);
  }
  printTable(rows);
}

try {
  const empty = join(folder, "empty.mjs");
  writeFileSync(empty, "");
  const bare = measure([empty], runs * 3);
  console.log(`Node.js ${process.version}, ${cpus().length} × ${cpus()[0]!.model}, medians of ${runs} runs`);
  console.log(`Node's own start: ${whole(bare.wall)} ms, ${whole(bare.cpu)} CPU ms, not counted below\n`);
  measureStart(bare);
  for (const name of Object.keys(GENERATORS) as GeneratorName[]) measureGrowth(name, bare);
  measurePeers(
    ctc,
    folder,
    sizes.filter((size) => size === 1_000 || size === 10_000),
    runs,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

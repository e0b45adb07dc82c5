/**
 * What compiling costs:
 *
 *     npm run bench [-- --runs 5 --most 100000 --ctc dist/ctc.mjs]
 *
 * Generated policies go through the real command line, each run a fresh process. Times are medians over what Node itself
 * takes to start. Then one policy goes through ctc and through the programs that `scripts/bench-packages.sh` installs.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
    most: { type: "string", default: "100000" },
    ctc: { type: "string", default: join(import.meta.dirname, "../dist/ctc.mjs") },
  },
});
const runs = Number(values.runs);
const sizes = [100, 1_000, 10_000, 100_000].filter((size) => size <= Number(values.most));

const ctc = resolve(values.ctc);
const folder = mkdtempSync(join(tmpdir(), "ctc-bench-"));

/** Loaded into each process: tells on file descriptor 3 what the process has used when it ends. */
const TELL = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from "node:fs";
  process.on("exit", () => writeSync(3, JSON.stringify(process.resourceUsage())));
`)}`;

function run(args: readonly string[]): Cost {
  const start = performance.now();
  const child = spawnSync(process.execPath, ["--import", TELL, ...args], {
    cwd: folder,
    // A cache of compiled code like any user's, filled by the runs that come first.
    env: { ...process.env, XDG_CACHE_HOME: folder },
    stdio: ["ignore", "ignore", "pipe", "pipe"],
    encoding: "utf8",
  });
  const wall = performance.now() - start;
  if (child.status !== 0)
    throw new Error(`node ${args.join(" ")} exited with ${child.status}:\n${child.stderr}`);
  const usage: NodeJS.ResourceUsage = JSON.parse(child.output[3]!);
  return { wall, cpu: (usage.userCPUTime + usage.systemCPUTime) / 1000, peak: usage.maxRSS / 1024 };
}

function measure(args: readonly string[], times = runs): Cost {
  run(args);
  const costs = Array.from({ length: times }, () => run(args));
  return {
    wall: median(costs.map((cost) => cost.wall)),
    cpu: median(costs.map((cost) => cost.cpu)),
    peak: median(costs.map((cost) => cost.peak)),
  };
}

function measureGrowth(name: GeneratorName, bare: Cost): void {
  const rows = [
    [`compile, ${name} rules`, "ms", "CPU ms", "peak MiB", "rules/CPU s", "CPU, for 10 times the rules"],
  ];
  let before: number | null = null;
  for (const size of sizes) {
    const file = join(folder, `${name}-${size}.yaml`);
    writeFileSync(file, GENERATORS[name](size));
    // What takes many seconds varies little.
    const cost = measure([ctc, "compile", file], size >= 100_000 ? Math.min(runs, 3) : runs);
    // What else the machine does shows in the time on the wall, and much less in that of the processor.
    const cpu = cost.cpu - bare.cpu;
    rows.push([
      whole(size),
      whole(cost.wall - bare.wall),
      whole(cpu),
      whole(cost.peak),
      whole((size / cpu) * 1000),
      before === null ? "" : `× ${(cpu / before).toFixed(1)}`,
    ]);
    before = cpu;
  }
  printTable(rows);
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

/**
 * What it costs to prove scripts and to compare policies: `node bench/verify.ts [--most 100000]`. Each measurement has a
 * process of its own; the time is that of the proof or the comparison alone, reading the scripts and describing what
 * differs included, and memory the largest that the process ever had. The policies that are compared differ in ten
 * rules. The machine should have nothing else to do.
 */
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { outputsOf, understand } from "../src/compile.ts";
import { diff } from "../src/diff/diff.ts";
import { entriesOf } from "../src/diff/entries.ts";
import { FORMAT_NAMES, type Format, ownScripts } from "../src/verify/scripts.ts";
import { verify } from "../src/verify/verify.ts";
import { GENERATORS, type GeneratorName } from "./generate.ts";

/** What one run used. */
interface Cost {
  /** Milliseconds by the clock. */
  readonly wall: number;
  /** Milliseconds of all processors, which does not depend on what else runs. */
  readonly cpu: number;
  /** MiB. */
  readonly peak: number;
}

const TASKS = [...FORMAT_NAMES.map((format) => `verify ${format}` as const), "verify all", "diff"] as const;
type Task = (typeof TASKS)[number];

function read(text: string) {
  const { policy, words, findings } = understand(
    { name: "bench.yaml", text },
    { read: () => ({ error: "there is no such file" }) },
  );
  if (!policy || !words) throw new Error(findings[0]!.message);
  return { policy, words };
}

/** Prepares a task, so that nothing but the task itself is measured. Its answer is checked. */
function prepare(task: Task, text: string): () => void {
  const { policy, words } = read(text);
  if (task === "diff") {
    const changed = read(changeRules(text, 10));
    return () => {
      const compared = diff(policy, changed.policy);
      const { entries } = entriesOf(compared, policy, changed.policy, changed.words());
      if (entries.length === 0) throw new Error("ten rules were changed, and nothing is found");
    };
  }
  const outputs = outputsOf(policy);
  const formats: readonly Format[] = task === "verify all" ? FORMAT_NAMES : [task.split(" ")[1] as Format];
  const texts = Object.fromEntries(formats.map((format) => [format, outputs[format]()]));
  return () => {
    const { findings } = verify(policy, ownScripts(texts), words);
    if (findings.length > 0) throw new Error(findings[0]!.message);
  };
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

function measure(name: GeneratorName, size: number, task: Task): Cost {
  const run = prepare(task, GENERATORS[name](size));
  const wall = performance.now();
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return {
    wall: performance.now() - wall,
    cpu: (user + system) / 1000,
    peak: process.resourceUsage().maxRSS / 1024,
  };
}

const { values, positionals } = parseArgs({
  options: { most: { type: "string", default: "100000" } },
  allowPositionals: true,
});

if (positionals.length === 3) {
  const [name, size, task] = positionals;
  console.log(JSON.stringify(measure(name as GeneratorName, Number(size), task as Task)));
} else {
  const column = (value: number): string => Math.round(value).toLocaleString("en").padStart(9);
  console.log(`Node.js ${process.version}, ${cpus().length} × ${cpus()[0]!.model}\n`);
  console.log(
    "policy   task                 rules        ms    CPU ms  peak MiB  CPU time, for 10 times the rules",
  );
  for (const name of Object.keys(GENERATORS) as GeneratorName[])
    for (const task of TASKS) {
      let before: number | null = null;
      for (const size of [1_000, 10_000, 100_000].filter((one) => one <= Number(values.most))) {
        const args = [fileURLToPath(import.meta.url), name, String(size), task];
        const child = spawnSync(process.execPath, args, { encoding: "utf8" });
        if (child.status !== 0) throw new Error(child.stderr);
        const cost: Cost = JSON.parse(child.stdout.trim().split("\n").at(-1)!);
        const growth = before === null ? "" : `  × ${(cost.cpu / before).toFixed(1)}`;
        const costs = [cost.wall, cost.cpu, cost.peak].map(column).join(" ");
        console.log(
          `${name.padEnd(8)} ${task.padEnd(16)} ${size.toLocaleString("en").padStart(9)} ${costs}${growth}`,
        );
        before = cost.cpu;
      }
    }
}

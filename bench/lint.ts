/**
 * What the proofs and warnings cost: `node bench/lint.ts [--most 100000]`. Each policy is checked in a process of its own;
 * the time is that of all checks together, without reading the file, and memory the largest that the process ever had.
 * The machine should have nothing else to do.
 */
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { parseDocument } from "../src/language/document.ts";
import { checks } from "../src/lint/lint.ts";
import { meaningOf } from "../src/meaning/meaning.ts";
import { vocabularyOf } from "../src/meaning/vocabulary.ts";
import { resolve } from "../src/policy/resolve.ts";
import { collectFindings } from "../src/source/finding.ts";
import { GENERATORS, type GeneratorName } from "./generate.ts";

/** What one run used. */
interface Cost {
  /** Milliseconds of all checks, by the clock. */
  readonly wall: number;
  /** The same of all processors, which does not depend on what else runs: garbage is collected beside the work. */
  readonly total: number;
  /** Processor milliseconds by check. */
  readonly byCheck: Readonly<Record<string, number>>;
  readonly findings: number;
  /** MiB. */
  readonly peak: number;
}

/** Processor time of this process in milliseconds. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function measure(name: GeneratorName, size: number): Cost {
  const text = GENERATORS[name](size);
  const log = collectFindings();
  const none = { read: () => ({ error: "there is no such file" }) };
  const document = parseDocument({ name: "bench.yaml", text }, none, log).document!;
  const policy = resolve(document, log);
  if (log.hasErrors) throw new Error(log.all[0]!.message);
  let findings = 0;
  const byCheck: Record<string, number> = {};
  const wallStart = performance.now();
  const start = cpu();
  const meaning = meaningOf(policy);
  byCheck["(world)"] = cpu() - start;
  const words = () => vocabularyOf(document, policy);
  for (const check of checks) {
    const before = cpu();
    check.run({ document, policy, meaning, words }, () => findings++);
    byCheck[check.name] = cpu() - before;
  }
  const total = cpu() - start;
  return {
    wall: performance.now() - wallStart,
    total,
    byCheck,
    findings,
    peak: process.resourceUsage().maxRSS / 1024,
  };
}

const { values, positionals } = parseArgs({
  options: { most: { type: "string", default: "100000" }, checks: { type: "boolean", default: false } },
  allowPositionals: true,
});

if (positionals.length === 2) {
  console.log(JSON.stringify(measure(positionals[0] as GeneratorName, Number(positionals[1]))));
} else {
  console.log(`Node.js ${process.version}, ${cpus().length} × ${cpus()[0]!.model}\n`);
  console.log("policy      rules        ms    CPU ms  peak MiB  findings  CPU time, for 10 times the rules");
  for (const name of Object.keys(GENERATORS) as GeneratorName[]) {
    let before: number | null = null;
    for (const size of [1_000, 10_000, 100_000].filter((one) => one <= Number(values.most))) {
      const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), name, String(size)], {
        encoding: "utf8",
        maxBuffer: 2 ** 26,
      });
      if (child.status !== 0) throw new Error(child.stderr);
      const cost: Cost = JSON.parse(child.stdout.trim().split("\n").at(-1)!);
      const row = [
        name.padEnd(8),
        size.toLocaleString("en").padStart(8),
        Math.round(cost.wall).toLocaleString("en").padStart(9),
        Math.round(cost.total).toLocaleString("en").padStart(9),
        Math.round(cost.peak).toLocaleString("en").padStart(9),
        cost.findings.toLocaleString("en").padStart(9),
        before === null ? "" : `  × ${(cost.total / before).toFixed(1)}`,
      ];
      console.log(row.join(" "));
      if (values.checks)
        for (const [check, time] of Object.entries(cost.byCheck))
          if (time >= 1)
            console.log(`    ${check.padEnd(26)} ${Math.round(time).toLocaleString("en").padStart(9)}`);
      before = cost.total;
    }
  }
}

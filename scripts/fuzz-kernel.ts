/**
 * Holds random policies against the kernel under all backends: `npm run fuzz:kernel -- --minutes 10 --seed 1`. Needs root
 * and what `test/kernel/` needs. What it finds is shrunk to a small policy and its packets, which belong into
 * `test/kernel/regressions/` once they are understood. Each policy of a run has a seed of its own, which a finding names:
 * `--seed N --policies 1` takes that one alone.
 */
import { parseArgs } from "node:util";
import { fuzz } from "../test/kernel/differential/fuzz.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    policies: { type: "string", default: "Infinity" },
    seed: { type: "string", default: "1" },
  },
});
const minutes = Number(values.minutes);
const most = Number(values.policies);
const seed = Number(values.seed);
if (!(minutes > 0) || !(most > 0) || !Number.isSafeInteger(seed)) {
  console.error("usage: npm run fuzz:kernel -- [--minutes N] [--policies N] [--seed S]");
  process.exit(2);
}

const end = Date.now() + minutes * 60_000;
const { tallies, findings } = await fuzz({
  seed,
  goOn: (policies) => policies < most && Date.now() < end,
  shots: 200,
  say: (line) => console.log(line),
});
for (const finding of findings) console.log(`\n${finding}`);
console.log(`\nseed ${seed}`);
console.table(tallies);
console.log(
  findings.length === 0 ? "The kernel does what the reference says." : `${findings.length} findings`,
);
process.exitCode = findings.length === 0 ? 0 : 1;

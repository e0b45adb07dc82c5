/**
 * What a policy costs a memcached whose clients open a connection for every question:
 *
 *     npm run bench:conntrack [-- --rounds 15 --slice 1 --seconds 150 --steady 30 --only nft/ctc,nft/naive --chart docs/conntrack.svg]
 *
 * As root, after `scripts/bench-packages.sh`. Everything happens in network namespaces; nothing on the machine itself is
 * changed. Variants take turns, a slice of time each, so that whatever else the machine does meets all of them; ratios
 * are those of one round to the same round without a policy, and their median. The best slice is shown beside it: whatever
 * else the machine does can only slow one down. Then tracking is followed for minutes, and
 * what holds steady for as long, or for as short as `--steady` says. `--rounds 0` and `--seconds 0` leave a part out. On a busy machine,
 * put `chrt --fifo 10` in front.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drawChart } from "./chart.ts";
import { buildClient, createStand, type Stand, sum, type Use } from "./conntrack/stand.ts";
import { type Variant, variants } from "./conntrack/variants.ts";
import { median, printTable, whole } from "./table.ts";

/** Connections a second that every variant can serve. */
const FIXED = 4_000;

/** What is followed over time, and how the chart calls and paints it. */
const OVER_TIME = [
  { key: "none", name: "no policy", colour: "#7f7f7f", changes: false },
  { key: "nft/ctc", name: "untracked, by ctc", colour: "#2ca02c", changes: false },
  { key: "nft/tracked", name: "tracked", colour: "#d62728", changes: true },
] as const;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    slice: { type: "string", default: "1" },
    seconds: { type: "string", default: "150" },
    steady: { type: "string", default: "150" },
    only: { type: "string" },
    chart: { type: "string" },
  },
});
const rounds = Number(values.rounds);
const slice = Number(values.slice);
const seconds = Number(values.seconds);
/** What never changes need not be watched for so long. */
const steady = Math.min(seconds, Number(values.steady));
const only = values.only?.split(",");

const folder = mkdtempSync(join(tmpdir(), "ctc-bench-"));

/** One variant on a stand of its own, and what was measured there. */
interface Measured {
  readonly variant: Variant;
  readonly stand: Stand;
  readonly fast: Use[];
  readonly steady: Use[];
}

const perSecond = (use: Use): number => sum(use.served) / (use.served.length * use.interval);

/** All variants in turns, forwards and backwards, as fast as it goes and at a fixed rate. */
async function compare(all: readonly Variant[]): Promise<void> {
  const measured: Measured[] = [];
  try {
    for (const variant of all) {
      const stand = await createStand(client);
      measured.push({ variant, stand, fast: [], steady: [] });
      await variant.load(stand.host);
      await stand.use({ seconds: 0.5, rate: null });
    }
    for (let round = 0; round < rounds; round++) {
      for (const { stand, fast, steady } of round % 2 === 0 ? measured : measured.toReversed()) {
        fast.push(await stand.use({ seconds: slice, rate: null }));
        steady.push(await stand.use({ seconds: slice, rate: FIXED }));
        await stand.forget();
      }
    }
  } finally {
    for (const { stand } of measured) await stand.destroy();
  }
  const [none] = measured as [Measured];
  const best = ({ fast }: Measured): number => Math.max(...fast.map(perSecond));
  const share = median(none.fast.map(({ generator }) => generator)) * 100;
  console.log(`the load generator itself takes ${whole(share)} % of the processor time\n`);
  const against = (of: (one: Measured, round: number) => number, one: Measured): string => {
    const ratio = median(Array.from({ length: rounds }, (_, round) => of(one, round) / of(none, round)));
    return difference(ratio);
  };
  printTable([
    [
      "",
      "connections/s",
      "of no policy",
      "at best",
      "of no policy",
      `µs at ${whole(FIXED)}/s`,
      "of no policy",
      "given up",
    ],
    ...measured.map((one) => [
      one.variant.name,
      whole(median(one.fast.map(perSecond))),
      one === none ? "" : against(({ fast }, round) => perSecond(fast[round]!), one),
      whole(best(one)),
      one === none ? "" : difference(best(one) / best(none)),
      median(one.steady.map(({ cost }) => cost)).toFixed(1),
      one === none ? "" : against(({ steady }, round) => steady[round]!.cost, one),
      whole(sum([...one.fast, ...one.steady].flatMap(({ failed }) => failed))),
    ]),
  ]);
}

/** By how much a ratio is more or less than 1. */
function difference(ratio: number): string {
  return `${ratio >= 1 ? "+" : "−"}${(Math.abs(ratio - 1) * 100).toFixed(1)} %`;
}

/** One variant after the other, as fast as it goes for minutes, with the fill of its table. */
async function follow(all: readonly Variant[]): Promise<void> {
  const lines = [];
  for (const { key, name, colour, changes } of OVER_TIME) {
    const variant = all.find((one) => one.key === key);
    if (!variant) continue;
    const stand = await createStand(client);
    try {
      await variant.load(stand.host);
      const entries: number[] = [];
      const timer = setInterval(async () => entries.push(await stand.entries()), 1000);
      const { served, interval } = await stand.use({ seconds: changes ? seconds : steady, rate: null });
      clearInterval(timer);
      const rates = Array.from({ length: Math.floor(served.length * interval) }, (_, second) =>
        sum(served.slice(second / interval, (second + 1) / interval)),
      );
      lines.push({ name, colour, rates, entries });
    } finally {
      await stand.destroy();
    }
  }
  printTable([
    ["connections/s over time", "first 5 s", "median", "least", "whole", "entries at most"],
    ...lines.map(({ name, rates, entries }) => [
      name,
      whole(sum(rates.slice(0, 5)) / 5),
      whole(median(rates)),
      whole(Math.min(...rates)),
      whole(sum(rates) / rates.length),
      whole(Math.max(0, ...entries)),
    ]),
  ]);
  if (!values.chart) return;
  const panels = [
    { title: "Connections a second", lines: lines.map(({ rates, ...line }) => ({ ...line, values: rates })) },
    {
      title: "Entries of the tracking table",
      lines: lines.map(({ entries, ...line }) => ({ ...line, values: entries })),
    },
  ];
  writeFileSync(values.chart, drawChart({ seconds, panels }));
  console.log(`wrote ${values.chart}`);
}

const client = buildClient(folder);
try {
  const all = await variants(["nft", "iptables-legacy"]);
  const chosen = all.filter(({ key }) => key === "none" || !only || only.includes(key));
  console.log(`Linux ${release()}, ${cpus().length} × ${cpus()[0]!.model}, load ${loadavg()[0]!.toFixed(1)}`);
  const limit = execFileSync("sysctl", ["-n", "net.netfilter.nf_conntrack_max"], { encoding: "utf8" });
  console.log(`a tracking table of ${whole(Number(limit))} entries, ${rounds} rounds of ${slice} s\n`);
  if (rounds > 0) await compare(chosen);
  if (seconds > 0) await follow(chosen);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

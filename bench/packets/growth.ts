/**
 * How the packet engine grows: `node bench/packets/growth.ts [MIX…] [COUNT…]`.
 *
 * Prints processor seconds (user time, both families together) and peak memory, each row measured in a process of its
 * own, because a peak cannot be taken back. Rules are dual stack: every row's count of rules once for each family.
 */
import { execFileSync } from "node:child_process";
import { fatesOf } from "../../src/packets/fates.ts";
import { firstMatch } from "../../src/packets/first-match.ts";
import type { Diagram } from "../../src/packets/nodes.ts";
import { rankRules } from "../../src/packets/rules.ts";
import { attempt } from "../../src/packets/space.ts";
import {
  ALLOW,
  type BenchRule,
  DENY,
  generate,
  MIXES,
  type Mix,
  random,
  reversed,
  UNTRACKED,
} from "./generate.ts";
import { spaceFor } from "./space.ts";

const STEPS = ["rank", "build", "reverse", "check", "diff", "fates"] as const;
type Step = (typeof STEPS)[number];

interface Row {
  readonly seconds: Readonly<Record<Step, number>>;
  readonly megabytes: number;
  readonly inconclusive: readonly string[];
}

const COUNTS = [1000, 10_000, 100_000];

const [mode, ...words] = process.argv.slice(2);
if (mode === "--row") console.log(JSON.stringify(measure(mixNamed(words[0]!), Number(words[1]))));
else main(process.argv.slice(2));

function main(args: readonly string[]): void {
  const mixes = MIXES.filter(({ name }) => args.includes(name));
  const counts = args.map(Number).filter((count) => count > 0);
  for (const mix of mixes.length > 0 ? mixes : MIXES) {
    console.log(`\n${mix.name}: ${mix.says}\n`);
    console.log(`| rules, dual stack | ${STEPS.join(" | ")} | peak memory |`);
    console.log(`|---|${STEPS.map(() => "---:|").join("")}---:|`);
    for (const count of counts.length > 0 ? counts : COUNTS) {
      const output = execFileSync(process.execPath, [import.meta.filename, "--row", mix.name, String(count)]);
      const { seconds, megabytes, inconclusive } = JSON.parse(output.toString()) as Row;
      const cells = STEPS.map((step) =>
        inconclusive.includes(step) ? "inconclusive" : `${seconds[step].toFixed(2)} s`,
      );
      console.log(`| ${count.toLocaleString("en")} | ${cells.join(" | ")} | ${megabytes} MB |`);
    }
  }
}

function mixNamed(name: string): Mix {
  const mix = MIXES.find((one) => one.name === name);
  if (!mix) throw new Error(`no mix ${name}; there are ${MIXES.map((one) => one.name).join(", ")}`);
  return mix;
}

function measure(mix: Mix, count: number): Row {
  const seconds = { rank: 0, build: 0, reverse: 0, check: 0, diff: 0, fates: 0 };
  const inconclusive = new Set<string>();
  for (const family of [4, 6] as const) {
    const rules = generate(mix, count, family);
    const back = rules.filter(({ verdict }) => verdict === UNTRACKED).map(reversed);
    const changed = withChanges(rules);
    let since = process.cpuUsage();
    const lap = (step: Step): void => {
      const { user } = process.cpuUsage(since);
      seconds[step] += user / 1e6;
      since = process.cpuUsage();
    };
    const space = spaceFor(family, [rules, back]);
    const list = rankRules(space, rules);
    lap("rank");
    const build = (step: Step, work: () => Diagram): Diagram => {
      const conclusion = attempt(space, () => space.tidy(() => [work()] as const)[0]);
      lap(step);
      if (conclusion.kind === "conclusive") return conclusion.value;
      inconclusive.add(step);
      return space.nothing;
    };
    const map = build("build", () => firstMatch(list));
    const replies = build("reverse", () => firstMatch(rankRules(space, back)));
    space.subset(replies, space.where(map, ALLOW, UNTRACKED));
    lap("check");
    build("diff", () => {
      const differs = (a: number, b: number): number => (a === b ? 0 : 1);
      return space.combine(map, firstMatch(rankRules(space, changed)), differs);
    });
    if (attempt(space, () => fatesOf(list, space.constant(DENY))).kind === "inconclusive")
      inconclusive.add("fates");
    lap("fates");
  }
  const megabytes = Math.round(process.resourceUsage().maxRSS / 1024);
  return { seconds, megabytes, inconclusive: [...inconclusive] };
}

/** The same policy after an edit: one rule in a hundred has another verdict, one is gone. */
function withChanges(rules: readonly BenchRule[]): BenchRule[] {
  const next = random(5);
  return rules.flatMap((rule) => {
    const chance = next();
    if (chance < 0.01) return [];
    return [chance < 0.02 ? { ...rule, verdict: rule.verdict === ALLOW ? DENY : ALLOW } : rule];
  });
}

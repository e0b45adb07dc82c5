import { proseOf } from "../report/prose.ts";
import type { Finding } from "../source/finding.ts";
import { lineStarts, type Source, type Span } from "../source/source.ts";
import { adviceFor, differenceOf, type Judged } from "./judge.ts";

/** What is not as it should be as findings, for the formats that CI services read. */
export function findingsOf(judged: readonly Judged[], mend: string): readonly Finding[] {
  return judged.map((one): Finding => {
    const help = adviceFor([one], mend).join(" ").replace(/\.$/, "");
    return { ...findingOf(one), level: "error", help };
  });
}

function findingOf(one: Judged): Pick<Finding, "check" | "message" | "span" | "notes"> {
  const atStart = { source: { name: one.path, text: "" }, start: 0, end: 0 };
  switch (one.kind) {
    case "stale":
      return {
        check: "stale-script",
        message: `the script is not what \`${one.policy}\` compiles to: ${differenceOf(one)}`,
        span: lineSpan({ name: one.path, text: one.found }, one.diff?.firstLine ?? 1),
        ...(one.meaning.kind === "different" ? { notes: one.meaning.differences.map(proseOf) } : {}),
      };
    case "missing":
      return {
        check: "missing-script",
        message: `the script \`${one.path}\` is missing`,
        // A service shows a finding about a file that is not there nowhere.
        span: { ...atStart, source: { name: one.policy, text: "" } },
      };
    case "orphaned":
      return { check: "orphaned-script", message: "no policy has its scripts here", span: atStart };
    case "stray":
      return { check: "stray-file", message: "no policy reads this file", span: atStart };
    case "foreign":
      return {
        check: "foreign-script",
        message: "ctc did not write this file, and it stands in the place of a script",
        span: atStart,
      };
    case "contested":
      return {
        check: "contested-folder",
        message: `\`${one.other}\` has its scripts in the same folder`,
        span: atStart,
      };
  }
}

function lineSpan(source: Source, line: number): Span {
  const starts = lineStarts(source);
  const start = starts[Math.min(line, starts.length) - 1]!;
  const end = source.text.indexOf("\n", start);
  return { source, start, end: end < 0 ? source.text.length : end };
}

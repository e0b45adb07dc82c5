import type { Finding } from "../source/finding.ts";
import type { Source } from "../source/source.ts";
import { harmless } from "./cells.ts";
import { fixRows, lastLineOfFix } from "./fix.ts";
import { frameOf, type Layout, lastLineOf, type Mark } from "./frame.ts";
import { type Paint, plain } from "./paint.ts";
import type { Report } from "./report.ts";
import { countsOf, summaryOf } from "./summary.ts";
import { wrapLine } from "./wrap.ts";

/** How the report for people is laid out. */
export interface PrettyOptions {
  readonly paint: Paint;
  /** Columns of the screen. */
  readonly width: number;
  /** Whether notes and advice are broken at that width too. Programs that read a report want them whole. */
  readonly breaksProse: boolean;
  /** Findings shown before the report ends in "and N more". */
  readonly most: number;
}

const DEFAULTS: PrettyOptions = { paint: plain, width: 120, breaksProse: false, most: 100 };

/** Screens narrower than this are laid out as if they were this wide. */
const NARROWEST = 40;

/** Findings with code frames, for people, and a line that sums them up. */
export function formatPretty(report: Report, options: Partial<PrettyOptions> = {}): string {
  const settings = { ...DEFAULTS, ...options };
  const { paint, most } = settings;
  const shown = report.findings.slice(0, most);
  const blocks = shown.map((finding) => formatFinding(finding, settings));
  const rest = report.findings.slice(most);
  if (rest.length > 0) {
    blocks.push(`${paint("strong", `and ${rest.length.toLocaleString("en")} more`)} (${countsOf(rest)})\n`);
  }
  const role = report.findings.some((finding) => finding.level === "error") ? "error" : "warning";
  const summary = summaryOf(report);
  blocks.push(`${report.findings.length > 0 ? paint(role, summary) : summary}\n`);
  return blocks.join("\n");
}

/** One finding: what is wrong, where, and what to do. Ends in a line ending. */
export function formatFinding(finding: Finding, options: Partial<PrettyOptions> = {}): string {
  const { paint, width, breaksProse } = { ...DEFAULTS, ...options };
  const { check, level, message, span, label, related = [], notes = [], help, fix } = finding;

  const marks: Mark[] = [
    { span, text: label ?? "", primary: true },
    ...related.map((place): Mark => ({ ...place, primary: false })),
  ];
  const last = Math.max(lastLineOf(marks), fix ? lastLineOfFix(fix) : 0);
  const layout: Layout = { paint, level, width: Math.max(width, NARROWEST), gutter: String(last).length };
  const blank = " ".repeat(layout.gutter);

  const rows = [`${paint(level, `${level}[${check}]`)}${paint("strong", `: ${harmless(message)}`)}`];
  for (const [index, [source, places]] of bySource(marks).entries()) {
    if (index > 0) rows.push(`${blank} ${paint("frame", "|")}`);
    rows.push(...frameOf(source, places, index === 0 ? "-->" : ":::", layout));
  }

  // What stands before a line of prose is as wide as `= note: `.
  const room = breaksProse ? layout.width - layout.gutter - 9 : Number.POSITIVE_INFINITY;
  const facts: string[] = notes.flatMap((note) => fact("note", note, room, layout));
  const advice = help ?? fix?.title;
  if (advice) facts.push(...fact("help", advice, room, layout));
  if (facts.length > 0 && span.source.text !== "") rows.push(`${blank} ${paint("frame", "|")}`);
  rows.push(...facts);
  if (fix) rows.push(...fixRows(fix, layout));
  return `${rows.join("\n")}\n`;
}

/** `= note: …`; further lines stand below, behind a bar: CI services take lines that start with `::` for commands. */
function fact(kind: "note" | "help", text: string, room: number, { paint, gutter }: Layout): string[] {
  const lines = text.split(/\r\n|\n|\r/).map(harmless);
  const [first = "", ...others] = lines.flatMap((line) => (line.length > room ? wrapLine(line, room) : line));
  const blank = " ".repeat(gutter);
  return [
    `${blank} ${paint("frame", "=")} ${paint(kind === "help" ? "help" : "strong", `${kind}:`)} ${first}`,
    ...others.map((line) => `${blank} ${paint("frame", "|")}       ${line}`.trimEnd()),
  ];
}

/** The marks of each source together, the source of the finding itself first. */
function bySource(marks: readonly Mark[]): [Source, Mark[]][] {
  const groups = new Map<Source, Mark[]>();
  for (const mark of marks) {
    const group = groups.get(mark.span.source);
    if (group) group.push(mark);
    else groups.set(mark.span.source, [mark]);
  }
  return [...groups];
}

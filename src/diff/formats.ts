import { harmless } from "../report/cells.ts";
import { formatGithub } from "../report/github.ts";
import { toJson } from "../report/json.ts";
import { type Paint, plain } from "../report/paint.ts";
import type { Finding } from "../source/finding.ts";
import { positionOf, type Source, type Span, textOf } from "../source/source.ts";
import type { Cause, Entries, Entry } from "./entries.ts";
import { CHANGE_KINDS, CHANGE_NAMES } from "./kinds.ts";

/** What formats lay out. */
export interface DiffReport extends Entries {
  readonly before: Source;
  readonly after: Source;
  readonly version: string;
}

export const DIFF_FORMATS = ["pretty", "json", "markdown", "github"] as const;

export type DiffFormat = (typeof DIFF_FORMATS)[number];

/** Lays a comparison out. */
export function formatDiff(report: DiffReport, format: DiffFormat, paint: Paint = plain): string {
  switch (format) {
    case "pretty":
      return formatPretty(report, paint);
    case "json":
      return formatJson(report);
    case "markdown":
      return formatMarkdown(report);
    case "github":
      return formatAnnotations(report);
  }
}

/** `2 newly allowed, 1 now untracked`. */
function summaryOf({ entries, isCut }: Entries): string {
  const counts = CHANGE_KINDS.flatMap((kind) => {
    const count = entries.filter((entry) => entry.kind === kind).length;
    return count > 0 ? [`${count} ${CHANGE_NAMES[kind]}`] : [];
  });
  return counts.join(", ") + (isCut ? ", and more" : "");
}

/** `allow https from any to self (policy.yaml:12)`, or why without a sentence. */
function causeText({ sentence, role, reason }: Cause, quote = (text: string) => text): string {
  if (!sentence) return reason ?? "";
  return `${quote(sentenceText(sentence))} (${lineOf(sentence)}${role ? `, ${role}` : ""})`;
}

function sentenceText(span: Span): string {
  return harmless(textOf(span).replace(/\s+/g, " ").trim());
}

function lineOf(span: Span): string {
  return `${harmless(span.source.name)}:${positionOf(span.source, span.start).line}`;
}

function formatPretty(report: DiffReport, paint: Paint): string {
  const { entries, before, after } = report;
  if (entries.length === 0)
    return `no packet is treated differently: ${harmless(before.name)} and ${harmless(after.name)}\n`;
  const rows: string[] = [];
  for (const kind of CHANGE_KINDS) {
    const some = entries.filter((entry) => entry.kind === kind);
    if (some.length === 0) continue;
    rows.push(paint(kind === "allowed" ? "error" : "strong", CHANGE_NAMES[kind]));
    for (const entry of some) rows.push(...prettyRows(entry, paint), "");
  }
  rows.push(`${summaryOf(report)}, from ${harmless(before.name)} to ${harmless(after.name)}`);
  return `${rows.join("\n")}\n`;
}

function prettyRows(entry: Entry, paint: Paint): string[] {
  const { packets, isWhole, example, state, before, after } = entry;
  return [
    ...packets.map((line) => `  ${paint("strong", line)}`),
    ...(isWhole ? [] : ["  and more"]),
    ...(state ? [`    ${state}`] : []),
    `    - ${before.does}: ${causeText(before)}`,
    `    + ${after.does}: ${causeText(after)}`,
    `    for example: ${example}`,
  ];
}

/** What a reader of the JSON may rely on; a change that breaks readers raises it. */
const FORMAT_VERSION = 1;

function formatJson({ entries, isCut, before, after, version }: DiffReport): string {
  const cause = ({ does, sentence, role, reason }: Cause) => ({
    does,
    sentence: sentence && textOf(sentence),
    file: sentence?.source.name ?? null,
    line: sentence && positionOf(sentence.source, sentence.start).line,
    role,
    reason,
  });
  return toJson({
    version: FORMAT_VERSION,
    ctc: version,
    old: before.name,
    new: after.name,
    complete: !isCut,
    changes: entries.map(({ kind, packets, isWhole, example, state, before, after }) => ({
      kind,
      packets,
      complete: isWhole,
      example,
      state,
      old: cause(before),
      new: cause(after),
    })),
  });
}

/** Entries of a kind that are shown at once; more are folded away. */
const MOST_SHOWN = 10;

/** What stands well under a pull request: short, the opening of anything first; nothing at all where nothing changes. */
function formatMarkdown(report: DiffReport): string {
  const { entries } = report;
  if (entries.length === 0) return "";
  const rows = [`**${harmless(report.after.name)}**: ${summaryOf(report)}`, ""];
  for (const kind of CHANGE_KINDS) {
    const some = entries.filter((entry) => entry.kind === kind);
    if (some.length === 0) continue;
    const name = CHANGE_NAMES[kind];
    rows.push(`#### ${name[0]!.toUpperCase()}${name.slice(1)}`, "");
    rows.push(...some.slice(0, MOST_SHOWN).flatMap(markdownRows));
    const more = some.slice(MOST_SHOWN);
    if (more.length > 0)
      rows.push(
        "",
        `<details><summary>${more.length} more</summary>`,
        "",
        ...more.flatMap(markdownRows),
        "",
        "</details>",
      );
    rows.push("");
  }
  return `${rows.join("\n").trimEnd()}\n`;
}

function markdownRows({ packets, isWhole, state, before, after }: Entry): string[] {
  const what = `${packets.map(code).join(", ")}${isWhole ? "" : " and more"}`;
  return [
    `- ${what}${state ? `, ${state}` : ""}`,
    `  - the new policy ${after.does}: ${causeText(after, code)}`,
    `  - the old one ${before.does}: ${causeText(before, code)}`,
  ];
}

/** A code span, whatever the text holds: nothing in it is markup, and no mention reaches anybody. */
function code(text: string): string {
  const runs = text.match(/`+/g) ?? [];
  const fence = "`".repeat(Math.max(0, ...runs.map(({ length }) => length)) + 1);
  const space = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return `${fence}${space}${text}${space}${fence}`;
}

/** Annotations beside the lines of the new policy, or of its first line where no sentence of it is the cause. */
function formatAnnotations({ entries, before, after, version }: DiffReport): string {
  const findings = entries.map(
    ({ kind, packets, isWhole, example, state, before: was, after: is }): Finding => ({
      check: CHANGE_NAMES[kind],
      level: "warning",
      message: `${packets.join("; ")}${isWhole ? "" : " and more"}${state ? `, ${state}` : ""}`,
      span: is.sentence ?? { source: after, start: 0, end: 0 },
      notes: [
        `the new policy ${is.does}: ${causeText(is)}`,
        `the old one ${was.does}: ${causeText(was)}`,
        `for example: ${example}`,
      ],
    }),
  );
  return formatGithub({ findings, files: [before.name, after.name], version });
}

import type { Finding } from "../source/finding.ts";
import { positionOf, type Source, type Span } from "../source/source.ts";
import { checks } from "./lint.ts";

/** `# ctc-ignore shadowed-rule: kept for the auditors`, on the line of a finding or on a line of its own above it. */
interface Ignore {
  readonly name: string;
  readonly reason: string;
  readonly span: Span;
  readonly nameSpan: Span;
  /** The line that it speaks of, from 1. */
  readonly line: number;
}

const COMMENT = /(^|[ \t])#[ \t]*ctc-ignore\b[ \t]*([^\s:]*)[ \t]*(?::[ \t]*(.*))?$/;

/**
 * Takes away the warnings that the policy says to ignore, with a reason, and reports ignores that do not work: of a check
 * that is not there, of an error, without a reason, or without a finding to ignore.
 */
export function heedIgnores(source: Source, findings: readonly Finding[]): readonly Finding[] {
  const ignores = findIgnores(source);
  if (ignores.length === 0) return findings;
  const used = new Set<Ignore>();
  const bad = ignores.flatMap((ignore) => faultOf(ignore) ?? []);
  const faulty = new Set(bad.map(({ span }) => span.start));
  const left = findings.filter((finding) => {
    if (finding.level === "error" || finding.span.source !== source) return true;
    const first = positionOf(source, finding.span.start).line;
    const ignore = ignores.find(({ name, line }) => name === finding.check && line === first);
    if (!ignore) return true;
    used.add(ignore);
    return faulty.has(ignore.nameSpan.start) || faulty.has(ignore.span.start);
  });
  const isWhole = !findings.some(({ level }) => level === "error");
  const idle = isWhole
    ? ignores.filter(
        (ignore) => !used.has(ignore) && !faulty.has(ignore.nameSpan.start) && !faulty.has(ignore.span.start),
      )
    : [];
  return [...left, ...bad, ...idle.map(unusedIgnore)];
}

function findIgnores(source: Source): Ignore[] {
  if (!source.text.includes("ctc-ignore")) return [];
  const lines = source.text.split(/\r\n|\n|\r/);
  const ignores: Ignore[] = [];
  let offset = 0;
  lines.forEach((text, i) => {
    const match = COMMENT.exec(text);
    if (match) {
      const start = offset + match.index + match[1]!.length;
      const at = text.indexOf(match[2]!, text.indexOf("ctc-ignore") + "ctc-ignore".length);
      const nameStart = offset + (match[2] ? at : text.length);
      ignores.push({
        name: match[2]!,
        reason: match[3]?.trim() ?? "",
        span: { source, start, end: offset + text.trimEnd().length },
        nameSpan: { source, start: nameStart, end: nameStart + match[2]!.length },
        line: spokenOf(lines, i, text.slice(0, match.index).trim() === "") + 1,
      });
    }
    offset += text.length;
    if (source.text.startsWith("\r\n", offset)) offset += 2;
    else offset += 1;
  });
  return ignores;
}

/** The line that an ignore on line `i` speaks of: its own, or the next that is neither blank nor a comment. */
function spokenOf(lines: readonly string[], i: number, standsAlone: boolean): number {
  if (!standsAlone) return i;
  const next = lines.findIndex((line, k) => k > i && line.trim() !== "" && !line.trim().startsWith("#"));
  return next < 0 ? i : next;
}

function faultOf(ignore: Ignore): Finding | null {
  const check = checks.find(({ name }) => name === ignore.name);
  const fault = (message: string, span: Span, help: string): Finding => ({
    check: "bad-ignore",
    level: "error",
    message,
    span,
    help,
  });
  if (ignore.name === "")
    return fault("this ignore names no check", ignore.span, "write `# ctc-ignore NAME: reason`");
  if (check?.level === "error")
    return fault(
      `\`${ignore.name}\` is an error, and errors cannot be ignored`,
      ignore.nameSpan,
      "mend what it reports",
    );
  if (!check)
    return fault(
      `no warning is called \`${ignore.name}\``,
      ignore.nameSpan,
      "write the name that stands in the brackets of the warning",
    );
  if (ignore.reason === "")
    return fault(
      "this ignore gives no reason",
      ignore.span,
      `say why: \`# ctc-ignore ${ignore.name}: reason\``,
    );
  return null;
}

function unusedIgnore(ignore: Ignore): Finding {
  return {
    check: "unused-ignore",
    level: "warning",
    message: `nothing here is a \`${ignore.name}\``,
    span: ignore.span,
    help: "take the comment out",
  };
}

import type { ScriptRuleset } from "../netfilter/script.ts";
import { collectFindings, type Finding, type Findings } from "../source/finding.ts";
import { type Source, type Span, textOf } from "../source/source.ts";

/** What a script says. */
export interface Reading {
  readonly ruleset: ScriptRuleset;
  /** Everything that was not understood, in the order of the script. Each also stands in the ruleset where it acts. */
  readonly unknowns: readonly Unknown[];
  /** Errors are what the tool that loads the script refuses; with one among them the ruleset means nothing. */
  readonly findings: readonly Finding[];
}

/** Something that was not understood. */
export interface Unknown {
  readonly kind: "test" | "statement" | "set" | "table" | "file";
  /** The words of the script, cut where they are long. */
  readonly text: string;
  readonly span: Span;
}

/** Where the readers put what they have to say beside the ruleset. */
export interface ReadLog {
  readonly source: Source;
  readonly findings: Findings;
  readonly unknowns: Unknown[];
}

/** A fresh log about one script. */
export function readLog(source: Source): ReadLog {
  return { source, findings: collectFindings(), unknowns: [] };
}

/** Characters of an unknown text that are kept: it is for people to recognise, not to evaluate. */
const LONGEST_UNKNOWN = 200;

/** Notes something unknown and returns its text. */
export function noteUnknown(log: ReadLog, kind: Unknown["kind"], span: Span): string {
  const words = textOf({ ...span, end: Math.min(span.end, span.start + 4 * LONGEST_UNKNOWN) })
    .replace(/\s+/g, " ")
    .trim();
  const text = words.length > LONGEST_UNKNOWN ? `${words.slice(0, LONGEST_UNKNOWN)}…` : words;
  log.unknowns.push({ kind, text, span });
  return text;
}

/** Reports what the loading tool would refuse. */
export function reportSyntax(log: ReadLog, span: Span, message: string, help?: string): void {
  log.findings.report({
    check: "script-syntax",
    level: "error",
    message,
    span,
    ...(help === undefined ? {} : { help }),
  });
}

/** Reports what a script says without effect or what cannot be relied on. */
export function reportWarning(log: ReadLog, span: Span, message: string, help?: string): void {
  log.findings.report({
    check: "script-doubt",
    level: "warning",
    message,
    span,
    ...(help === undefined ? {} : { help }),
  });
}

import type { Finding } from "../source/finding.ts";
import { type Span, textOf } from "../source/source.ts";
import { UNSAFE } from "./cells.ts";
import { fingerprintsOf } from "./fingerprint.ts";
import { regionOf } from "./place.ts";
import type { Report } from "./report.ts";

/** What a reader of the JSON may rely on; a change that breaks readers raises it. */
const FORMAT_VERSION = 1;

/**
 * Everything that is known about the findings. Lines and columns count from 1, offsets from 0, columns and offsets in
 * UTF-16 units; `end` is the place after the last character. What does not apply is `null` or an empty list: every
 * finding has the same keys.
 */
export function formatJson(report: Report): string {
  const prints = fingerprintsOf(report.findings);
  const errors = report.findings.filter((finding) => finding.level === "error").length;
  return toJson({
    version: FORMAT_VERSION,
    ctc: report.version,
    files: report.files,
    errors,
    warnings: report.findings.length - errors,
    findings: report.findings.map((finding, index) => describe(finding, prints[index]!)),
  });
}

/**
 * Indented JSON in which every character that could act on a terminal or hide is written as an escape; JSON itself
 * leaves C1 controls and bidirectional marks as they are.
 */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2).replaceAll(UNSAFE_ANYWHERE, (character) =>
    character === "\n" ? character : character.split("").map(escapeUnit).join(""),
  );
  return `${text}\n`;
}

const UNSAFE_ANYWHERE = new RegExp(UNSAFE, "gu");

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function describe(finding: Finding, fingerprint: string) {
  const { check, level, message, span, label, related = [], notes = [], help, fix } = finding;
  return {
    check,
    level,
    message,
    ...describeSpan(span),
    label: label ?? null,
    related: related.map((place) => ({ ...describeSpan(place.span), message: place.text })),
    notes,
    help: help ?? null,
    fix: fix
      ? {
          title: fix.title,
          safe: fix.safe,
          edits: fix.edits.map((edit) => ({ ...describeSpan(edit.span), replacement: edit.text })),
        }
      : null,
    fingerprint,
  };
}

function describeSpan(span: Span) {
  const { start, end } = regionOf(span);
  return {
    file: span.source.name,
    start: { ...start, offset: span.start },
    end: { ...end, offset: span.end },
    text: textOf(span),
  };
}

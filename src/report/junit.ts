import type { Finding } from "../source/finding.ts";
import { harmless } from "./cells.ts";
import { placeOf, regionOf } from "./place.ts";
import { proseOf } from "./prose.ts";
import type { Report } from "./report.ts";

/**
 * JUnit XML, which most CI services show as test results: a suite for each file, a failed case for each finding, and
 * one case that passed for a file without any.
 */
export function formatJunit({ findings, files }: Report): string {
  const byFile = new Map<string, Finding[]>(files.map((file) => [file, []]));
  for (const finding of findings) {
    const { name } = finding.span.source;
    const known = byFile.get(name);
    if (known) known.push(finding);
    else byFile.set(name, [finding]);
  }
  const cases = [...byFile.values()].reduce((sum, list) => sum + Math.max(1, list.length), 0);
  const rows = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="ctc" tests="${cases}" failures="${findings.length}" errors="0">`,
  ];
  for (const [file, list] of byFile) {
    const name = xml(file);
    rows.push(
      `  <testsuite name="${name}" tests="${Math.max(1, list.length)}" failures="${list.length}" errors="0" skipped="0">`,
      ...(list.length === 0 ? [`    <testcase name="no findings" classname="${name}" file="${name}"/>`] : []),
      ...list.flatMap((finding) => caseOf(finding, name)),
      "  </testsuite>",
    );
  }
  rows.push("</testsuites>");
  return `${rows.join("\n")}\n`;
}

function caseOf(finding: Finding, file: string): string[] {
  const { check, level, message, span } = finding;
  const { line, column } = regionOf(span).start;
  return [
    `    <testcase name="${check} at ${line}:${column}" classname="${file}" file="${file}" line="${line}">`,
    `      <failure type="${level}" message="${xml(message)}">${xml(placeOf(span))}`,
    ...proseOf(finding).split("\n").map(xml),
    "      </failure>",
    "    </testcase>",
  ];
}

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** XML 1.0 allows no control characters at all, not even escaped; `harmless` leaves none. */
function xml(text: string): string {
  return harmless(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

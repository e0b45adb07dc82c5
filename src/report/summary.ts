import type { Finding } from "../source/finding.ts";
import { harmless } from "./cells.ts";
import type { Report } from "./report.ts";

/** `2 errors, 1 warning in policy.yaml`, without a full stop. */
export function summaryOf(report: Report): string {
  const { findings, files } = report;
  const where = files.length === 1 ? harmless(files[0]!) : `${count(files.length, "file")}`;
  return findings.length === 0 ? `no findings in ${where}` : `${countsOf(findings)} in ${where}`;
}

/** `2 errors, 1 warning`. */
export function countsOf(findings: readonly Finding[]): string {
  const errors = findings.filter((finding) => finding.level === "error").length;
  const warnings = findings.length - errors;
  const parts: string[] = [];
  if (errors > 0) parts.push(count(errors, "error"));
  if (warnings > 0) parts.push(count(warnings, "warning"));
  return parts.join(", ");
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

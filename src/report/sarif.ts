import type { Finding, Fix } from "../source/finding.ts";
import { type Span, textOf } from "../source/source.ts";
import { harmless } from "./cells.ts";
import { fingerprintsOf } from "./fingerprint.ts";
import { toJson } from "./json.ts";
import { pathOf, regionOf } from "./place.ts";
import { proseOf } from "./prose.ts";
import type { Report } from "./report.ts";

/** SARIF 2.1.0, which GitHub code scanning, Azure DevOps and many editors read. */
export function formatSarif({ findings, files, version }: Report): string {
  const prints = fingerprintsOf(findings);
  const checks = [...new Set(findings.map((finding) => finding.check))].sort();
  return toJson({
    $schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "ctc", semanticVersion: version, rules: checks.map((id) => ({ id })) } },
        columnKind: "utf16CodeUnits",
        artifacts: files.map((file) => ({ location: { uri: uriOf(file) } })),
        results: findings.map((finding, index) =>
          resultOf(finding, checks.indexOf(finding.check), prints[index]!),
        ),
      },
    ],
  });
}

function resultOf(finding: Finding, ruleIndex: number, fingerprint: string) {
  const { check, level, span, related = [], fix } = finding;
  return {
    ruleId: check,
    ruleIndex,
    level,
    message: { text: proseOf(finding) },
    locations: [locationOf(span)],
    ...(related.length > 0
      ? {
          relatedLocations: related.map((place, index) => ({
            id: index,
            ...locationOf(place.span),
            message: { text: harmless(place.text) },
          })),
        }
      : {}),
    partialFingerprints: { "ctcFingerprint/v1": fingerprint },
    ...(fix ? { fixes: [fixOf(fix)] } : {}),
  };
}

function locationOf(span: Span) {
  return {
    physicalLocation: {
      artifactLocation: { uri: uriOf(span.source.name) },
      region: { ...sarifRegion(span), snippet: { text: textOf(span) } },
    },
  };
}

function fixOf(fix: Fix) {
  const byFile = new Map<string, Fix["edits"][number][]>();
  for (const edit of fix.edits) {
    const uri = uriOf(edit.span.source.name);
    byFile.set(uri, [...(byFile.get(uri) ?? []), edit]);
  }
  return {
    description: { text: harmless(fix.title) },
    artifactChanges: [...byFile].map(([uri, edits]) => ({
      artifactLocation: { uri },
      replacements: edits.map((edit) => ({
        deletedRegion: sarifRegion(edit.span),
        insertedContent: { text: edit.text },
      })),
    })),
  };
}

/** An end column in SARIF is the one after the last character, as ours is. */
function sarifRegion(span: Span) {
  const { start, end } = regionOf(span);
  return { startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column };
}

/** A path as a URI reference: relative paths stay relative, so that the reader resolves them against its checkout. */
function uriOf(name: string): string {
  const path = pathOf(name).toWellFormed().split("/").map(encodeURIComponent).join("/");
  return path.startsWith("/") ? `file://${path}` : path;
}

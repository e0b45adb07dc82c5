import { fingerprintsOf } from "./fingerprint.ts";
import { toJson } from "./json.ts";
import { pathOf, regionOf } from "./place.ts";
import { proseOf } from "./prose.ts";
import type { Report } from "./report.ts";

/** A Code Quality report, which GitLab shows in merge requests. */
export function formatGitlab({ findings }: Report): string {
  const prints = fingerprintsOf(findings);
  return toJson(
    findings.map((finding, index) => {
      const { start, end } = regionOf(finding.span);
      return {
        description: proseOf(finding),
        check_name: finding.check,
        fingerprint: prints[index]!,
        severity: finding.level === "error" ? "major" : "minor",
        location: { path: pathOf(finding.span.source.name), lines: { begin: start.line, end: end.line } },
      };
    }),
  );
}

import { harmless } from "./cells.ts";
import { pathOf, regionOf } from "./place.ts";
import { proseOf } from "./prose.ts";
import type { Report } from "./report.ts";

/** Workflow commands, which GitHub Actions turns into annotations beside the changed lines. */
export function formatGithub({ findings }: Report): string {
  return findings
    .map((finding) => {
      const { start, end } = regionOf(finding.span);
      const properties = {
        file: pathOf(finding.span.source.name),
        line: start.line,
        endLine: end.line,
        // GitHub ignores columns where an annotation spans lines.
        ...(start.line === end.line
          ? { col: start.column, endColumn: Math.max(start.column, end.column - 1) }
          : {}),
        title: `ctc: ${finding.check}`,
      };
      const list = Object.entries(properties).map(
        ([key, value]) => `${key}=${escapeProperty(String(value))}`,
      );
      return `::${finding.level} ${list.join(",")}::${escapeData(proseOf(finding))}\n`;
    })
    .join("");
}

/** As `@actions/core` does it. */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(harmless(text)).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

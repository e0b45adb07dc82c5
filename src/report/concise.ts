import { harmless } from "./cells.ts";
import { placeOf } from "./place.ts";
import type { Report } from "./report.ts";

/** `policy.yaml:12:20: error[unknown-name] …`: a line a finding, for editors and `grep`. */
export function formatConcise({ findings }: Report): string {
  return findings
    .map(
      ({ span, level, check, message }) =>
        `${harmless(placeOf(span))}: ${level}[${check}] ${harmless(message)}\n`,
    )
    .join("");
}

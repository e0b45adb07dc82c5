import type { Finding } from "../source/finding.ts";
import { positionOf, textOf } from "../source/source.ts";
import { pathOf } from "./place.ts";
import { lineBounds } from "./view.ts";

/**
 * For each finding an identity that survives edits elsewhere in the file, so that services which remember findings
 * recognise them: SHA-256 over the check, the file, the underlined text and, where these are equal, which of them it is.
 * 32 hexadecimal digits.
 */
export function fingerprintsOf(findings: readonly Finding[]): string[] {
  // Loaded here, because it takes milliseconds that the other formats need not wait for.
  const { createHash } = process.getBuiltinModule("node:crypto");
  const seen = new Map<string, number>();
  return findings.map((finding) => {
    const key = [finding.check, pathOf(finding.span.source.name), markedText(finding)].join("\0");
    const ordinal = seen.get(key) ?? 0;
    seen.set(key, ordinal + 1);
    return createHash("sha256").update(`${key}\0${ordinal}`).digest("hex").slice(0, 32);
  });
}

/** An empty span marks no text of its own: the line speaks for it. */
function markedText({ span }: Finding): string {
  if (span.end > span.start) return textOf(span);
  const { start, end } = lineBounds(span.source, positionOf(span.source, span.start).line);
  return span.source.text.slice(start, end).trim();
}

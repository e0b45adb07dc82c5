import type { Fix } from "../source/finding.ts";

/** The text after the edits of a fix, everything else byte for byte as it was. */
export function applyFix({ edits }: Fix, text: string): string {
  let result = "";
  let copied = 0;
  for (const { span, text: inserted } of [...edits].sort((a, b) => a.span.start - b.span.start)) {
    result += text.slice(copied, span.start) + inserted;
    copied = span.end;
  }
  return result + text.slice(copied);
}

import type { Fix } from "../source/finding.ts";

type Edit = Fix["edits"][number];

/** The text after the edits of a fix, everything else as it was. */
export function applyFix(fix: Fix, text: string): string {
  return applyFixes([fix], text).text;
}

/** The text after several fixes. One that touches what an earlier one has changed is left out, for another round. */
export function applyFixes(
  fixes: readonly Fix[],
  text: string,
): { readonly text: string; readonly applied: readonly Fix[] } {
  const taken: Edit[] = [];
  const applied = fixes.filter(({ edits }) => {
    if (edits.some((edit) => taken.some((other) => touch(edit, other)))) return false;
    taken.push(...edits);
    return true;
  });
  let result = "";
  let copied = 0;
  for (const { span, text: inserted } of taken.sort((a, b) => a.span.start - b.span.start)) {
    result += text.slice(copied, span.start) + inserted;
    copied = span.end;
  }
  return { text: result + text.slice(copied), applied };
}

function touch(a: Edit, b: Edit): boolean {
  return a.span.start <= b.span.end && b.span.start <= a.span.end;
}

import { structuredPatch } from "diff";

/** How two texts differ, line by line. */
export interface TextDiff {
  /** Rows of a unified diff without its header: each begins with `@@`, `-`, `+`, a blank or a backslash. */
  readonly rows: readonly string[];
  /** Lines that differ; one that was changed counts once. */
  readonly lines: number;
  /** The first line of the old text that is not in the new one as it is, or before which something is missing. From 1. */
  readonly firstLine: number;
}

/** Lines of a diff around each change. */
const CONTEXT = 3;

/**
 * Lines that may go and come before nobody compares any further: the time it takes grows with their number squared, and
 * every line of a script changes when the rules of a long policy move down by one.
 */
const MOST_EDITS = 2000;

/** What must change in a text; null where nearly everything must. */
export function textDiff(before: string, after: string): TextDiff | null {
  const patch = structuredPatch("", "", before, after, "", "", {
    context: CONTEXT,
    maxEditLength: MOST_EDITS,
  });
  if (!patch) return null;
  const rows: string[] = [];
  let lines = 0;
  let firstLine = 0;
  for (const hunk of patch.hunks) {
    const { oldStart, oldLines, newStart, newLines } = hunk;
    rows.push(`@@ -${rangeOf(oldStart, oldLines)} +${rangeOf(newStart, newLines)} @@`, ...hunk.lines);
    if (firstLine === 0) firstLine = hunk.oldStart + hunk.lines.findIndex((line) => /^[-+]/.test(line));
    for (const { removed, added } of changesOf(hunk.lines)) lines += Math.max(removed, added);
  }
  return { rows, lines, firstLine };
}

/** A range of no lines is named by the line before it. */
function rangeOf(start: number, lines: number): string {
  return `${lines === 0 ? start - 1 : start},${lines}`;
}

/** The stretches of a hunk in which lines go and come. */
function changesOf(rows: readonly string[]): readonly { removed: number; added: number }[] {
  const changes: { removed: number; added: number }[] = [];
  let open: { removed: number; added: number } | null = null;
  for (const row of rows) {
    if (row.startsWith("\\")) continue;
    if (row.startsWith(" ")) {
      open = null;
      continue;
    }
    if (!open) {
      open = { removed: 0, added: 0 };
      changes.push(open);
    }
    if (row.startsWith("-")) open.removed++;
    else open.added++;
  }
  return changes;
}

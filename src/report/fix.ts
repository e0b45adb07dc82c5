import type { Fix } from "../source/finding.ts";
import { positionOf, type Source } from "../source/source.ts";
import type { Layout } from "./frame.ts";
import { lineBounds, viewText } from "./view.ts";

type Edit = Fix["edits"][number];

/** A few neighbouring lines before and after an edit. */
interface Hunk {
  /** Number of the first line before the edit. */
  readonly line: number;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/** Edits as a small diff, a hunk for each stretch of lines that they touch. */
export function fixRows(fix: Fix, layout: Layout): string[] {
  const bar = `${" ".repeat(layout.gutter)} ${layout.paint("frame", "|")}`;
  const rows: string[] = [];
  for (const edits of groupEdits(fix.edits)) {
    const hunk = hunkOf(edits);
    if (hunk) rows.push(bar, ...hunkRows(hunk, layout));
  }
  return rows;
}

/** The largest line number that `fixRows` shows. */
export function lastLineOfFix(fix: Fix): number {
  return Math.max(
    1,
    ...fix.edits.map(({ span, text }) => lineAt(span.source, span.end) + text.split("\n").length - 1),
  );
}

function lineAt(source: Source, offset: number): number {
  return positionOf(source, offset).line;
}

/** Edits in order, those that touch the same or neighbouring lines together. */
function groupEdits(edits: readonly Edit[]): Edit[][] {
  const groups: Edit[][] = [];
  for (const edit of [...edits].sort((a, b) => a.span.start - b.span.start)) {
    const group = groups.find((candidate) => {
      const last = candidate.at(-1)!.span;
      return (
        last.source === edit.span.source &&
        lineAt(last.source, edit.span.start) <= lineAt(last.source, last.end) + 1
      );
    });
    if (group) group.push(edit);
    else groups.push([edit]);
  }
  return groups;
}

function hunkOf(edits: readonly Edit[]): Hunk | null {
  const { source } = edits[0]!.span;
  const first = lineAt(source, edits[0]!.span.start);
  const last = lineAt(source, Math.max(...edits.map((edit) => edit.span.end)));
  const { start } = lineBounds(source, first);
  const { end } = lineBounds(source, last);
  let changed = "";
  let copied = start;
  for (const { span, text } of edits) {
    changed += source.text.slice(copied, span.start) + text;
    copied = span.end;
  }
  changed += source.text.slice(copied, end);

  const before = source.text.slice(start, end).split(/\r\n|\n|\r/);
  const after = changed.split(/\r\n|\n|\r/);
  let line = first;
  while (before.length > 0 && before[0] === after[0]) {
    before.shift();
    after.shift();
    line++;
  }
  while (before.length > 0 && before.at(-1) === after.at(-1)) {
    before.pop();
    after.pop();
  }
  return before.length + after.length > 0 ? { line, before, after } : null;
}

function hunkRows({ line, before, after }: Hunk, layout: Layout): string[] {
  const { paint, gutter, width } = layout;
  const row = (text: string, other: string | undefined, number: number, sign: "-" | "+"): string => {
    // Where a line must be cut, its difference to the other side is what has to be seen.
    const at = commonPrefix(text, other ?? "");
    const { text: shown } = viewText(text, { start: at, end: at + 1 }, width - gutter - 3);
    const role = sign === "-" ? "removed" : "added";
    return `${paint("frame", String(number).padStart(gutter))} ${paint(role, `${sign} ${shown}`.trimEnd())}`;
  };
  return [
    ...before.map((text, index) => row(text, after[index], line + index, "-")),
    ...after.map((text, index) => row(text, before[index], line + index, "+")),
  ];
}

function commonPrefix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

import { positionOf, type Source, type Span } from "../source/source.ts";
import { harmless } from "./cells.ts";
import type { Paint, Role } from "./paint.ts";
import { type LineView, lineBounds, linesOf, viewText } from "./view.ts";

/** A stretch of a source to underline in a code frame. */
export interface Mark {
  readonly span: Span;
  readonly text: string;
  /** Underlined with `^^^` in the colour of the level; the others with `---`. */
  readonly primary: boolean;
}

/** How frames are laid out. */
export interface Layout {
  readonly paint: Paint;
  /** The role, and so the colour, of primary marks. */
  readonly level: "error" | "warning";
  /** Columns of the screen. */
  readonly width: number;
  /** Columns of the widest line number. */
  readonly gutter: number;
}

/** A multi-line mark of more lines than this is shown by its first and last ones. */
const MOST_LINES = 6;

interface Placed extends Mark {
  readonly first: number;
  readonly last: number;
  /** Unit in the first line. */
  readonly start: number;
  /** Unit in the last line. */
  readonly end: number;
}

/** Something that stands at a column of a row. */
interface Piece {
  readonly column: number;
  readonly text: string;
  readonly role: Role;
}

/** The largest line number that a frame around these marks will show. */
export function lastLineOf(marks: readonly Mark[]): number {
  return Math.max(...marks.map((mark) => linesOf(mark.span).last));
}

/**
 * The code frame of one source: its place, the marked lines, the underlines and what they say. `arrow` is `-->` for the
 * place of a finding and `:::` for further ones.
 */
export function frameOf(
  source: Source,
  marks: readonly Mark[],
  arrow: "-->" | ":::",
  layout: Layout,
): string[] {
  const { paint, gutter } = layout;
  const blank = " ".repeat(gutter);
  const place = marks.find((mark) => mark.primary) ?? marks[0]!;
  const { line, column } = positionOf(source, place.span.start);
  const name = harmless(source.name);
  if (source.text === "") return [`${blank}${paint("frame", arrow)} ${name}`];

  const placed = marks.map((mark): Placed => ({ ...mark, ...linesOf(mark.span) }));
  const single = placed.filter((mark) => mark.first === mark.last);
  const long = placed.filter((mark) => mark.first !== mark.last).sort((a, b) => a.first - b.first);
  const rows = [
    `${blank}${paint("frame", arrow)} ${name}:${line}:${column}`,
    `${blank} ${paint("frame", "|")}`,
  ];

  let previous = 0;
  for (const number of linesToShow(placed)) {
    if (previous > 0 && number > previous + 1) {
      const bars = long.map((mark) => (mark.first < number && previous < mark.last ? "|" : " "));
      rows.push(gutterRow("...".padEnd(gutter + 3), bars, "", layout));
    }
    rows.push(...rowsOfLine(source, number, single, long, layout));
    previous = number;
  }
  return rows;
}

function linesToShow(marks: readonly Placed[]): number[] {
  const lines = new Set<number>();
  for (const { first, last } of marks) {
    const head = last - first < MOST_LINES ? last : first + 2;
    for (let line = first; line <= head; line++) lines.add(line);
    for (let line = Math.max(head + 1, last - 1); line <= last; line++) lines.add(line);
  }
  // A gap of one line is shown: "..." would take as much room.
  for (const line of [...lines]) if (lines.has(line + 2)) lines.add(line + 1);
  return [...lines].sort((a, b) => a - b);
}

/** A line of source, and below it all that is to be said about it. */
function rowsOfLine(
  source: Source,
  line: number,
  single: readonly Placed[],
  long: readonly Placed[],
  layout: Layout,
): string[] {
  const { gutter, level, width } = layout;
  const bounds = lineBounds(source, line);
  const text = source.text.slice(bounds.start, bounds.end);
  const here = single.filter((mark) => mark.first === line);
  const view = viewText(text, focusOf(line, here, long), width - gutter - 3 - 2 * long.length);
  const indent = text.length - text.trimStart().length;
  const startsLine = (mark: Placed): boolean => mark.start <= indent;

  const margin = `${String(line).padStart(gutter)} | `;
  const bars = long.map((mark) => {
    if (mark.first === line) return startsLine(mark) ? "/" : " ";
    return mark.first < line && line <= mark.last ? "|" : " ";
  });
  const rows = [gutterRow(margin, bars, view.text, layout)];
  const empty = `${" ".repeat(gutter)} | `;
  const below = bars.map((bar) => (bar === "/" ? "|" : bar));
  for (const pieces of underlines(here, view, level)) rows.push(gutterRow(empty, below, pieces, layout));

  for (const [index, mark] of long.entries()) {
    const role = mark.primary ? level : "related";
    const glyph = mark.primary ? "^" : "-";
    // A bar's column stands to the left of the text, so its line runs through negative columns.
    const bar = 2 * (index - long.length);
    if (mark.first === line && !startsLine(mark)) {
      const { from } = view.columns(mark.start, mark.start + 1);
      rows.push(
        gutterRow(
          empty,
          below,
          [{ column: bar + 1, text: `${"_".repeat(from - bar - 1)}${glyph}`, role }],
          layout,
        ),
      );
      below[index] = "|";
    }
    if (mark.last === line) {
      const { to } = view.columns(Math.max(0, mark.end - 1), mark.end);
      const words = mark.text === "" ? "" : ` ${harmless(mark.text)}`;
      rows.push(
        gutterRow(
          empty,
          below,
          [{ column: bar + 1, text: `${"_".repeat(to - bar - 2)}${glyph}${words}`, role }],
          layout,
        ),
      );
      below[index] = " ";
    }
  }
  return rows;
}

/** The part of a line that must be seen. */
function focusOf(
  line: number,
  here: readonly Placed[],
  long: readonly Placed[],
): { start: number; end: number } {
  const mark = here.find((candidate) => candidate.primary) ?? here[0];
  if (mark) return mark;
  const starting = long.find((candidate) => candidate.first === line);
  if (starting) return { start: starting.start, end: starting.start + 1 };
  const ending = long.find((candidate) => candidate.last === line);
  return ending ? { start: Math.max(0, ending.end - 1), end: ending.end } : { start: 0, end: 0 };
}

/** The rows below a line: the underlines, the rightmost text beside them, the others hanging on `|` further down. */
function underlines(marks: readonly Placed[], view: LineView, level: "error" | "warning"): Piece[][] {
  if (marks.length === 0) return [];
  const shown = marks
    .map((mark) => ({
      ...view.columns(mark.start, mark.end),
      text: harmless(mark.text),
      role: (mark.primary ? level : "related") as Role,
      primary: mark.primary,
    }))
    .sort((a, b) => b.from - a.from || Number(b.primary) - Number(a.primary));

  // The primary mark is drawn last, over the others.
  const first: Piece[] = [...shown]
    .sort((a, b) => Number(a.primary) - Number(b.primary))
    .map(({ from, to, role, primary }) => ({
      column: from,
      text: (primary ? "^" : "-").repeat(to - from),
      role,
    }));
  const rows = [first];
  const hanging = shown.filter((mark) => mark.text !== "");
  const end = Math.max(...shown.map((mark) => mark.to));
  const beside = hanging[0];
  if (beside && (beside.to === end || hanging.length === 1)) {
    first.push({ column: end + 1, text: beside.text, role: beside.role });
    hanging.shift();
  }
  const pipes = (of: typeof hanging): Piece[] =>
    of.map(({ from, role }) => ({ column: from, text: "|", role }));
  if (hanging.length > 0) rows.push(pipes(hanging));
  for (const [index, mark] of hanging.entries()) {
    const later = hanging.slice(index + 1).filter((other) => other.from !== mark.from);
    rows.push([...pipes(later), { column: mark.from, text: mark.text, role: mark.role }]);
  }
  return rows;
}

/** One row: the margin, the bars of the multi-line marks, and either text as it is or pieces at their columns. */
function gutterRow(
  margin: string,
  bars: readonly string[],
  content: string | readonly Piece[],
  layout: Layout,
): string {
  const { paint } = layout;
  const left = paint("frame", margin.trimEnd()) + margin.slice(margin.trimEnd().length);
  if (typeof content === "string") {
    return (
      left +
      bars.map((bar) => `${bar === " " ? " " : paint(layout.level, bar)} `).join("") +
      content
    ).trimEnd();
  }
  // Later pieces lie over earlier ones.
  const columns: { text: string; role: Role }[] = [];
  const offset = 2 * bars.length;
  for (const [index, bar] of bars.entries())
    if (bar !== " ") columns[2 * index] = { text: bar, role: layout.level };
  for (const piece of content) {
    let column = piece.column + offset;
    for (const text of piece.text) columns[column++] = { text, role: piece.role };
  }
  let row = left;
  for (let index = 0; index < columns.length; ) {
    const role = columns[index]?.role;
    let run = "";
    for (; index < columns.length && columns[index]?.role === role; index++)
      run += columns[index]?.text ?? " ";
    row += role ? paint(role, run) : run;
  }
  return row.trimEnd();
}

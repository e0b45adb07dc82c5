import { lineStarts, positionOf, type Source, type Span } from "../source/source.ts";
import { type Cell, cellsOf } from "./cells.ts";

/** A line of a source as it stands on the screen. */
export interface LineView {
  /** What is printed: tabs expanded, nothing harmful, cut with `…` where it is too wide. */
  readonly text: string;
  /** The columns, from 0, that the units `[start, end)` of the line take. At least one, also for an empty stretch. */
  columns(start: number, end: number): { readonly from: number; readonly to: number };
}

/** A stretch of a line in UTF-16 units, from 0. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

const ELLIPSIS = "…";

/** Where line `line` (from 1) starts and where its text ends, before its line ending. */
export function lineBounds(source: Source, line: number): Stretch {
  const starts = lineStarts(source);
  const start = starts[line - 1]!;
  let end = starts[line] ?? source.text.length;
  if (line < starts.length) {
    if (source.text[end - 1] === "\n") end--;
    if (end > start && source.text[end - 1] === "\r") end--;
  }
  return { start, end };
}

/** The lines that a span touches and its stretch in the first and the last of them, without white space at its end. */
export function linesOf(span: Span): { first: number; last: number; start: number; end: number } {
  const { source, start } = span;
  const from = positionOf(source, start);
  let end = span.end;
  if (positionOf(source, end).line > from.line) {
    while (end > start && /\s/.test(source.text[end - 1]!)) end--;
  }
  const to = positionOf(source, end);
  return { first: from.line, last: to.line, start: from.column - 1, end: to.column - 1 };
}

/**
 * Shows at most `width` columns of a text without line endings, chosen so that `focus` is among them. Looks only at
 * the neighbourhood of the focus: a file may be one line of ten megabytes. (A surrogate pair that is cut there is shown
 * by its number, if at all.)
 */
export function viewText(text: string, focus: Stretch, width: number): LineView {
  let start = 0;
  let end = text.length;
  if (text.length > 4 * width) {
    start = Math.max(0, focus.start - 2 * width);
    end = Math.min(text.length, Math.max(focus.start, start) + 4 * width);
  }
  const cells = cellsOf(text.slice(start, end));
  const columnAt = columnsOf(cells, start);
  const total = columnAt(end).from;
  const from = columnAt(focus.start).from;
  const to = Math.max(from + 1, focus.end > focus.start ? columnAt(focus.end - 1).to : 0);

  if (start === 0 && end === text.length && total <= width) return view(cells, 0, total, false, false);
  // A third of the screen before the focus, less where the focus needs the room.
  const wanted = Math.max(from - Math.floor(width / 3), Math.min(to + 2 - width, from - 1));
  const left = Math.max(0, Math.min(wanted, total - width));
  const right = Math.min(total, left + width);
  return view(cells, left, right, left > 0 || start > 0, right < total || end < text.length);

  function view(shown: readonly Cell[], first: number, last: number, cutLeft: boolean, cutRight: boolean) {
    // An ellipsis takes the place of the outermost column.
    const low = first + (cutLeft ? 1 : 0);
    const high = last - (cutRight ? 1 : 0);
    let column = 0;
    let printed = cutLeft ? ELLIPSIS : "";
    for (const cell of shown) {
      if (column >= low && column + cell.width <= high) printed += cell.text;
      else if (column < high && column + cell.width > low) {
        // Half of a wide character would show: blanks keep what follows in its column.
        printed += " ".repeat(Math.min(high, column + cell.width) - Math.max(low, column));
      }
      column += cell.width;
    }
    if (cutRight) printed += ELLIPSIS;
    const clip = (value: number): number =>
      Math.min(Math.max(value, first), Math.max(last - 1, first)) - first;
    return {
      text: printed,
      columns(a: number, b: number) {
        const begin = columnAt(a).from;
        const finish = b > a ? columnAt(b - 1).to : begin + 1;
        if (!cutLeft && !cutRight) return { from: begin, to: Math.max(finish, begin + 1) };
        return { from: clip(begin), to: Math.max(clip(begin), clip(finish - 1)) + 1 };
      },
    };
  }
}

/** For a unit of the line, the columns of the cell that it belongs to. Units before and after count as the ends. */
function columnsOf(cells: readonly Cell[], start: number): (unit: number) => { from: number; to: number } {
  const table: { from: number; to: number }[] = [];
  let column = 0;
  for (const cell of cells) {
    const place = { from: column, to: column + cell.width };
    for (let i = 0; i < cell.length; i++) table.push(place);
    column = place.to;
  }
  const after = { from: column, to: column };
  return (unit) => table[Math.max(0, unit - start)] ?? after;
}

/** A text that findings point into: a policy file or an address file. */
export interface Source {
  /** The path as the user wrote it; `<stdin>` for standard input. */
  readonly name: string;
  /** The decoded text. Offsets count its UTF-16 units. */
  readonly text: string;
}

/** A half-open stretch `[start, end)` of a source, in UTF-16 units. An empty span marks a place between two characters. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** A place for people: both numbers count from 1; a column counts UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

const lineTables = new WeakMap<Source, readonly number[]>();

/**
 * Offsets at which the lines of a source start. `\n`, `\r\n` and a lone `\r` each end a line; a byte-order mark stands
 * before the first one, as in every editor.
 */
export function lineStarts(source: Source): readonly number[] {
  const known = lineTables.get(source);
  if (known) return known;
  const starts = [source.text.startsWith("\ufeff") ? 1 : 0];
  for (const ending of source.text.matchAll(/\r\n|\n|\r/g)) starts.push(ending.index + ending[0].length);
  lineTables.set(source, starts);
  return starts;
}

/** The line and column of an offset. */
export function positionOf(source: Source, offset: number): Position {
  const starts = lineStarts(source);
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: Math.max(1, offset - starts[low]! + 1) };
}

/** The name of a source without its folders: the same on every machine, whichever slashes it has. */
export function baseName({ name }: Source): string {
  return name.split(/[\\/]/).at(-1) || name;
}

/** The text that a span covers. */
export function textOf(span: Span): string {
  return span.source.text.slice(span.start, span.end);
}

/** A stretch of a source, cut to what exists of it. */
export function spanWithin(source: Source, start: number, end: number): Span {
  const length = source.text.length;
  const first = Math.max(0, Math.min(start, length));
  return { source, start: first, end: Math.max(first, Math.min(end, length)) };
}

import type { Scalar } from "yaml";

/** For each UTF-16 unit of a text, and for its end, the offset in the file where it stands. */
export type OffsetMap = (unit: number) => number;

/** A scalar as the YAML parser hands it out: its value, its style, and where it stands. */
export type PlacedScalar = Pick<Scalar<string>, "value" | "type" | "range">;

/**
 * Where the characters of a YAML scalar's value stand in the file, in every scalar style. A value that stands in the
 * file as it is, which is nearly all of them, costs one addition a question; for the others a table is made when the
 * first question comes.
 */
export function scalarMap(file: string, scalar: PlacedScalar): OffsetMap {
  const start = scalar.range![0] + (isQuoted(scalar) ? 1 : 0);
  if (!isBlock(scalar) && file.startsWith(scalar.value, start)) return (unit) => start + unit;
  let table: Int32Array | null = null;
  return (unit) => {
    table ??= tabulate(file, scalar);
    return table[Math.min(unit, table.length - 1)]!;
  };
}

/** One line of a literal block scalar. */
export interface BlockLine {
  readonly text: string;
  /** Where the text stands in the file, as it is. */
  readonly start: number;
}

/**
 * The lines of a literal block scalar (`|`); null for scalars of other styles. A literal block takes its lines over one
 * by one and cuts the same indentation off each, so where a line stands is found by counting lines.
 */
export function literalLines(file: string, scalar: PlacedScalar): readonly BlockLine[] | null {
  if (scalar.type !== "BLOCK_LITERAL") return null;
  const lines: BlockLine[] = [];
  let lineStart = nextLine(file, scalar.range![0]);
  for (const text of scalar.value.split("\n")) {
    lines.push({ text, start: endOfLine(file, lineStart) - text.length });
    lineStart = nextLine(file, lineStart);
  }
  return lines;
}

function nextLine(file: string, offset: number): number {
  const feed = file.indexOf("\n", offset);
  return feed < 0 ? file.length : feed + 1;
}

/** The offset of the line ending of the line that starts at `lineStart`. */
function endOfLine(file: string, lineStart: number): number {
  const feed = file.indexOf("\n", lineStart);
  if (feed < 0) return file.length;
  return file[feed - 1] === "\r" && feed > lineStart ? feed - 1 : feed;
}

function isQuoted(scalar: PlacedScalar): boolean {
  return scalar.type === "QUOTE_SINGLE" || scalar.type === "QUOTE_DOUBLE";
}

function isBlock(scalar: PlacedScalar): boolean {
  return scalar.type === "BLOCK_LITERAL" || scalar.type === "BLOCK_FOLDED";
}

const BLANKS = new Set([" ", "\t", "\n", "\r"]);

/** A unit of the value that is no blank, and the stretch of the file that writes it. */
interface Inked {
  readonly start: number;
  readonly end: number;
}

/**
 * Folding, indentation and chomping only ever add or drop blanks. So the units of the value that are no blanks are, in
 * their order, those of the file; a blank of the value stands right behind the unit before it.
 */
function tabulate(file: string, scalar: PlacedScalar): Int32Array {
  const { value } = scalar;
  const inked = inkedUnits(file, scalar);
  const table = new Int32Array(value.length + 1);
  let end = scalar.range![0] + (isQuoted(scalar) ? 1 : 0);
  for (let unit = 0; unit < value.length; unit++) {
    if (BLANKS.has(value[unit]!)) {
      table[unit] = end;
      continue;
    }
    const ink = inked.next();
    // A file that does not hold the value: no place is right, the scalar's own is the least wrong.
    if (ink.done) return table.fill(scalar.range![0]);
    table[unit] = ink.value.start;
    end = ink.value.end;
  }
  table[value.length] = end;
  return table;
}

/** Every unit of the value that is no blank, in the order in which the file writes them. */
function* inkedUnits(file: string, scalar: PlacedScalar): Generator<Inked, void> {
  let [at, end] = scalar.range!;
  if (isBlock(scalar)) at = nextLine(file, at);
  if (isQuoted(scalar)) {
    at++;
    end--;
  }
  while (at < end) {
    const { length, units } = writtenUnit(file, at, scalar);
    for (let unit = 0; unit < units; unit++) yield { start: at, end: at + length };
    at += length;
  }
}

/** How many characters of the file stand at `at` for how many units of the value that are no blanks. */
function writtenUnit(file: string, at: number, scalar: PlacedScalar): { length: number; units: number } {
  const character = file[at]!;
  if (scalar.type === "QUOTE_SINGLE" && character === "'") return { length: 2, units: 1 };
  if (scalar.type !== "QUOTE_DOUBLE" || character !== "\\")
    return { length: 1, units: BLANKS.has(character) ? 0 : 1 };
  const letter = file[at + 1]!;
  const length = letter === "x" ? 4 : letter === "u" ? 6 : letter === "U" ? 10 : 2;
  if (length === 2) return { length, units: " tnr\t\n\r".includes(letter) ? 0 : 1 };
  const codePoint = Number.parseInt(file.slice(at + 2, at + length), 16);
  if (codePoint > 0xffff) return { length, units: 2 };
  return { length, units: BLANKS.has(String.fromCharCode(codePoint)) ? 0 : 1 };
}

/**
 * How text from a policy is shown: which characters are replaced because they would act on the terminal or hide
 * themselves, and how many columns each character takes.
 */

/** What a reader sees as one character. */
export interface Cell {
  /** What is printed. */
  readonly text: string;
  /** Terminal columns it takes: 0 (a lone combining mark), 1, 2, or more where a name in angle brackets stands for it. */
  readonly width: number;
  /** UTF-16 units of the original that it stands for. */
  readonly length: number;
}

const TAB_STOP = 4;

/** No script or emoji needs as many units for one character; stacked accents without end do. */
const LONGEST_CHARACTER = 32;

/** Made when first needed: it takes a while, and most policies are ASCII. */
let segmenter: Intl.Segmenter | undefined;

function graphemesOf(text: string): Iterable<{ readonly segment: string }> {
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return segmenter.segment(text);
}

/**
 * Controls (C0, DEL, C1: escape sequences start with them), invisible and bidirectional formatting (reviewers would
 * read something else than the compiler: "Trojan Source", CVE-2021-42574), line separators, lone surrogates, and what
 * Unicode has not assigned.
 */
export const UNSAFE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
const VARIATION_SELECTOR = /[\ufe0e\ufe0f]/u;

/** Wide and full-width blocks of Unicode's EastAsianWidth.txt; emoji are told by their own property. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f2ff],
  [0x20000, 0x3fffd],
];

/**
 * The cells of one line. Tabs become blanks up to the next stop; `column` is the number of columns before the text.
 * No cell holds anything that acts on a terminal.
 */
export function cellsOf(text: string, column = 0): Cell[] {
  const cells: Cell[] = [];
  let at = column;
  const push = (shown: string, width: number, length: number): void => {
    cells.push({ text: shown, width, length });
    at += width;
  };
  for (const { segment } of isPlain(text) ? plainSegments(text) : graphemesOf(text)) {
    if (segment === "\t") {
      const width = TAB_STOP - (at % TAB_STOP);
      push(" ".repeat(width), width, 1);
    } else if (segment.length > LONGEST_CHARACTER || !isSafe(segment)) {
      for (const character of segment) {
        const shown =
          UNSAFE.test(character) || segment.length > LONGEST_CHARACTER ? nameOf(character) : character;
        push(shown, shown === character ? widthOf(character) : shown.length, character.length);
      }
    } else push(segment, widthOf(segment), segment.length);
  }
  return cells;
}

/** The same words on one line with nothing in them that acts on a terminal or hides. */
export function harmless(text: string): string {
  if (isPlain(text)) return text;
  return cellsOf(text)
    .map((cell) => cell.text)
    .join("");
}

/** Only printable ASCII: nearly every line, and no need to segment it. */
function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

function* plainSegments(text: string): Generator<{ readonly segment: string }> {
  for (const segment of text) yield { segment };
}

/** Joiners and variation selectors are part of an emoji, and nowhere else welcome. */
function isSafe(segment: string): boolean {
  if (!UNSAFE.test(segment)) return true;
  if (!/\p{Extended_Pictographic}/u.test(segment)) return false;
  for (const character of segment) {
    if (UNSAFE.test(character) && character !== "\u200d" && !VARIATION_SELECTOR.test(character)) return false;
  }
  return true;
}

function nameOf(character: string): string {
  const code = character.codePointAt(0)!;
  // Unicode has a picture for each C0 control: one column, and known to readers of hex dumps.
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}

function widthOf(segment: string): number {
  const code = segment.codePointAt(0)!;
  if (code < 0x300) return segment.includes("\ufe0f") ? 2 : 1;
  if (/^\p{M}/u.test(segment)) return 0;
  if (/^\p{Emoji_Presentation}/u.test(segment) || segment.includes("\ufe0f")) return 2;
  for (const [first, last] of WIDE) if (code >= first && code <= last) return 2;
  return 1;
}

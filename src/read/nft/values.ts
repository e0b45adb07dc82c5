import { accept, atEnd, type Cursor, isAt, kindAt, peek, skipNewlines } from "./tokens.ts";

/** What a test compares with, before it is known as what: only the other side of the test tells. */
export type Value =
  | { readonly kind: "atom"; readonly text: string }
  | { readonly kind: "range"; readonly first: string; readonly last: string }
  /** `a,b`, `a | b`: bits put together. */
  | { readonly kind: "bits"; readonly parts: readonly Value[] }
  /** `a / b`: of the bits `b`, just `a`. */
  | { readonly kind: "masked"; readonly value: Value; readonly mask: Value }
  | { readonly kind: "concat"; readonly parts: readonly Value[] }
  | { readonly kind: "elements"; readonly elements: readonly Element[] }
  | { readonly kind: "named"; readonly name: string };

/** An element of a set, or of a map. */
export interface Element {
  readonly key: Value;
  /** What a map leads to; null in a set. */
  readonly data: Data | null;
  /** It goes away by itself, or counts as one only now and then. */
  readonly uncertain: boolean;
}

export type Data =
  | { readonly kind: "verdict"; readonly word: string; readonly chain: string | null }
  | { readonly kind: "value"; readonly value: Value };

/** Reads the right-hand side of a test; null, and the cursor anywhere, where it is none. */
export function readValue(cursor: Cursor): Value | null {
  if (isAt(cursor, "{")) return readElements(cursor);
  if (kindAt(cursor) === "set") {
    const name = peek(cursor).slice(1);
    cursor.at++;
    return { kind: "named", name };
  }
  const value = readBits(cursor, [",", "|"]);
  if (value === null || !accept(cursor, "/")) return value;
  const mask = readBits(cursor, [",", "|"]);
  return mask === null ? null : { kind: "masked", value, mask };
}

function readBits(cursor: Cursor, marks: readonly string[]): Value | null {
  const first = readConcat(cursor);
  if (first === null) return null;
  const parts = [first];
  while (marks.some((mark) => isAt(cursor, mark))) {
    cursor.at++;
    const next = readConcat(cursor);
    if (next === null) return null;
    parts.push(next);
  }
  return parts.length === 1 ? first : { kind: "bits", parts };
}

function readConcat(cursor: Cursor): Value | null {
  const first = readRange(cursor);
  if (first === null || !isAt(cursor, ".")) return first;
  const parts = [first];
  while (accept(cursor, ".")) {
    const part = readRange(cursor);
    if (part === null) return null;
    parts.push(part);
  }
  return { kind: "concat", parts };
}

export function readRange(cursor: Cursor): Value | null {
  if (accept(cursor, "(")) return readParenthesis(cursor);
  const first = readAtom(cursor);
  if (first === null) return null;
  if (!accept(cursor, "-")) return { kind: "atom", text: first };
  const last = readAtom(cursor);
  return last === null ? null : { kind: "range", first, last };
}

/** Bits in parentheses; nobody needs a second pair inside. */
function readParenthesis(cursor: Cursor): Value | null {
  const parts: Value[] = [];
  do {
    const text = readAtom(cursor);
    if (text === null) return null;
    parts.push({ kind: "atom", text });
  } while (accept(cursor, "|") || accept(cursor, ","));
  return accept(cursor, ")") ? { kind: "bits", parts } : null;
}

function readAtom(cursor: Cursor): string | null {
  const kind = kindAt(cursor);
  if (kind !== "word" && kind !== "string" && kind !== "number" && kind !== "address") {
    if (!isAt(cursor, "*")) return null;
  }
  const text = peek(cursor);
  cursor.at++;
  return text;
}

/** `{ a, b : c, d timeout 5m }`, over as many lines as it likes. A set in a set is the elements of both. */
export function readElements(cursor: Cursor): Value | null {
  const elements: Element[] = [];
  return fill(cursor, elements) ? { kind: "elements", elements } : null;
}

function fill(cursor: Cursor, elements: Element[]): boolean {
  // A script may nest its braces deeper than the stack of this program is.
  let depth = 0;
  do {
    skipNewlines(cursor);
    if (accept(cursor, "{")) depth++;
    else if (accept(cursor, "}")) depth--;
    else if (!accept(cursor, ",")) {
      const element = readElement(cursor);
      if (element === null) return false;
      elements.push(element);
      skipNewlines(cursor);
      if (!isAt(cursor, ",") && !isAt(cursor, "}")) return false;
    }
  } while (depth > 0);
  return true;
}

function readElement(cursor: Cursor): Element | null {
  // A comma parts elements here, so bits are put together by `|` alone.
  const key = readBits(cursor, ["|"]);
  if (key === null) return null;
  let uncertain = readOptions(cursor);
  skipNewlines(cursor);
  let data: Data | null = null;
  if (accept(cursor, ":")) {
    skipNewlines(cursor);
    data = readData(cursor);
    if (data === null) return null;
    if (readOptions(cursor)) uncertain = true;
  }
  return { key, data, uncertain };
}

const VERDICTS: ReadonlySet<string> = new Set(["accept", "drop", "continue", "return", "jump", "goto"]);

/** Whether a word is a verdict, and its chain if it has one. */
export function readVerdict(cursor: Cursor): (Data & { kind: "verdict" }) | null {
  if (kindAt(cursor) !== "word") return null;
  const word = peek(cursor);
  if (!VERDICTS.has(word)) return null;
  cursor.at++;
  if (word !== "jump" && word !== "goto") return { kind: "verdict", word, chain: null };
  const kind = kindAt(cursor);
  if (kind !== "word" && kind !== "string") return null;
  const chain = peek(cursor);
  cursor.at++;
  return { kind: "verdict", word, chain };
}

function readData(cursor: Cursor): Data | null {
  const verdict = readVerdict(cursor);
  if (verdict) return verdict;
  const value = readConcat(cursor);
  return value === null ? null : { kind: "value", value };
}

/** What may stand behind an element; true where it makes the element come and go. */
function readOptions(cursor: Cursor): boolean {
  let uncertain = false;
  while (!atEnd(cursor) && !isAt(cursor, ",") && !isAt(cursor, ":")) {
    if (accept(cursor, "comment")) cursor.at++;
    else if (accept(cursor, "counter")) {
      if (accept(cursor, "packets")) cursor.at++;
      if (accept(cursor, "bytes")) cursor.at++;
    } else {
      uncertain = true;
      cursor.at++;
    }
  }
  return uncertain;
}

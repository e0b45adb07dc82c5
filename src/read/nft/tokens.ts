import type { Span } from "../../source/source.ts";
import { type ReadLog, reportSyntax } from "../reading.ts";

export type TokenKind =
  | "word"
  | "string"
  | "number"
  | "address"
  | "mark"
  | "variable"
  | "set"
  | "newline"
  | "end";

/**
 * The tokens of a script side by side, because a large ruleset has millions of them: what each is, and the stretch of
 * the text that it stands in. A `mark` is punctuation, an `address` may have a prefix length behind it, and a `set` is
 * a name behind `@`. The last token is an `end`.
 */
export interface Tokens {
  readonly kinds: readonly TokenKind[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** A script cut into tokens. */
export interface Script {
  readonly tokens: Tokens;
  /** Tables that nft itself says belong to iptables, as it calls them: `ip filter`. */
  readonly managed: ReadonlySet<string>;
}

const NUMBER = /0[xX][0-9a-fA-F]+|[0-9]+/y;
const IPV4 = /[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:\/[0-9]{1,3})?/y;
// At least two colons: one alone parts a key from its value, and an address from its port.
const IPV6 = /(?:[0-9a-fA-F]{0,4}:){2,7}(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-fA-F]{0,4})(?:\/[0-9]{1,3})?/y;
const WORD = /[A-Za-z0-9_](?:[A-Za-z0-9_./-]|\\\*)*\*?/y;
const NAME = /[A-Za-z0-9_./-]*/y;
const MARK = /==|!=|<=|>=|<<|>>|[\s\S]/y;

/** Cuts a script into tokens as nft does (scanner.l of nftables 1.0), strings without escapes and all. */
export function cutTokens(log: ReadLog): Script {
  const { text } = log.source;
  const kinds: TokenKind[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const managed = new Set<string>();
  const push = (kind: TokenKind, start: number, end: number): number => {
    kinds.push(kind);
    starts.push(start);
    ends.push(end);
    return end;
  };
  const match = (pattern: RegExp, at: number): number => {
    pattern.lastIndex = at;
    return pattern.test(text) ? pattern.lastIndex : at;
  };
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === 0x20 || code === 0x09 || code === 0x0d) at++;
    else if (code === 0x0a) at = push("newline", at, at + 1);
    else if (code === 0x23) {
      const end = lineEnd(text, at);
      const name = /^#\s*Warning: table (\S+ \S+) is managed by iptables-nft/.exec(text.slice(at, end))?.[1];
      if (name !== undefined) managed.add(name);
      at = end;
    } else if (code === 0x22) at = string(log, at, push);
    else if (code === 0x5c && /^\\[ \t\r]*(?:\n|$)/.test(text.slice(at, lineEnd(text, at) + 1))) {
      at = lineEnd(text, at) + 1;
    } else if (code === 0x40) at = push("set", at, match(NAME, at + 1));
    else if (code === 0x24) at = push("variable", at, match(NAME, at + 1));
    else if (code === 0x3a || isHex(code)) {
      const [kind, end] = startingHex(text, at, match);
      at = push(kind, at, end);
    } else {
      const end = match(WORD, at);
      at = end > at ? push("word", at, end) : push("mark", at, match(MARK, at));
    }
  }
  push("newline", text.length, text.length);
  push("end", text.length, text.length);
  return { tokens: { kinds, starts, ends }, managed };
}

function lineEnd(text: string, at: number): number {
  const feed = text.indexOf("\n", at);
  return feed < 0 ? text.length : feed;
}

/** A string ends on its line. What nft prints of quotes inside a text is not to be told from the end of the text. */
function string(
  log: ReadLog,
  at: number,
  push: (kind: TokenKind, start: number, end: number) => number,
): number {
  const { text } = log.source;
  const close = text.indexOf('"', at + 1);
  const end = lineEnd(text, at);
  if (close >= 0 && close < end) return push("string", at, close + 1);
  reportSyntax(log, { source: log.source, start: at, end }, "the closing quote is missing");
  return push("string", at, end);
}

/** What starts with a hexadecimal digit or a colon: an address, a number, a word, or a colon. */
function startingHex(
  text: string,
  at: number,
  match: (pattern: RegExp, at: number) => number,
): readonly [TokenKind, number] {
  const six = colonAhead(text, at) ? match(IPV6, at) : at;
  if (six > at) return ["address", six];
  if (text.charCodeAt(at) === 0x3a) return ["mark", at + 1];
  const word = match(WORD, at);
  if (text.charCodeAt(at) > 0x39) return ["word", word];
  const four = match(IPV4, at);
  if (four > at) return ["address", four];
  const number = match(NUMBER, at);
  // `5m30s` and `10mbytes` are words; of `80-90` and `3/second` the number comes first.
  return /[A-Za-z_]/.test(text[number] ?? "") ? ["word", match(/[A-Za-z0-9_]+/y, at)] : ["number", number];
}

/** Whether a colon stands behind at most four hexadecimal digits, as in every IPv6 address. */
function colonAhead(text: string, start: number): boolean {
  let at = start;
  while (at < start + 5 && isHex(text.charCodeAt(at))) at++;
  return text.charCodeAt(at) === 0x3a;
}

function isHex(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66);
}

/** A place in a row of tokens, which the parsers move on. */
export interface Cursor {
  readonly log: ReadLog;
  readonly tokens: Tokens;
  at: number;
}

/** The text of the token at the cursor, or `ahead` tokens behind it; a string without its quotes. */
export function peek({ log, tokens, at }: Cursor, ahead = 0): string {
  const index = Math.min(at + ahead, tokens.kinds.length - 1);
  const start = tokens.starts[index]!;
  const end = tokens.ends[index]!;
  if (tokens.kinds[index] !== "string") return log.source.text.slice(start, end);
  return log.source.text.slice(
    start + 1,
    log.source.text[end - 1] === '"' && end > start + 1 ? end - 1 : end,
  );
}

export function kindAt({ tokens, at }: Cursor, ahead = 0): TokenKind {
  return tokens.kinds[at + ahead] ?? "end";
}

/** Whether a word or a piece of punctuation stands at the cursor; no string is either. */
export function isAt({ log, tokens, at }: Cursor, text: string, ahead = 0): boolean {
  const kind = tokens.kinds[at + ahead];
  if (kind !== "word" && kind !== "mark") return false;
  // No text is cut out: nearly all of these questions are answered with no.
  const start = tokens.starts[at + ahead]!;
  return tokens.ends[at + ahead]! - start === text.length && log.source.text.startsWith(text, start);
}

/** Moves behind `text` if it stands at the cursor. */
export function accept(cursor: Cursor, text: string): boolean {
  if (!isAt(cursor, text)) return false;
  cursor.at++;
  return true;
}

export function skipNewlines(cursor: Cursor): void {
  while (kindAt(cursor) === "newline") cursor.at++;
}

/** Whether a statement ends here: at the end of its line, at a `;`, or where its block ends. */
export function atEnd(cursor: Cursor): boolean {
  const kind = kindAt(cursor);
  return kind === "newline" || kind === "end" || isAt(cursor, ";") || isAt(cursor, "}");
}

/** Moves behind the bracket that closes the one at the cursor, or to the end of the script. */
export function skipBlock(cursor: Cursor): void {
  let depth = 0;
  do {
    if (isAt(cursor, "{")) depth++;
    else if (isAt(cursor, "}")) depth--;
    cursor.at++;
  } while (depth > 0 && kindAt(cursor) !== "end");
}

/** Moves to the end of the statement at the cursor, over the blocks in it. */
export function skipStatement(cursor: Cursor): void {
  while (!atEnd(cursor)) {
    if (isAt(cursor, "{")) skipBlock(cursor);
    else cursor.at++;
  }
}

/** The stretch of the script from one token to the one before the cursor. */
export function spanFrom({ log, tokens, at }: Cursor, first: number): Span {
  const start = tokens.starts[first] ?? 0;
  const last = Math.max(at - 1, first);
  // What a variable stands for was written elsewhere; then the span is the first token.
  const end = tokens.ends[last] ?? start;
  return { source: log.source, start, end: end > start ? end : (tokens.ends[first] ?? start) };
}

/** Newlines may stand before a brace. */
export function skipBlankLines(cursor: Cursor): void {
  const { at } = cursor;
  skipNewlines(cursor);
  if (!isAt(cursor, "{")) cursor.at = at;
}

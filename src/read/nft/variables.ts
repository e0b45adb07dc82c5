import { noteUnknown, type ReadLog, reportSyntax } from "../reading.ts";
import {
  accept,
  atEnd,
  type Cursor,
  isAt,
  kindAt,
  peek,
  skipBlock,
  spanFrom,
  type TokenKind,
  type Tokens,
} from "./tokens.ts";

/** Tokens that variables may bring into a script beyond those that are written: variables of variables grow fast. */
const MOST_EXPANDED = 4_000_000;

interface Expanded {
  readonly kinds: TokenKind[];
  readonly starts: number[];
  readonly ends: number[];
}

/**
 * Puts in place of every `$variable` what its `define` says, and takes the definitions out. Where a variable is defined
 * twice, the one before the use counts; that one defined in a block is unknown behind it is not checked.
 */
export function expandVariables(tokens: Tokens, log: ReadLog): Tokens {
  if (!tokens.kinds.includes("variable") && !hasDefine(tokens, log)) return tokens;
  const cursor: Cursor = { log, tokens, at: 0 };
  const variables = new Map<string, Expanded>();
  const script = empty();
  let isStart = true;
  while (kindAt(cursor) !== "end") {
    if (isStart && (isAt(cursor, "define") || isAt(cursor, "redefine") || isAt(cursor, "undefine"))) {
      define(cursor, variables);
      continue;
    }
    isStart = kindAt(cursor) === "newline" || isAt(cursor, ";") || isAt(cursor, "{") || isAt(cursor, "}");
    if (!copy(cursor, script, variables)) break;
  }
  append(script, {
    kinds: ["newline", "end"],
    starts: [log.source.text.length, log.source.text.length],
    ends: [log.source.text.length, log.source.text.length],
  });
  return script;
}

function hasDefine({ kinds, starts }: Tokens, { source }: ReadLog): boolean {
  return kinds.some((kind, at) => kind === "word" && source.text.startsWith("define", starts[at]!));
}

function empty(): Expanded {
  return { kinds: [], starts: [], ends: [] };
}

/** `define NAME = VALUE`, where a value may be a set on many lines. */
function define(cursor: Cursor, variables: Map<string, Expanded>): void {
  const first = cursor.at;
  const isUndefine = accept(cursor, "undefine");
  if (!isUndefine) cursor.at++;
  const name = peek(cursor);
  cursor.at++;
  if (isUndefine) {
    variables.delete(name);
    return;
  }
  if (!accept(cursor, "=")) {
    reportSyntax(cursor.log, spanFrom(cursor, first), "a definition is `define NAME = VALUE`");
    return;
  }
  const value = empty();
  while (!atEnd(cursor)) {
    if (!isAt(cursor, "{")) {
      if (!copy(cursor, value, variables)) return;
      continue;
    }
    const start = cursor.at;
    skipBlock(cursor);
    const end = cursor.at;
    cursor.at = start;
    while (cursor.at < end) if (!copy(cursor, value, variables)) return;
  }
  variables.set(name, value);
}

/** Copies the token at the cursor, or what it stands for; false where that grows out of all bounds. */
function copy(cursor: Cursor, to: Expanded, variables: ReadonlyMap<string, Expanded>): boolean {
  const { tokens, at, log } = cursor;
  cursor.at++;
  const found =
    tokens.kinds[at] === "variable" ? variables.get(peek({ log, tokens, at }).slice(1)) : undefined;
  if (!found) {
    // A variable from elsewhere stays, and whatever it stands in is not understood.
    if (tokens.kinds[at] === "variable") noteUnknown(log, "file", spanFrom(cursor, at));
    append(to, { kinds: [tokens.kinds[at]!], starts: [tokens.starts[at]!], ends: [tokens.ends[at]!] });
    return true;
  }
  if (to.kinds.length + found.kinds.length > tokens.kinds.length + MOST_EXPANDED) {
    reportSyntax(log, spanFrom(cursor, at), "the variables of this script stand for too much");
    return false;
  }
  append(to, found);
  return true;
}

function append(to: Expanded, { kinds, starts, ends }: Tokens): void {
  for (const [at, kind] of kinds.entries()) {
    to.kinds.push(kind);
    to.starts.push(starts[at]!);
    to.ends.push(ends[at]!);
  }
}

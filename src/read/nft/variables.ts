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

/** Tokens that variables may stand for in one script, all taken together: variables of variables grow fast. */
const MOST_EXPANDED = 1_000_000;

interface Expanded {
  readonly kinds: TokenKind[];
  readonly starts: number[];
  readonly ends: number[];
}

/** The variables defined so far, and how many tokens have been put in their places. */
interface Variables {
  readonly known: Map<string, Expanded>;
  expanded: number;
}

/**
 * Puts in place of every `$variable` what its `define` says, and takes the definitions out. Where a variable is defined
 * twice, the last one before the use counts.
 */
export function expandVariables(tokens: Tokens, log: ReadLog): Tokens {
  if (!tokens.kinds.includes("variable") && !hasDefine(tokens, log)) return tokens;
  const cursor: Cursor = { log, tokens, at: 0 };
  const variables: Variables = { known: new Map(), expanded: 0 };
  const script = empty();
  let isStart = true;
  while (kindAt(cursor) !== "end") {
    if (isStart && (isAt(cursor, "define") || isAt(cursor, "redefine") || isAt(cursor, "undefine"))) {
      if (!define(cursor, variables)) break;
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

/** `define NAME = VALUE`, where a value may be a set on many lines; false where it is too long for anybody. */
function define(cursor: Cursor, variables: Variables): boolean {
  const first = cursor.at;
  const isUndefine = accept(cursor, "undefine");
  if (!isUndefine) cursor.at++;
  const name = peek(cursor);
  cursor.at++;
  if (isUndefine) {
    variables.known.delete(name);
    return true;
  }
  if (!accept(cursor, "=")) {
    reportSyntax(cursor.log, spanFrom(cursor, first), "a definition is `define NAME = VALUE`");
    return true;
  }
  const value = empty();
  while (!atEnd(cursor)) {
    const start = cursor.at;
    if (isAt(cursor, "{")) skipBlock(cursor);
    const end = Math.max(cursor.at, start + 1);
    cursor.at = start;
    while (cursor.at < end) if (!copy(cursor, value, variables)) return false;
  }
  variables.known.set(name, value);
  return true;
}

/** Copies the token at the cursor, or what it stands for; false where that grows out of all bounds. */
function copy(cursor: Cursor, to: Expanded, variables: Variables): boolean {
  const { tokens, at, log } = cursor;
  const kind = tokens.kinds[at]!;
  const found = kind === "variable" ? variables.known.get(peek(cursor).slice(1)) : undefined;
  cursor.at++;
  if (!found) {
    // A variable from elsewhere stays, and whatever it stands in is not understood.
    if (kind === "variable") noteUnknown(log, "file", spanFrom(cursor, at));
    append(to, { kinds: [kind], starts: [tokens.starts[at]!], ends: [tokens.ends[at]!] });
    return true;
  }
  variables.expanded += found.kinds.length;
  if (variables.expanded > MOST_EXPANDED) {
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

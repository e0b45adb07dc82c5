import { Lexer } from "yaml";
import { lineStarts, positionOf, type Source, type Span } from "../source/source.ts";

/** `# ctc-ignore shadowed-rule: kept for the auditors`. */
export interface Ignore {
  readonly name: string;
  readonly reason: string;
  /** From `#` to the end of the reason. */
  readonly span: Span;
  readonly nameSpan: Span;
  /** The line that it speaks of, from 1: its own or, where nothing else stands there, the next with more than a comment. */
  readonly line: number;
}

interface Comment {
  readonly start: number;
  readonly text: string;
  /** The line, from 1. */
  readonly line: number;
}

/** The ignores of a policy file, in its order. What stands in quotes is text, and no comment. */
export function ignoresOf(source: Source): readonly Ignore[] {
  if (!source.text.includes("ctc-ignore")) return [];
  const comments = commentsOf(source);
  return comments.flatMap((comment) => ignoresIn(comment, source));
}

const IGNORE =
  /#[ \t]*ctc-ignore(?![\w-])[ \t]*([^\s:#]*)[ \t]*(?::[ \t]*((?:(?!#[ \t]*ctc-ignore(?![\w-])).)*))?/g;

/** One comment may hold several ignores, each behind a `#` of its own. */
function ignoresIn({ start, text, line }: Comment, source: Source): Ignore[] {
  const spoken = spokenOf(source, line, start);
  return [...text.matchAll(IGNORE)].map((match) => {
    const [whole, name = "", reason = ""] = match;
    const at = start + match.index;
    const nameAt = at + whole.indexOf("ctc-ignore") + "ctc-ignore".length;
    const gap = /^[ \t]*/.exec(source.text.slice(nameAt, at + whole.length))![0].length;
    const nameStart = name === "" ? at : nameAt + gap;
    return {
      name,
      reason: reason.trim(),
      span: { source, start: at, end: at + whole.trimEnd().length },
      nameSpan: { source, start: nameStart, end: nameStart + name.length },
      line: spoken,
    };
  });
}

/** Characters by which the lexer marks documents, flow ends and scalars; they stand for no text of the file. */
const MARKS = new Set(["\u0002", "\u0018", "\u001f"]);
const SCALAR = "\u001f";
/** A line of a block up to its comment: words and quoted texts, the last followed by a blank. */
const COMMENT_IN_BLOCK = /^((?:"[^"\r\n]*"|[^"#\r\n]|(?<=[^ \t\r\n])#)*)(#[^\r\n]*)/gm;

/** Every comment of the file: those of YAML, and those that follow sentences inside of blocks. */
function commentsOf(source: Source): Comment[] {
  const { text } = source;
  const comments: Comment[] = [];
  const add = (start: number, comment: string): void => {
    comments.push({ start, text: comment, line: positionOf(source, start).line });
  };
  let offset = 0;
  let header = "";
  let isScalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    if (MARKS.has(lexeme)) {
      isScalar = lexeme === SCALAR;
      continue;
    }
    if (isScalar && /^[|>]/.test(header))
      for (const match of lexeme.matchAll(COMMENT_IN_BLOCK))
        add(offset + match.index + match[1]!.length, match[2]!);
    else if (!isScalar && lexeme.startsWith("#")) add(offset, lexeme);
    if (!isScalar && lexeme.trim() !== "" && !lexeme.startsWith("#")) header = lexeme;
    if (isScalar) header = "";
    isScalar = false;
    offset += lexeme.length;
  }
  return comments;
}

/** The line that a comment speaks of: its own or, where nothing else stands on it, the next that has more than a comment. */
function spokenOf(source: Source, line: number, start: number): number {
  const starts = lineStarts(source);
  const textOfLine = (number: number): string => source.text.slice(starts[number - 1], starts[number]).trim();
  if (source.text.slice(starts[line - 1]!, start).trim() !== "") return line;
  for (let next = line + 1; next <= starts.length; next++) {
    const text = textOfLine(next);
    if (text !== "" && !text.startsWith("#")) return next;
  }
  return line;
}

import type { IToken } from "chevrotain";
import type { OffsetMap } from "../source/scalar-map.ts";
import type { Source, Span } from "../source/source.ts";
import { endOf } from "./tokens.ts";

/** A stretch of text with a meaning of its own, and where each of its characters stands in a file. */
export interface Passage {
  readonly source: Source;
  readonly text: string;
  readonly offset: OffsetMap;
  /** The text is a plain YAML scalar, which ends where ` #` begins a comment. */
  readonly isPlain: boolean;
}

/** A passage that stands in the source as it is. */
export function verbatim(source: Source, text: string, start: number): Passage {
  return { source, text, offset: (unit) => start + unit, isPlain: false };
}

/** The span of `[start, end)` of the passage's text. */
export function spanOf(passage: Passage, start: number, end: number): Span {
  const first = passage.offset(start);
  return { source: passage.source, start: first, end: Math.max(first, passage.offset(end)) };
}

/** The span of a token of the passage. */
export function spanOfToken(passage: Passage, token: IToken): Span {
  return spanOf(passage, token.startOffset, endOf(token));
}

/** The span from one token of the passage to another. */
export function spanOfTokens(passage: Passage, first: IToken, last: IToken): Span {
  return spanOf(passage, first.startOffset, endOf(last));
}

/** The span of everything in the passage but the blanks around it. */
export function spanOfAll(passage: Passage): Span {
  const start = passage.text.length - passage.text.trimStart().length;
  return spanOf(passage, start, Math.max(start, passage.text.trimEnd().length));
}

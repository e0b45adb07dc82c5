import type { IToken } from "chevrotain";
import type { Reading } from "./clauses.ts";
import { explainSyntax } from "./explain.ts";
import type { Parsed, SentenceKind } from "./sentence-parser.ts";
import { meantAs, tokenize } from "./tokens.ts";

/** Words of one sentence that are guessed before it is given up. */
const MOST_GUESSES = 8;

/**
 * Parses a sentence. A word that was probably meant to be a keyword is reported and taken for it, so that it does not hide
 * what else is wrong with the sentence. Null where nothing can be made of it, which is reported as well.
 */
export function parseWithGuesses<T>(
  reading: Reading,
  kind: SentenceKind,
  parse: (tokens: readonly IToken[]) => Parsed<T>,
): (Parsed<T> & { readonly ok: true }) | null {
  let parsed = parse(tokenize(reading.passage.text));
  // Each guess lets more of the sentence be read, so none is made twice.
  for (let guesses = 0; !parsed.ok; guesses++) {
    const slip = explainSyntax(reading, kind, parsed);
    if (!slip || guesses === MOST_GUESSES) return null;
    parsed = parse(parsed.tokens.map((token) => (token === slip.token ? meantAs(token, slip.word) : token)));
  }
  return parsed;
}

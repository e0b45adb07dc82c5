import { EOF, tokenMatcher } from "chevrotain";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectedAfter } from "../../src/language/expect.ts";
import {
  grammarOf,
  parseNat,
  parseRule,
  parseService,
  type SentenceKind,
  SentenceParser,
} from "../../src/language/sentence-parser.ts";
import { keywords, RESERVED_WORDS, tokenize } from "../../src/language/tokens.ts";

const parse = { rule: parseRule, nat: parseNat, service: parseService };

/** Words of every kind, so that whole sentences come about by chance. */
const words = fc.array(
  fc.constantFrom(
    ...Object.keys(keywords),
    "tcp",
    "icmp",
    "web",
    "80",
    "10.0.0.1",
    "10/minute",
    '"x"',
    ",",
    "->",
    '"',
  ),
  { maxLength: 12 },
);
const kinds = fc.constantFrom<SentenceKind>("rule", "nat", "service");

describe("the grammar", () => {
  test("has no ambiguities, left recursions or unreachable alternatives", () => {
    expect(() => new SentenceParser(false)).not.toThrow();
  });

  test("expects exactly what the parser accepts", () => {
    fc.assert(
      fc.property(kinds, words, (kind, sentence) => {
        const parsed = parse[kind](tokenize(sentence.join(" ")));
        const expected = expectedAfter(
          grammarOf(kind),
          parsed.tokens.slice(0, parsed.ok ? undefined : parsed.at),
        );
        const next = parsed.ok ? undefined : parsed.tokens[parsed.at];
        // Up to the place of the error, something may come; at that place, just not what stands there.
        expect(expected.length).toBeGreaterThan(0);
        expect(expected.some((type) => (next ? tokenMatcher(next, type) : type === EOF))).toBe(parsed.ok);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("words", () => {
  test.each(RESERVED_WORDS)("%s is no name", (word) => {
    expect(tokenize(word).map((token) => token.tokenType.name)).not.toContain("name");
  });

  test.each(["ports2", "from-x", "tcpdump", "in_", "To", "anyone"])("%s is a name", (word) => {
    expect(tokenize(word).map((token) => token.tokenType.name)).toEqual(["name"]);
  });

  test("every character but a blank or a comment belongs to one", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
        const tokens = tokenize(text);
        let rest = text;
        for (const token of tokens.toReversed()) {
          expect(text.startsWith(token.image, token.startOffset)).toBe(true);
          rest = rest.slice(0, token.startOffset) + rest.slice(token.startOffset + token.image.length);
        }
        expect(rest.replace(/(?<![^ \t\r\n])#[^\r\n]*/g, "")).toMatch(/^[ \t\r\n]*$/);
      }),
    );
  });
});

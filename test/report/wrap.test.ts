import fc from "fast-check";
import { expect, test } from "vitest";
import { wrapMarkdown } from "../../src/report/wrap.ts";

test("paragraphs are broken at blanks, lists below their text", () => {
  const text = [
    "A paragraph that is longer than the screen is wide.",
    "- an item that is longer than the screen is wide",
    "  name   what it says, longer than the screen",
    "short",
    "averyveryverylongwordthatnothingcanbreak and more",
  ].join("\n");
  expect(wrapMarkdown(text, 24).split("\n")).toEqual([
    "A paragraph that is",
    "longer than the screen",
    "is wide.",
    "- an item that is longer",
    "  than the screen is",
    "  wide",
    "  name   what it says,",
    "         longer than the",
    "         screen",
    "short",
    "averyveryverylongwordthatnothingcanbreak",
    "and more",
  ]);
});

test("code stays as it is", () => {
  const code = "```text\na line of code that is longer than the screen is wide\n```";
  expect(wrapMarkdown(`${code}\n\nA paragraph that is longer.`, 20)).toBe(
    `${code}\n\nA paragraph that is\nlonger.`,
  );
});

test("no word is lost, and no row is too wide that could be broken", () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 20, max: 60 }),
      (words, width) => {
        const wrapped = wrapMarkdown(words.join(" "), width);
        expect(wrapped.split(/\s+/)).toEqual(words);
        for (const row of wrapped.split("\n")) expect(row.length).toBeLessThanOrEqual(width);
      },
    ),
  );
});

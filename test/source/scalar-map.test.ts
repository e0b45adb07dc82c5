import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Document, isScalar, parseDocument, type Scalar, visit } from "yaml";
import { literalLines, scalarMap } from "../../src/source/scalar-map.ts";

/** The texts in a YAML file that are no keys. */
function scalarsOf(file: string): Scalar.Parsed[] {
  const found: Scalar.Parsed[] = [];
  const document = parseDocument(file, { version: "1.2" });
  expect(document.errors).toEqual([]);
  visit(document, {
    Scalar(key, node) {
      if (key !== "key" && isScalar(node) && typeof node.value === "string")
        found.push(node as Scalar.Parsed);
    },
  });
  return found;
}

type Text = Scalar.Parsed & { value: string };

describe("every style", () => {
  test.each([
    ["plain", "rules:\n  - allow tcp from web to db # db\n"],
    ["plain over lines", "rules:\n  - allow tcp from web\n\n      to db port 5432 # c\n"],
    ["single quotes", "rules:\n  - 'it is from web to db'\n"],
    ["single quotes with a quote", "rules:\n  - 'it''s from web\n\n      to db'\n"],
    ["double quotes", 'rules:\n  - "from web to db"\n'],
    [
      "double quotes with escapes",
      'rules:\n  - "a\\tb \\u0041 \\U0001F600 \\x41 from \\\n      web to\n      db"\n',
    ],
    ["literal", "rules:\n  - |-  # a comment about db\n    allow tcp\n      from web\n    to db\n"],
    ["literal with an indentation", "rules:\n  - |2\n      x\n    db\n"],
    ["folded", "rules:\n  - >+2\n      allow tcp\n\n    from web\n    to db\n\n"],
    ["with an anchor and a tag", "rules:\n  - &a !!str allow to db\n"],
    ["in a flow", "rules: [allow from web, 'to db']\n"],
  ])("%s", (_style, unixFile) => {
    for (const file of [unixFile, unixFile.replaceAll("\n", "\r\n")]) {
      const scalar = scalarsOf(file).at(-1)! as Text;
      const at = scalarMap(file, scalar);
      const word = scalar.value.lastIndexOf("db");
      expect(file.slice(at(word), at(word + 2))).toBe("db");
      expect(at(scalar.value.length)).toBeLessThanOrEqual(file.length);
    }
  });
});

const STYLES = ["PLAIN", "QUOTE_SINGLE", "QUOTE_DOUBLE", "BLOCK_LITERAL", "BLOCK_FOLDED"] as const;
const BLANK = /[ \t\n\r]/;

const words = fc.constantFrom(
  "allow",
  "tcp",
  "web",
  "->",
  "'",
  '"',
  "\\",
  "\n",
  "\n\n",
  "  ",
  "\t",
  "é",
  "😀",
  ":",
  "#",
  "x y",
  "\u0085",
  "\u2028",
);
const texts = fc
  .array(fc.oneof(words, fc.string({ maxLength: 6 })), { minLength: 1, maxLength: 14 })
  .map((parts) => parts.join(" "));

/** A file with one text in a list, as the YAML library writes it in a given style and width. */
const files = fc
  .record({
    text: texts,
    style: fc.constantFrom(...STYLES),
    lineWidth: fc.integer({ min: 20, max: 60 }),
    isDos: fc.boolean(),
  })
  .map(({ text, style, lineWidth, isDos }) => {
    const document = new Document({ rules: [text] });
    visit(document, {
      Scalar(key, node) {
        if (key !== "key") node.type = style;
      },
    });
    const file = document.toString({ lineWidth, minContentWidth: 0 });
    return isDos ? file.replaceAll("\n", "\r\n") : file;
  });

test("each character stands where the map says, whatever the text and the style", () => {
  let checked = 0;
  fc.assert(
    fc.property(files, (file) => {
      const scalar = scalarsOf(file)[0] as Text | undefined;
      if (!scalar) return;
      checked++;
      const at = scalarMap(file, scalar);
      for (let unit = 0; unit < scalar.value.length; unit++) {
        expect(at(unit + 1)).toBeGreaterThanOrEqual(at(unit));
        const character = scalar.value[unit]!;
        const written = file[at(unit)];
        if (BLANK.test(character) || (scalar.type === "QUOTE_DOUBLE" && written === "\\")) continue;
        expect(written).toBe(character);
      }
    }),
    { numRuns: 2500 },
  );
  expect(checked).toBeGreaterThan(2000);
});

test("each line of a literal block stands where it is said to stand", () => {
  const literal = fc.array(
    fc.oneof(
      fc.constantFrom("", "  deeper", "allow", "# c", "é😀", "\t x"),
      fc.string({ unit: "grapheme-ascii", maxLength: 9 }),
    ),
    {
      minLength: 1,
      maxLength: 9,
    },
  );
  let checked = 0;
  fc.assert(
    fc.property(
      literal,
      fc.integer({ min: 1, max: 6 }),
      fc.constantFrom("", "-", "+"),
      fc.boolean(),
      fc.boolean(),
      (lines, indent, chomping, isDos, isCut) => {
        const body = lines.map((line) => (line === "" ? "" : " ".repeat(indent) + line)).join("\n");
        const unix = `rules: |${indent}${chomping}\n${body}${isCut ? "" : "\nnat: x\n"}`;
        const file = isDos ? unix.replaceAll("\n", "\r\n") : unix;
        const document = parseDocument(file);
        const scalar = scalarsOf(file)[0] as Text | undefined;
        if (document.errors.length > 0 || scalar?.type !== "BLOCK_LITERAL") return;
        checked++;
        const found = literalLines(file, scalar)!;
        expect(found.map(({ text }) => text).join("\n")).toBe(scalar.value);
        for (const { text, start } of found) expect(file.slice(start, start + text.length)).toBe(text);
      },
    ),
    { numRuns: 1000 },
  );
  expect(checked).toBeGreaterThan(500);
});

test("other styles have no lines of their own", () => {
  expect(literalLines("x: >\n  a\n", scalarsOf("x: >\n  a\n")[0] as Text)).toBeNull();
});

test("a text that is in the file as it is needs no table", () => {
  const file = `x: ${"y".repeat(1000)}\n`;
  const scalar = scalarsOf(file)[0] as Text;
  const at = scalarMap(file, scalar);
  expect(at(999)).toBe(3 + 999);
  expect(at(1000)).toBe(3 + 1000);
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { orderFindings } from "../../src/report/order.ts";
import { coloured } from "../../src/report/paint.ts";
import { formatFinding, formatPretty } from "../../src/report/pretty.ts";
import type { Finding } from "../../src/source/finding.ts";
import type { Source } from "../../src/source/source.ts";
import { finding, usual, words } from "./samples.ts";

/** The frame of a finding: all below the first line. */
function frame(text: string, marked: string, parts: Partial<Finding> = {}, width = 80): string {
  const source: Source = { name: "p.yaml", text };
  return body(finding(words(source, marked), parts), width);
}

function body(found: Finding, width = 80): string {
  return formatFinding(found, { width }).split("\n").slice(1).join("\n").trimEnd();
}

describe("prose", () => {
  const source: Source = { name: "p.yaml", text: "allow wbe\n" };
  const found = finding(words(source, "wbe"), {
    notes: ["A note that is longer than the screen is wide.\n  and: a second line"],
    help: "advice that is longer than the screen is wide",
  });

  test("stays whole for programs", () => {
    expect(body(found, 40)).toContain("= note: A note that is longer than the screen is wide.\n");
  });

  test("is broken for people, below where it begins", () => {
    const shown = formatFinding(found, { width: 40, breaksProse: true });
    expect(shown.split("\n").slice(6, -1)).toEqual([
      "  = note: A note that is longer than the",
      "  |       screen is wide.",
      "  |         and: a second line",
      "  = help: advice that is longer than the",
      "  |       screen is wide",
    ]);
  });
});

describe("a code frame", () => {
  test("underlines the exact words", () => {
    expect(frame("version: 1\nrules:\n  - allow tcp from wbe\n", "wbe", { label: "no such name" })).toBe(
      `
 --> p.yaml:3:20
  |
3 |   - allow tcp from wbe
  |                    ^^^ no such name`.slice(1),
    );
  });

  test("expands tabs to blanks, and keeps the underline below the words", () => {
    expect(frame("\ta:\twbe", "wbe")).toBe(
      `
 --> p.yaml:1:5
  |
1 |     a:  wbe
  |         ^^^`.slice(1),
    );
  });

  test("counts wide, combining and emoji characters as the terminal does", () => {
    const [, , line, marks] = frame("名前 e\u0301 👩‍👩‍👧 ❤️ wbe", "wbe").split("\n");
    expect(line).toBe("1 | 名前 e\u0301 👩‍👩‍👧 ❤️ wbe");
    // 4 columns, 1, 2 and 2, each with a blank behind it.
    expect(marks).toBe(`  | ${" ".repeat(4 + 1 + 1 + 1 + 2 + 1 + 2 + 1)}^^^`);
  });

  test("underlines every column of a wide word", () => {
    expect(frame("x: 名前", "名前")).toContain("\n  |    ^^^^");
  });

  test("gives a mark that combines with nothing no column", () => {
    expect(frame("\u0301x wbe", "wbe")).toContain("\n1 | \u0301x wbe\n  |   ^^^");
  });

  test.each([
    ["a Kangxi radical", "⼀", 2],
    ["an ideographic full stop", "。", 2],
    ["a syllable of Hangul", "가", 2],
    ["a full-width bracket", "［", 2],
    ["a half-width katakana", "ｶ", 1],
    ["a rare ideograph", "𠀋", 2],
    ["a letter of Thai", "ก", 1],
    ["a dingbat", "✂", 1],
    ["an arrow", "→", 1],
  ])("counts %s as the East Asian Width table does", (_, character, width) => {
    expect(frame(`${character} wbe`, "wbe").split("\n")[3]).toBe(`  | ${" ".repeat(width + 1)}^^^`);
  });

  test("shows control characters by their pictures, others by number", () => {
    expect(frame("a\u001b[31m\u202eb\u00ad wbe", "wbe")).toBe(
      `
 --> p.yaml:1:11
  |
1 | a␛[31m<U+202E>b<U+00AD> wbe
  |                         ^^^`.slice(1),
    );
  });

  test("marks the place between two characters for an empty span", () => {
    const source: Source = { name: "p.yaml", text: "allow tcp" };
    expect(body(finding({ source, start: 5, end: 5 }))).toContain("\n1 | allow tcp\n  |      ^");
  });

  test("marks the end of a file that ends without a line ending", () => {
    const source: Source = { name: "p.yaml", text: "allow" };
    expect(body(finding({ source, start: 5, end: 5 }))).toContain(":1:6\n  |\n1 | allow\n  |      ^");
  });

  test("marks the end of a file that ends with one", () => {
    const source: Source = { name: "p.yaml", text: "allow\n" };
    expect(body(finding({ source, start: 6, end: 6 }))).toContain(":2:1\n  |\n2 |\n  | ^");
  });

  test("shows lines that end in CRLF like any other", () => {
    expect(frame("a: 1\r\nb: wbe\r\nc: 2\r\n", "wbe", { label: "here" })).toBe(
      " --> p.yaml:2:4\n  |\n2 | b: wbe\n  |    ^^^ here",
    );
  });

  test("has no code where there is none", () => {
    expect(body(finding({ source: { name: "p.yaml", text: "" }, start: 0, end: 0 }))).toBe(" --> p.yaml");
  });

  test("draws a bar beside a mark of several lines", () => {
    expect(frame("a:\n  - b\n  - c\nd: 1\n", "- b\n  - c", { label: "all of it" })).toBe(
      `
 --> p.yaml:2:3
  |
2 | /   - b
3 | |   - c
  | |_____^ all of it`.slice(1),
    );
  });

  test("leads a bar to a mark that starts amid a line", () => {
    expect(frame("a: [b,\n  c]\n", "[b,\n  c]")).toBe(
      `
 --> p.yaml:1:4
  |
1 |   a: [b,
  |  ____^
2 | |   c]
  | |____^`.slice(1),
    );
  });

  test("leaves out the middle of a mark of many lines", () => {
    const text = Array.from({ length: 30 }, (_, i) => `- line${i}x`).join("\n");
    expect(frame(text, text)).toBe(
      `
  --> p.yaml:1:1
   |
 1 | / - line0x
 2 | | - line1x
 3 | | - line2x
...  |
29 | | - line28x
30 | | - line29x
   | |_________^`.slice(1),
    );
  });

  test("does not take the line ending after a block for a part of it", () => {
    expect(frame("a:\n  - b\n\nc: 1\n", "- b\n\n")).toBe(" --> p.yaml:2:3\n  |\n2 |   - b\n  |   ^^^");
  });

  test("hangs further texts below their words", () => {
    const source: Source = { name: "p.yaml", text: "allow tcp from wbe to self" };
    const found = finding(words(source, "wbe"), {
      label: "unknown",
      related: [
        { span: words(source, "tcp"), text: "protocol" },
        { span: words(source, "self"), text: "this host" },
      ],
    });
    expect(body(found)).toBe(
      `
 --> p.yaml:1:16
  |
1 | allow tcp from wbe to self
  |       ---      ^^^    ---- this host
  |       |        |
  |       |        unknown
  |       protocol`.slice(1),
    );
  });

  test("shows places in other files below", () => {
    const one: Source = { name: "p.yaml", text: "a: wbe" };
    const other: Source = { name: "list.txt", text: "10.0.0.0/8\n" };
    expect(
      body(
        finding(words(one, "wbe"), { related: [{ span: words(other, "10.0.0.0/8"), text: "first here" }] }),
      ),
    ).toBe(
      `
 --> p.yaml:1:4
  |
1 | a: wbe
  |    ^^^
  |
 ::: list.txt:1:1
  |
1 | 10.0.0.0/8
  | ---------- first here`.slice(1),
    );
  });

  test("cuts long lines around the words", () => {
    const text = `${"before ".repeat(40)}WRONG${" after".repeat(40)}`;
    const rows = frame(text, "WRONG", { label: "here" }, 60).split("\n");
    expect(rows.slice(2).join("\n")).toBe(
      `
1 | …re before before WRONG after after after after after a…
  |                   ^^^^^ here`.slice(1),
    );
  });
});

describe("a line of ten megabytes", () => {
  const text = `${"x".repeat(10_000_000)}WRONG${"y".repeat(10_000_000)}`;
  test("is cut without being read", () => {
    const rows = frame(text, "WRONG", {}, 60).split("\n");
    expect(rows[2]).toMatch(/^1 \| …x+WRONGy+…$/);
    expect(rows[3]!.indexOf("^^^^^")).toBe(rows[2]!.indexOf("WRONG"));
  });
});

/** Pieces of lines and the columns that terminals give them. */
const PIECES: readonly (readonly [string, number])[] = [
  ["a", 1],
  [" ", 1],
  ["é", 1],
  ["e\u0301", 1],
  ["日", 2],
  ["한", 2],
  ["ｱ", 1],
  ["Ａ", 2],
  ["👍", 2],
  ["👩‍👩‍👧", 2],
  ["❤️", 2],
  ["🇩🇪", 2],
  ["\u001b", 1],
  ["\u0000", 1],
  ["\u202e", 8],
  ["\ufeff", 8],
];

test("an underline stands below its words whatever stands before them, and no row is too wide", () => {
  const piece = fc.constantFrom(...PIECES);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.array(piece, { maxLength: 60 }), (before, after) => {
      const text = `${before.map(([p]) => p).join("")}>WRONG<${after.map(([p]) => p).join("")}`;
      const rows = frame(text, "WRONG", {}, 60).split("\n");
      const [line, marks] = [rows[2]!, rows[3]!];
      const shown = line.slice(0, line.indexOf("WRONG"));
      expect(columns(shown)).toBe(marks.indexOf("^^^^^"));
      expect(columns(line)).toBeLessThanOrEqual(60);
      expect(line).not.toMatch(/[\u0000-\u001f\u202e\ufeff]/);
    }),
    { numRuns: 300 },
  );

  /** The columns of what is printed, counted apart from the code under test. */
  function columns(printed: string): number {
    let rest = printed;
    let total = 0;
    const known = [...PIECES, ["…", 1] as const].toSorted(([a], [b]) => b.length - a.length);
    while (rest !== "") {
      const found = known.find(([p]) => rest.startsWith(p));
      total += found?.[1] ?? 1;
      rest = rest.slice(found?.[0].length ?? 1);
    }
    return total;
  }
});

describe("a fix", () => {
  const source: Source = {
    name: "p.yaml",
    text: "policies:\n  - name: a\n    doNotTrack: true\n    rules: []\n",
  };

  test("is shown as the lines that change", () => {
    const fix = { title: "write `b`", safe: true, edits: [{ span: words(source, "a", 1), text: "b" }] };
    const text = { ...source, text: "name: a\n" };
    expect(
      body(
        finding(words(text, "a", 2), { fix: { ...fix, edits: [{ span: words(text, "a", 2), text: "b" }] } }),
      ),
    ).toContain("  = help: write `b`\n  |\n1 - name: a\n1 + name: b");
  });

  test("may add lines", () => {
    const at = words(source, "    rules").start;
    const edits = [{ span: { source, start: at, end: at }, text: "    symmetricAllow: true\n" }];
    expect(
      body(finding(words(source, "doNotTrack"), { fix: { title: "mirror it", safe: true, edits } })),
    ).toMatch(/ {2}\|\n4 \+ {5}symmetricAllow: true$/);
  });

  test("that starts at the end of a line is numbered by the line it adds", () => {
    const at = words(source, "true").end;
    const edits = [{ span: { source, start: at, end: at }, text: "\n    symmetricAllow: true" }];
    expect(
      body(finding(words(source, "doNotTrack"), { fix: { title: "mirror it", safe: true, edits } })),
    ).toMatch(/ {2}\|\n4 \+ {5}symmetricAllow: true$/);
  });

  test("may remove lines", () => {
    const { start } = words(source, "    doNotTrack: true");
    const edits = [{ span: { source, start, end: start + 21 }, text: "" }];
    expect(
      body(finding(words(source, "doNotTrack"), { fix: { title: "track it", safe: true, edits } })),
    ).toMatch(/ {2}\|\n3 - {5}doNotTrack: true$/);
  });

  test("far apart is shown in pieces", () => {
    const edits = [
      { span: words(source, "policies"), text: "rules" },
      { span: words(source, "[]"), text: "[x]" },
    ];
    expect(body(finding(words(source, "name"), { fix: { title: "both", safe: true, edits } }))).toContain(
      "  |\n1 - policies:\n1 + rules:\n  |\n4 -     rules: []\n4 +     rules: [x]",
    );
  });
});

describe("the report", () => {
  test("ends after so many findings, and counts the others", () => {
    expect(formatPretty(usual, { most: 1 })).toMatch(
      /\n\nand 2 more \(1 error, 1 warning\)\n\n2 errors, 1 warning in 2 files\n$/,
    );
  });

  test("is the same text in colour", () => {
    const escapes = new RegExp(String.raw`${"\u001b"}\[\d+m`, "g");
    const inColour = formatPretty(usual, { paint: coloured });
    expect(inColour).toMatch(escapes);
    expect(inColour.replace(escapes, "")).toBe(formatPretty(usual));
  });
});

describe("the order of findings", () => {
  const policy: Source = { name: "policy.yaml", text: "one two three" };
  const list: Source = { name: "a-list.txt", text: "one two" };

  test("is by file, the policy first, then by place", () => {
    const found = [
      finding(words(list, "one")),
      finding(words(policy, "three")),
      finding(words(policy, "one"), { level: "warning" }),
      finding(words(policy, "one")),
    ];
    expect(
      orderFindings(found, "policy.yaml").map(
        ({ span, level }) => `${span.source.name}:${span.start} ${level}`,
      ),
    ).toEqual(["policy.yaml:0 error", "policy.yaml:0 warning", "policy.yaml:8 error", "a-list.txt:0 error"]);
  });

  test("has each finding once", () => {
    const found = [finding(words(policy, "one")), finding(words(policy, "one"))];
    expect(orderFindings(found, "policy.yaml")).toHaveLength(1);
  });
});

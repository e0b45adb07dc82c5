import { describe, expect, test } from "vitest";
import { expectedOf, expectFileFinding, read, readClean } from "./support.ts";

describe("YAML that is none", () => {
  test.each([
    ["version: 1\n\tnat: []\n", "\t", "tabs cannot indent"],
    ["version: !money 1\n", "!money", "no such tags"],
    ["%YAML 1.1\n---\nversion: 1\n", "%YAML 1.1", "YAML 1.2"],
    ["version: @1 # one\n", "@1", "cannot begin with `@`"],
    ["version: `1`\n", "`1`", "cannot begin with a backquote"],
    ['version: "\\z"\n', "\\z", "`\\z` means nothing"],
    // What is opened and never closed: the parser complains about the end of the file.
    ["version: 1\nnat: [a\n", "[", "never closed", "the `]`"],
    ["version: 1\nnat: [a\naddresses: {}\n", "[", "never closed", "the `]`"],
    ["version: 1\nservices: {x: tcp 22\n", "{", "never closed", "the `}`"],
    ["{version: 1, nat: [a, {b: [c}]}\n", "[c".slice(0, 1), "never closed", "the `]`"],
    ['version: 1\npolicies: "x\nnat: []\n', '"x', "quote is never closed"],
    ["version: 1\npolicies: 'x\nnat: []\n", "'x", "quote is never closed"],
    // Lines that stand too far to the left or to the right.
    ["version: 1\n nat: []\n", "nat: []", "does not fit those above", "indent"],
    ["policies:\n  - name: a\n   rules: []\n", "rules: []", "does not fit those above", "indent"],
    ["policies:\n- rules:\n    - a\n   - b\n", "- b", "does not fit those above", "indent"],
    ["policies:\n- rules: |\n  allow\n", "allow", "does not fit those above", "indent"],
    // Marks that are missing, or one too many.
    ["version:1\nnat: []\n", "version:1", "neither a key", "blank behind `version:`"],
    ["version: 1\nnat\n- a: b\n", "nat", "neither a key", "write a `:`"],
    ['nat: ["a" "b"]\n', '"', "a comma is missing"],
    ['version: "1"#one\n', "#one", "a comment begins with a blank"],
    ['version: "1" one\n', "one", "does not belong here"],
    ["version: 1]\nnat: ]\n", "]", "does not belong here"],
    ["policies:\n- rules: | allow\n", "allow", "nothing can follow `|`", "next line"],
    ["a: b: c\n", "b", "a mapping cannot begin inside of a line", "quote it"],
  ])("%j", (text, underlined, message, help = "") => {
    const { findings, document, unparsable } = read(text);
    expect({ document, unparsable }).toEqual({ document: null, unparsable: true });
    expect(findings.map((finding) => finding.check)).toEqual(["yaml-syntax"]);
    expectedOf(findings[0]!).underlines(underlined).says(message);
    expect(findings[0]!.help ?? "").toContain(help);
  });

  test("is told once for each slip, however many lines behind it make no sense", () => {
    const text =
      "version: 1\nnat:\n  - a: b: c\n  - a: b: c\naddresses: {a: @b, c: @d}\n\twords\nand: [more\n";
    expect(read(text).findings.map(({ span }) => span.start)).toEqual(
      ["b: c", "b: c\na", "@b", "@d", "\t", "["].map((part) => text.indexOf(part)),
    );
    const prose = "# Title\n\nWords of prose: and more.\n\n- A list, too;\n- of two.\n\nThe: end\n";
    expect(read(prose.repeat(3)).findings).toHaveLength(1);
  });

  test("is unparsable, a wrong policy is not", () => {
    expect(read("{").unparsable).toBe(true);
    expect(read("version: 3").unparsable).toBe(false);
    expect(read("").unparsable).toBe(false);
  });
});

describe("YAML that means something else than what stands there", () => {
  test("aliases", () => {
    const text = "version: 1\naddresses:\n  a: &a [10.0.0.1]\n  b: *a\n";
    expectFileFinding(text, "yaml-alias").underlines("*a").helps("declare a name");
    expectFileFinding("version: 1\nnat: *x\n", "yaml-alias").underlines("*x");
  });

  test("an alias bomb", () => {
    const levels = Array.from(
      { length: 30 },
      (_, level) => `  n${level + 1}: &n${level + 1} [*n${level}, *n${level}]\n`,
    );
    const { findings, document } = read(`version: 1\naddresses:\n  n0: &n0 [10.0.0.1]\n${levels.join("")}`);
    expect(document).toBeNull();
    expect(new Set(findings.map((finding) => finding.check))).toEqual(new Set(["yaml-alias"]));
  });

  test("a second document", () => {
    const { findings, unparsable } = read("version: 1\n---\nversion: 1\n");
    expect(unparsable).toBe(true);
    expectedOf(findings[0]!).underlines("---").says("one YAML document");
  });

  test("the end of the only document", () => {
    readClean("---\nversion: 1\n...\n");
  });
});

describe("characters", () => {
  test.each([
    ["\u0000", "U+0000", "UTF-16"],
    ["\u0007", "U+0007", "remove"],
    ["\u001b", "U+001B", "remove"],
    ["\u009b", "U+009B", "remove"],
    ["\u202e", "U+202E", "remove"],
    ["\u2066", "U+2066", "remove"],
    ["\r", "U+000D", "remove"],
  ])("%j", (character, name, help) => {
    expectFileFinding(`version: 1 # a${character}b\n`, "control-character")
      .underlines(character)
      .says(name)
      .helps(help);
  });

  test("line endings, tabs and other scripts are none of them", () => {
    readClean("\ufeffversion: 1\t# büro, 事務所, 😀\r\nnat: []\r\n");
  });

  test("only the first of many are shown", () => {
    expect(read("\0".repeat(1000)).findings).toHaveLength(5);
  });
});

describe("files that are no policy", () => {
  test.each([
    ["deep brackets", "[".repeat(100_000)],
    ["deep lists", "- ".repeat(100_000)],
    ["deep mappings", "{a: ".repeat(50_000)],
    ["mappings in mappings", Array.from({ length: 1000 }, (_, depth) => `${" ".repeat(depth)}a:\n`).join("")],
  ])("%s", (_name, text) => {
    const { findings, unparsable } = read(text);
    expect(unparsable).toBe(true);
    expect(findings[0]!.check).toBe("nested-too-deeply");
  });

  test("more parts than anybody writes", () => {
    const { findings, unparsable } = read("-\n".repeat(600_000));
    expect(unparsable).toBe(true);
    expectedOf(findings[0]!).says("too many parts").helps("`rules: |`");
  });

  test("hundreds of thousands of wrong values", () => {
    const { findings } = read(`version: 1\npolicies:\n${"  - {a: 1}\n".repeat(45_000)}`);
    expect(findings.map((finding) => finding.check)).toContain("bad-value");
  });

  test("one endless sentence", () => {
    const list = "10.0.0.1, ".repeat(50_000);
    const { findings } = read(`version: 1\nnat:\n  - masquerade from ${list} 10.0.0.1 too any\n`);
    expectedOf(findings[0]!).underlines("too");
  });

  test("one endless name", () => {
    const { findings } = read(`version: 1\n${"x".repeat(1000)}: 1\n`);
    expectedOf(findings[0]!).says("…");
    expect(findings[0]!.message.length).toBeLessThan(200);
  });
});

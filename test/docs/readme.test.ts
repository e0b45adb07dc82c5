import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { buildProgram } from "../../src/cli/program.ts";
import { renderExample } from "../../src/lint/pages/render.ts";
import { findRelativeLinks } from "./links.ts";

const readme = readFileSync("README.md", "utf8");

/** The text of the code block in this language, the first of them. */
function block(language: string): string {
  const match = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "m").exec(readme);
  if (!match) throw new Error(`the README has no ${language} block`);
  return match[1]!;
}

test("the README shows the policy of the memcached example", () => {
  expect(parse(block("yaml"))).toEqual(parse(readFileSync("examples/memcached/policy.yaml", "utf8")));
});

/** Expects the lines of a text to stand in another one, in their order. */
function expectExtract(extract: string, whole: string): void {
  const lines = whole.split("\n");
  let from = 0;
  for (const line of extract.trimEnd().split("\n")) {
    const at = lines.indexOf(line, from);
    expect(at, line).toBeGreaterThanOrEqual(0);
    from = at + 1;
  }
}

test("what the README shows of the script stands in the golden, in that order", () => {
  expectExtract(block("nft"), readFileSync("golden/examples/memcached/ruleset.nft", "utf8"));
});

test("what the README shows of a finding is what ctc says about its policy without symmetricAllow", () => {
  const text = block("yaml").replace("    symmetricAllow: true\n", "");
  expectExtract(block("text"), renderExample({ name: "policy.yaml", text }));
});

test("the page on how ctc is built has a row for every folder of the source", () => {
  const page = readFileSync("docs/architecture.md", "utf8");
  const folders = readdirSync("src", { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const rows = [...page.matchAll(/^\| `src\/(\w+)` \|/gm)].map((match) => match[1]);
  expect(rows.sort()).toEqual(folders.map(({ name }) => name).sort());
});

test("the README names every command", () => {
  const none = (): void => {};
  const program = buildProgram({ print: none, printError: none, exit: none });
  for (const command of program.commands)
    expect(readme).toMatch(new RegExp(`^\\| .*\`ctc ${command.name()}\\b.* \\|$`, "m"));
});

test.each(findRelativeLinks())("$file: $link leads somewhere", ({ exists }) => {
  expect(exists).toBe(true);
});

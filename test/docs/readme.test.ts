import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
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

test("what the README shows of the script stands in the golden, in that order", () => {
  const golden = readFileSync("golden/examples/memcached/ruleset.nft", "utf8").split("\n");
  let from = 0;
  for (const line of block("nft").trimEnd().split("\n")) {
    const at = golden.indexOf(line, from);
    expect(at, line).toBeGreaterThanOrEqual(0);
    from = at + 1;
  }
});

test.each(findRelativeLinks())("$file: $link leads somewhere", ({ exists }) => {
  expect(exists).toBe(true);
});

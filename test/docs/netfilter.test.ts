import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const FACTS = "test/kernel/facts";
const page = readFileSync("docs/netfilter.md", "utf8");

/** The tests that the page names, as `file: title`. */
const cited = [...page.matchAll(/\[([^[\]]+)\]\(\.\.\/test\/kernel\/facts\/(\S+)\)/g)].map(
  ([, title, file]) => `${file}: ${title!.replace(/\s+/g, " ")}`,
);

/** The titles of all tests in a file, what differs between the cases of one test as `…`. */
function titlesIn(file: string): readonly string[] {
  const text = readFileSync(`${FACTS}/${file}`, "utf8");
  const tests = [
    ...text.matchAll(
      /(?:^ +test|^ +\](?: as const)?\)|each\(\w+\))\(\s*"((?:[^"\\]|\\.)*)"|^ +"([^"]+)",\n +async/gm,
    ),
  ];
  return tests.map(([, title, alone]) => `${file}: ${(title ?? alone)!.replace(/%[a-z]/g, "…")}`);
}

const files = readdirSync(FACTS).filter((name) => name.endsWith(".test.ts"));
const shown = [...new Set(files.flatMap(titlesIn))];

test("every fact of docs/netfilter.md is shown by tests that exist, and every test shows a fact", () => {
  expect(shown.length).toBeGreaterThan(50);
  expect([...cited].sort()).toEqual([...shown].sort());
});

test("no test of a fact escapes the search for titles", () => {
  for (const file of files) {
    const text = readFileSync(`${FACTS}/${file}`, "utf8");
    const calls = [...text.matchAll(/^ *test(\.each|\()/gm)].length;
    expect(titlesIn(file), file).toHaveLength(calls);
  }
});

test("every fact names what shows it", () => {
  const facts = page
    .slice(page.indexOf("## The way"), page.indexOf("## From facts"))
    .split(/^(?=- )/m)
    .slice(1);
  expect(facts.length).toBeGreaterThan(30);
  for (const fact of facts) expect(fact).toMatch(/test\/kernel\/facts\//);
});

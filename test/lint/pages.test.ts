import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CHECK_FOLDERS, checkFiles } from "../../scripts/checks.ts";
import { CHECK_NAMES } from "../../src/lint/check-names.ts";
import { checks } from "../../src/lint/lint.ts";
import { corrected, PAGES } from "../../src/lint/pages/pages.ts";
import { findingsOf, renderPage } from "../../src/lint/pages/render.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** The TypeScript files below a folder of the sources. */
function sourcesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(ROOT, folder, name), "utf8"));
}

/** The names of checks that the sources of some folders report. */
function reportedIn(...folders: string[]): string[] {
  return folders
    .flatMap(sourcesIn)
    .flatMap((text) => [...text.matchAll(/\bcheck: "([a-z0-9-]+)"/g)].map((match) => match[1]!));
}

test("every check has one page, and every page a check", () => {
  const ofScripts = reportedIn("src/read", "src/verify", "src/golden");
  expect(ofScripts).toEqual(expect.arrayContaining(["script-differs", "script-syntax", "stale-script"]));
  const names = [...CHECK_NAMES, ...new Set(ofScripts), "packet-syntax"];
  expect(PAGES.map(({ name }) => name).sort()).toEqual(names.sort());
});

test("every name that reading and checking a policy reports is the name of a check", () => {
  const reported = reportedIn("src/language", "src/policy", "src/lint", "src/cli");
  expect(reported.length).toBeGreaterThan(15);
  // What is wrong with the packet on a command line is wrong with no policy.
  const ofPolicies = reported.filter((name) => name !== "packet-syntax");
  expect(ofPolicies.filter((name) => !CHECK_NAMES.includes(name))).toEqual([]);
});

test("every check of a policy that can be read has a file, a page and a test of its own", () => {
  const names = checks.map(({ name }) => name).sort();
  const filesIn = (folder: string): string[] => readdirSync(join(ROOT, folder));
  expect(filesIn("src/lint/checks")).toEqual(names.map((name) => `${name}.ts`).sort());
  for (const name of names) {
    expect(filesIn("src/lint/pages")).toContain(`${name}.ts`);
    expect(filesIn("test/lint")).toContain(`${name}.test.ts`);
  }
});

describe.each(PAGES.filter(({ example }) => example !== null))("the example of $name", (page) => {
  test("has this fault, and no other", () => {
    const found = findingsOf({ name: "policy.yaml", text: page.example! }).map(({ check }) => check);
    expect(found).toContain(page.name);
    expect(new Set(found)).toEqual(new Set([page.name, ...(page.beside ?? [])]));
  });

  test("is sound once it is corrected", () => {
    for (const [before] of page.correct) expect(page.example).toContain(before);
    const findings = findingsOf({ name: "policy.yaml", text: corrected(page)! });
    expect(findings.map(({ check, message }) => `${check}: ${message}`)).toEqual([]);
  });
});

test("a page has its five headings", () => {
  const page = PAGES.find(({ name }) => name === "half-tracked-flow")!;
  expect(renderPage(page).match(/^#+ .*$/gm)).toEqual([
    "# half-tracked-flow",
    "## What it finds",
    "## Why it matters",
    "## Example",
    "## What ctc says",
    "## Use instead",
  ]);
});

describe("docs/checks and examples/broken", () => {
  const files = checkFiles();

  test("hold what is generated, and nothing else", () => {
    const found = CHECK_FOLDERS.flatMap((folder) =>
      readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`),
    );
    expect(found.sort(), "run `npm run generate`").toEqual([...files.keys()].sort());
  });

  test.each([...files])("%s is up to date", (path, text) => {
    expect(readFileSync(join(ROOT, path), "utf8"), "run `npm run generate`").toBe(text);
  });
});

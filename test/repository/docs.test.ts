import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { setUpBench } from "./bench.ts";

/*
 * What docs/in-a-repository.md shows is what happens when the example repository is changed as it says.
 */

const ROOT = join(import.meta.dirname, "../..");
const page = readFileSync(join(ROOT, "docs/in-a-repository.md"), "utf8");
const readme = readFileSync(join(ROOT, "README.md"), "utf8");

const bench = setUpBench();
const { folder, sh, must, read } = bench;

beforeAll(async () => {
  await bench.release();
  cpSync(join(ROOT, "examples/repository"), join(folder, "example"), { recursive: true });
  must("example", "git init -q && git add . && git commit -qm Begin");
});
beforeEach(() => {
  must("example", "git checkout -q .");
});
afterAll(() => bench.destroy());

const ctc = (args: string) => sh("example", `node ../ctc/dist/ctc.mjs ${args}`).text;

/** Changes the policy of the web server. */
function change(from: string, to: string): void {
  const path = "example/hosts/web/policy.yaml";
  const before = read(path);
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  bench.write(path, after);
}

/** The comment under a pull request, quoted as the page quotes it. */
function comment(): string {
  must("example", "../ctc/ci/diff.sh HEAD ../comment.md");
  return read("comment.md").trim().replace(/^/gm, "> ").replace(/ $/gm, "");
}

describe("the page shows what happens", () => {
  test("when a list grows", () => {
    change("[192.0.2.0/28", "[192.0.2.0/24");
    expect(page).toContain(`\n\`\`\`text\n${ctc("golden")}\`\`\`\n`);
    expect(page).toContain(`\n${comment()}\n\n`);
    expect(readme).toContain(`\n${comment()}\n\n`);
    for (const row of must("example", "git diff -U0 hosts").trim().split("\n").slice(-2))
      expect(page).toContain(`${row}\n`);
  });

  test("when a comment is written", () => {
    change("      - allow web from any", "      # The rest of the world.\n      - allow web from any");
    expect(page).toContain(`\n\`\`\`text\n${ctc("golden")}\`\`\`\n`);
    expect(page).toContain(`\n${comment()}\n\n`);
  });

  test("when a name is misspelt", () => {
    change("from crawlers", "from crawler");
    expect(page).toContain(`\n\`\`\`text\n${ctc("lint hosts/web/policy.yaml")}\`\`\`\n`);
  });
});

describe("the example repository", () => {
  test("has nothing to mend", () => {
    expect(ctc("golden")).toBe("2 policies, all scripts up to date\n");
    expect(ctc("lint hosts/web/policy.yaml hosts/cache.policy.yaml")).toBe("no findings in 2 files\n");
  });

  test("uses hooks that there are", () => {
    const ids = (parse(read("ctc/.pre-commit-hooks.yaml")) as { id: string }[]).map(({ id }) => id);
    const { repos } = parse(read("example/.pre-commit-config.yaml"));
    for (const { id } of repos[0].hooks) expect(ids).toContain(id);
    // The page names every hook.
    for (const id of ids) expect(page).toContain(`\`${id}\``);
  });

  test("uses outputs that the action has, and the page names its inputs and outputs", () => {
    const action = parse(read("ctc/action.yml"));
    const workflow = read("example/.github/workflows/policies.yml");
    for (const [, name] of workflow.matchAll(/steps\.ctc\.outputs\.(\w+)/g))
      expect(Object.keys(action.outputs)).toContain(name);
    for (const name of [...Object.keys(action.inputs), ...Object.keys(action.outputs)])
      expect(page).toMatch(new RegExp(`^\\|.*\`${name}\``, "m"));
  });
});

test("every link of the page leads to a file", () => {
  const links = [...page.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1]!);
  expect(links.length).toBeGreaterThan(5);
  for (const link of links) expect(() => readFileSync(join(ROOT, "docs", link))).not.toThrow(/ENOENT/);
});

test("every name of a finding is on the page", () => {
  const source = readFileSync(join(ROOT, "src/golden/findings.ts"), "utf8");
  const checks = [...source.matchAll(/check: "([a-z-]+)"/g)].map((match) => match[1]!);
  expect(checks).toHaveLength(6);
  for (const check of checks) expect(page).toContain(`\`${check}\``);
});

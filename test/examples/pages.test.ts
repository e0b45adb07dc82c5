import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));
const CTC = fileURLToPath(new URL("../../src/cli/ctc.ts", import.meta.url));
const SCHEMA_LINE = "# yaml-language-server: $schema=../../grammar/policy.schema.json";
const HEADINGS = ["## The policy", "## Load it", "## See that it works", "## What it does not do"];

const names = readdirSync(EXAMPLES, { withFileTypes: true })
  // `broken` is a tour of faults and `repository` holds several policies: neither is a policy to start from.
  .filter((entry) => entry.isDirectory() && !["broken", "repository"].includes(entry.name))
  .map(({ name }) => name);

function read(...path: readonly string[]): string {
  return readFileSync(join(EXAMPLES, ...path), "utf8");
}

test("the index names every example", () => {
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) expect(read("README.md")).toContain(`| [${name}](${name}/README.md) |`);
});

describe.each(names)("examples/%s", (name) => {
  const page = read(name, "README.md");
  const policy = read(name, "policy.yaml");

  test("tells editors of the schema", () => {
    expect(policy.split("\n")[0]).toBe(SCHEMA_LINE);
  });

  test("has a page with the usual headings", () => {
    expect(page.split("\n").filter((line) => line.startsWith("## "))).toEqual(HEADINGS);
  });

  test("quotes its policy as it stands", () => {
    const quotes = [...page.matchAll(/```yaml\n(.*?)```/gs)].map((match) => match[1]!);
    expect(quotes.length).toBeGreaterThan(0);
    for (const quote of quotes) expect(policy).toContain(quote);
  });

  test("passes every check", async () => {
    const lint = promisify(execFile)(process.execPath, [CTC, "lint", join(EXAMPLES, name, "policy.yaml")]);
    await expect(lint).resolves.toMatchObject({ stderr: "" });
  });
});

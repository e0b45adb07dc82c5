import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { reportOf, stateOf, update } from "../../scripts/golden.ts";

let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "ctc-golden-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const policy = (port: number): string =>
  `version: 1\npolicies:\n  - name: web\n    rules:\n      - allow tcp from any to self port ${port}\n`;

test("writes what is missing, then only what changes, and removes what nothing asks for", () => {
  write("golden/README.md", "");
  write("golden/cases/one/policy.yaml", policy(1));
  write("examples/two/policy.yaml", policy(2));
  write("elsewhere/policy.yaml", policy(3));
  expect(update(stateOf(root).discrepancies, root)).toEqual(
    ["cases/one", "examples/two"].flatMap((folder) =>
      ["rules.v4", "rules.v6", "ruleset.nft"].map((name) => `wrote golden/${folder}/${name}`),
    ),
  );
  expect(reportOf(stateOf(root))).toBe("");

  writeFileSync(join(root, "golden/cases/one/rules.v4"), "gone astray");
  expect(reportOf(stateOf(root))).toContain("-gone astray\n");
  expect(update(stateOf(root).discrepancies, root)).toEqual(["wrote golden/cases/one/rules.v4"]);
  expect(readFileSync(join(root, "golden/cases/one/rules.v4"), "utf8")).toContain("--dport 1 ");

  rmSync(join(root, "examples/two"), { recursive: true });
  expect(reportOf(stateOf(root))).toContain("3 orphaned");
  update(stateOf(root).discrepancies, root);
  expect(existsSync(join(root, "golden/examples/two"))).toBe(false);
  expect(reportOf(stateOf(root))).toBe("");
});

test("leaves stray files, and goes on reporting them", () => {
  write("golden/cases/one/policy.yaml", policy(1));
  write("golden/cases/one/notes.txt", "");
  update(stateOf(root).discrepancies, root);
  expect(reportOf(stateOf(root))).toContain("stray: golden/cases/one/notes.txt");
});

test("reports a policy with errors, and keeps its scripts as they are", () => {
  write("golden/cases/one/policy.yaml", policy(1));
  update(stateOf(root).discrepancies, root);
  write("golden/cases/one/policy.yaml", policy(99_999));
  expect(update(stateOf(root).discrepancies, root)).toEqual([]);
  expect(reportOf(stateOf(root))).toContain("error[bad-port]");
});

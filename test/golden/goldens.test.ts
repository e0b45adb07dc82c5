import { expect, test } from "vitest";
import { judge } from "../../src/golden/judge.ts";
import { printDiscrepancies } from "../../src/golden/print.ts";
import { formatPretty } from "../../src/report/pretty.ts";
import { ourGoldens } from "./ours.ts";

const { policies, discrepancies } = ourGoldens();
const names = policies.map(({ policy }) => policy);

test("there are goldens", () => {
  expect(names).toContain("examples/memcached/policy.yaml");
  expect(names).toContain("golden/cases/untracked-symmetric/policy.yaml");
});

test("every golden is what is emitted today, and nothing else stands there", () => {
  const findings = policies.flatMap((policy) => policy.findings.filter(({ level }) => level === "error"));
  expect(formatPretty({ findings, files: [], version: "" })).toBe("no findings in 0 files\n");
  const judged = judge(discrepancies, () => ({ kind: "unknown", reason: "a test asks for bytes" }));
  // Thrown rather than compared: the report is a diff itself, and tells the command that mends it.
  const report = printDiscrepancies(judged, "npm run golden");
  if (report !== "") throw new Error(report);
});

test("every case says what to look at", () => {
  const silent = policies.filter(
    ({ policy, source }) => policy.startsWith("golden/cases/") && !source.text.startsWith("# "),
  );
  expect(silent.map(({ policy }) => policy)).toEqual([]);
});

import { expect, test } from "vitest";
import { reportOf, stateOf } from "../../scripts/golden.ts";

const state = stateOf();

test("there are goldens", () => {
  const folders = state.policies.map(({ place }) => place.folder);
  expect(folders).toContain("golden/examples/memcached");
  expect(folders).toContain("golden/cases/untracked-symmetric");
});

test("every golden is what is emitted today, and nothing else stands there", () => {
  // Thrown rather than compared: the report is a diff itself, and tells the command that mends it.
  const report = reportOf(state);
  if (report !== "") throw new Error(report);
});

test("every case says what to look at", () => {
  const silent = state.policies.filter(
    ({ place, text }) => place.policy.startsWith("golden/cases/") && !text.startsWith("# "),
  );
  expect(silent.map(({ place }) => place.policy)).toEqual([]);
});

import { expect, test } from "vitest";
import { FORMAT_NAMES } from "../../src/report/formats.ts";
import { FAULTY, POLICY, workshop } from "./run.ts";

const { ctc, file } = workshop();

test("a sound policy has no findings", () => {
  expect(ctc(["lint", file("policy.yaml", POLICY)])).toEqual({
    exit: 0,
    out: "no findings in policy.yaml\n",
    err: "",
  });
});

test("many files are one report, in the order in which they are named", () => {
  file("a.yaml", FAULTY);
  file("b.yaml", POLICY);
  file("c.yaml", FAULTY);
  const { exit, out, err } = ctc(["lint", "c.yaml", "b.yaml", "a.yaml"]);
  expect({ exit, err }).toEqual({ exit: 1, err: "" });
  expect(out.match(/--> .\.yaml/g)!.at(0)).toBe("--> c.yaml");
  expect(out.match(/--> .\.yaml/g)!.at(-1)).toBe("--> a.yaml");
  expect(out).toMatch(/\n\d+ errors in 3 files\n$/);
});

test("a file that cannot be read does not hide the findings of the others, but the exit code is 2", () => {
  const { exit, out } = ctc(["lint", "nowhere.yaml", file("faulty.yaml", FAULTY), "--format", "concise"]);
  expect(exit).toBe(2);
  expect(out).toContain(
    "nowhere.yaml:1:1: error[unreadable-file] the file cannot be read: there is no such file or folder\n",
  );
  expect(out).toContain("faulty.yaml:9:24: error[unknown-name]");
});

test.each(FORMAT_NAMES)("--format %s prints to standard output alone", (format) => {
  const { exit, out, err } = ctc(["lint", file("faulty.yaml", FAULTY), "--format", format]);
  expect({ exit, err }).toEqual({ exit: 1, err: "" });
  expect(out).toContain("unknown-name");
  expect(out).toMatch(/\n$/);
});

test("a format that there is not is a mistake", () => {
  const { exit, err } = ctc(["lint", "x", "--format", "yaml"]);
  expect(exit).toBe(2);
  expect(err).toContain("Allowed choices are pretty, concise, json, sarif, github, gitlab, junit");
});

import { chmodSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FAULTY, POLICY, workshop } from "./run.ts";

const { ctc, file, folder } = workshop();
const read = (name: string): string => readFileSync(join(folder, name), "utf8");

/** The small policy with a comment that has no effect. */
const IDLE = POLICY.replace("port 11211", "port 11211 # ctc-ignore keep-ports: old");

test("--fix writes what is safe, and prints the rest", () => {
  const path = file("idle.yaml", IDLE);
  expect(ctc(["lint", path, "--fix"])).toEqual({
    exit: 0,
    out: "no findings in idle.yaml\n",
    err: "1 finding mended\n",
  });
  expect(read(path)).toBe(POLICY);
});

test("--fix leaves guesses to --unsafe-fixes", () => {
  const path = file("faulty.yaml", FAULTY);
  expect(ctc(["lint", path, "--fix"])).toMatchObject({ exit: 1, err: "" });
  expect(read(path)).toBe(FAULTY);
  expect(ctc(["lint", path, "--unsafe-fixes"]).err).toBe("1 finding mended\n");
  expect(read(path)).toBe(POLICY);
});

test("--diff prints a patch and writes nothing", () => {
  const path = file("idle.yaml", IDLE);
  const { exit, out, err } = ctc(["lint", path, "--fix", "--diff"]);
  expect({ exit, err }).toEqual({ exit: 1, err: "" });
  expect(out).toBe(
    [
      "--- idle.yaml",
      "+++ idle.yaml",
      "@@ -6,7 +6,7 @@",
      "     doNotTrack: true",
      "     symmetricAllow: true",
      "     rules:",
      "-      - allow tcp from clients to self port 11211 # ctc-ignore keep-ports: old",
      "+      - allow tcp from clients to self port 11211",
      "   - name: administration",
      "     rules:",
      "       - allow tcp from 192.0.2.0/24 to self port 22",
      "",
    ].join("\n"),
  );
  expect(read(path)).toBe(IDLE);
});

test("--diff is silent where there is nothing to mend", () => {
  expect(ctc(["lint", file("fine.yaml", POLICY), "--diff"])).toEqual({ exit: 0, out: "", err: "" });
});

test("standard input can be diffed, and not mended in place", () => {
  expect(ctc(["lint", "-", "--diff"], { input: IDLE }).out).toMatch(/^--- <stdin>\n/);
  expect(ctc(["lint", "-", "--fix"], { input: IDLE })).toMatchObject({
    exit: 2,
    err: "ctc: standard input cannot be mended in place; with --diff ctc prints what to change\n",
  });
});

test("many files are mended in one run; what cannot be read is told", () => {
  file("one.yaml", IDLE);
  file("two.yaml", IDLE);
  const { exit, out, err } = ctc([
    "lint",
    "one.yaml",
    "nowhere.yaml",
    "two.yaml",
    "--fix",
    "--format",
    "concise",
  ]);
  expect({ exit, err }).toEqual({ exit: 2, err: "2 findings mended\n" });
  expect(out).toContain("nowhere.yaml:1:1: error[unreadable-file]");
  expect([read("one.yaml"), read("two.yaml")]).toEqual([POLICY, POLICY]);
});

test("the file keeps its mode", () => {
  const path = file("secret.yaml", IDLE);
  chmodSync(join(folder, path), 0o600);
  ctc(["lint", path, "--fix"]);
  expect(statSync(join(folder, path)).mode & 0o777).toBe(0o600);
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { workshop } from "./run.ts";

const { ctc } = workshop();

test("prints the page of a check, as it stands in docs/checks", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/checks/untracked-reply-denied.md"), "utf8");
  expect(ctc(["explain", "untracked-reply-denied"])).toEqual({ exit: 0, out: page, err: "" });
});

test("without a name it lists all checks", () => {
  const { exit, out, err } = ctc(["explain"]);
  expect({ exit, err }).toEqual({ exit: 0, err: "" });
  expect(out).toMatch(/^What is proved\n\nErrors\./);
  expect(out).toMatch(/^ {2}half-tracked-flow +A flow that connection tracking sees in one direction only/m);
  expect(out).toMatch(/\n`ctc explain NAME` tells more about one of them\.\n$/);
});

test("a name that there is not is a mistake, with the nearest that there is", () => {
  expect(ctc(["explain", "shadowd-rule"])).toEqual({
    exit: 2,
    out: "",
    err: "ctc: no check is called shadowd-rule; did you mean shadowed-rule?\n",
  });
  expect(ctc(["explain", "everything"]).err).toContain("`ctc explain` lists all of them");
});

import { expect, test } from "vitest";
import { LISTS, type ListName } from "../../bench/data-path/lists.ts";
import { policyText } from "../../bench/data-path/scripts.ts";
import { analyse } from "../../src/compile.ts";

test.each(Object.keys(LISTS) as ListName[])("ctc compiles the policy that %s are measured with", (name) => {
  const text = policyText(LISTS[name](300));
  const { findings } = analyse({ name: "list.yaml", text }, { read: () => ({ error: "no files" }) });
  expect(findings.filter(({ level }) => level === "error")).toEqual([]);
});

import { expect, test } from "vitest";
import { fingerprintsOf } from "../../src/report/fingerprint.ts";
import type { Source } from "../../src/source/source.ts";
import { finding, words } from "./samples.ts";

function source(text: string, name = "policy.yaml"): Source {
  return { name, text };
}

const text = "allow wbe\nallow wbe\ndeny wbe\n";

function prints(_policy: Source, ...spans: ReturnType<typeof words>[]): string[] {
  return fingerprintsOf(spans.map((span) => finding(span)));
}

test("lines that move keep their fingerprint", () => {
  const before = source(text);
  const after = source(`# a comment\n\n${text}`);
  expect(prints(after, words(after, "wbe"), words(after, "wbe", 2))).toEqual(
    prints(before, words(before, "wbe"), words(before, "wbe", 2)),
  );
});

test("equal words of one file are told apart", () => {
  const policy = source(text);
  expect(new Set(prints(policy, words(policy, "wbe"), words(policy, "wbe", 2))).size).toBe(2);
});

test("the check, the file and the words all count", () => {
  const policy = source(text);
  const span = words(policy, "wbe");
  const other = source(text, "other.yaml");
  const all = [
    ...fingerprintsOf([finding(span)]),
    ...fingerprintsOf([finding(span, { check: "another" })]),
    ...fingerprintsOf([finding(words(other, "wbe"))]),
    ...fingerprintsOf([finding(words(policy, "deny"))]),
  ];
  expect(new Set(all).size).toBe(4);
});

test("the message does not count: it may be worded better one day", () => {
  const span = words(source(text), "wbe");
  expect(fingerprintsOf([finding(span, { message: "a" })])).toEqual(
    fingerprintsOf([finding(span, { message: "b" })]),
  );
});

test("`./policy.yaml` is `policy.yaml`", () => {
  expect(fingerprintsOf([finding(words(source(text, "./policy.yaml"), "wbe"))])).toEqual(
    fingerprintsOf([finding(words(source(text), "wbe"))]),
  );
});

test("an empty span is known by its line", () => {
  const policy = source(text);
  const [one] = fingerprintsOf([finding({ source: policy, start: 5, end: 5 })]);
  const [other] = fingerprintsOf([finding({ source: policy, start: text.length - 1, end: text.length - 1 })]);
  expect(one).not.toBe(other);
});

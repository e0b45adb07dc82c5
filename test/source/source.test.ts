import { expect, test } from "vitest";
import { lineStarts, positionOf } from "../../src/source/source.ts";

const place = (text: string, offset: number) => {
  const { line, column } = positionOf({ name: "policy.yaml", text }, offset);
  return `${line}:${column}`;
};

test("lines end as they do on any system", () => {
  const text = "a\nb\r\nc\rd";
  expect(lineStarts({ name: "policy.yaml", text })).toEqual([0, 2, 5, 7]);
  expect([...text].map((_, offset) => place(text, offset))).toEqual([
    "1:1",
    "1:2",
    "2:1",
    "2:2",
    "2:3",
    "3:1",
    "3:2",
    "4:1",
  ]);
  expect(place(text, text.length)).toBe("4:2");
});

test("a byte-order mark takes no column, as in editors", () => {
  const text = "\ufeffversion: 1\n\ufeff";
  expect([0, 1, 2, 11, 12, 13].map((offset) => place(text, offset))).toEqual([
    "1:1",
    "1:1",
    "1:2",
    "1:11",
    "2:1",
    "2:2",
  ]);
});

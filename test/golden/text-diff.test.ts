import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { textDiff } from "../../src/golden/text-diff.ts";

const lines = (...texts: readonly string[]): string => texts.map((text) => `${text}\n`).join("");

describe("textDiff", () => {
  test("shows what goes and what comes, with the lines around it", () => {
    const before = lines("1", "2", "3", "4", "old", "6", "7", "8", "9");
    expect(textDiff(before, before.replace("old", "new"))).toEqual({
      rows: ["@@ -2,7 +2,7 @@", " 2", " 3", " 4", "-old", "+new", " 6", " 7", " 8"],
      lines: 1,
      firstLine: 5,
    });
  });

  test.each([
    [0, lines("a"), lines("a")],
    [1, lines("a", "b"), lines("a")],
    [2, lines("a"), lines("a", "b", "c")],
    [3, lines("a", "b", "c", "same", "d"), lines("A", "same", "d")],
    [2, lines("a", "same", "b"), lines("A", "same", "B")],
    [1, "a", lines("a")],
  ])("counts a line that was changed once: %s", (count, before, after) => {
    expect(textDiff(before, after)!.lines).toBe(count);
  });

  test("points to where something is missing", () => {
    expect(textDiff(lines("a", "c"), lines("a", "b", "c"))!.firstLine).toBe(2);
    expect(textDiff("", lines("a"))!.firstLine).toBe(1);
  });

  test("gives up where nearly everything differs", () => {
    const many = (prefix: string) =>
      lines(...Array.from({ length: 4000 }, (_, index) => `${prefix}${index}`));
    expect(textDiff(many("a"), many("b"))).toBeNull();
    expect(textDiff(many("a"), `${many("a")}b\n`)).toMatchObject({ lines: 1 });
  });

  test("its rows turn the one text into the other", () => {
    const text = fc.array(fc.constantFrom("a", "b", "c", ""), { maxLength: 12 }).map((all) => lines(...all));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const { rows } = textDiff(before, after)!;
        expect(applied(before.split("\n"), rows).join("\n")).toBe(after);
      }),
    );
  });
});

/** The lines that a unified diff makes of others. */
function applied(before: readonly string[], rows: readonly string[]): readonly string[] {
  const after: string[] = [];
  let at = 0;
  for (const row of rows) {
    const hunk = /^@@ -(\d+),(\d+) /.exec(row);
    if (hunk) {
      // A hunk that takes nothing stands behind the line that it names.
      const start = Number(hunk[1]) - (hunk[2] === "0" ? 0 : 1);
      while (at < start) after.push(before[at++]!);
    } else if (row.startsWith("+")) after.push(row.slice(1));
    else {
      if (row.slice(1) !== before[at]) throw new Error(`${row} is not line ${at + 1}`);
      if (row.startsWith(" ")) after.push(before[at]!);
      at++;
    }
  }
  return [...after, ...before.slice(at)];
}

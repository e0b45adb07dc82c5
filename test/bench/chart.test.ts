import { expect, test } from "vitest";
import { drawChart } from "../../bench/chart.ts";

const CHART = drawChart({
  seconds: 10,
  panels: [
    { title: "Above", lines: [{ name: "up", colour: "#00ff00", values: [0, 30, 60, 90] }] },
    { title: "Below", lines: [{ name: "flat", colour: "#ff0000", values: [0, 0] }] },
  ],
});

/** The points of the line of a colour. */
function points(colour: string): readonly (readonly number[])[] {
  const [, list] = new RegExp(`<polyline points="([^"]*)" fill="none" stroke="${colour}"`).exec(CHART)!;
  return list!.split(" ").map((pair) => pair.split(",").map(Number));
}

test("a line has a point for each value, from left to right, higher values further up", () => {
  const up = points("#00ff00");
  expect(up).toHaveLength(4);
  for (const [index, [x, y]] of up.entries()) {
    if (index === 0) continue;
    expect(x).toBeGreaterThan(up[index - 1]![0]!);
    expect(y).toBeLessThan(up[index - 1]![1]!);
  }
});

test("the axis goes to the next round number, and nothing leaves the picture", () => {
  expect(CHART).toMatch(/text-anchor="end"[^>]*>100</);
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(CHART)!.map(Number);
  for (const [x, y] of [...points("#00ff00"), ...points("#ff0000")]) {
    expect(x).toBeLessThan(width!);
    expect(y).toBeLessThan(height!);
  }
});

test("every line is named, in its own colour", () => {
  expect(CHART).toContain('fill="#00ff00">up</text>');
  expect(CHART).toContain('fill="#ff0000">flat</text>');
});

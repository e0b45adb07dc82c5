/** What one line shows: a value for each second, from the first. */
export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly values: readonly number[];
}

export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** Panels above one another that share an axis of time. */
export interface Chart {
  readonly seconds: number;
  readonly panels: readonly Panel[];
}

const WIDTH = 760;
const LEFT = 72;
const RIGHT = 20;
const PANEL = 190;
/** Above each panel, for its title and what its lines are called; below the last, for the seconds. */
const HEAD = 46;
const FOOT = 44;

/** A chart as SVG, readable on a light and on a dark page. */
export function drawChart({ seconds, panels }: Chart): string {
  const height = panels.length * (HEAD + PANEL) + FOOT;
  const bottom = height - FOOT;
  const x = (second: number): number => LEFT + (second / seconds) * (WIDTH - LEFT - RIGHT);
  const steps = stepsUpTo(seconds).filter((step) => step <= seconds);
  const ticks = steps.map((second) => text(x(second), bottom + 18, `${second}`, "middle"));
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...panels.flatMap((panel, index) => drawPanel(panel, index * (HEAD + PANEL) + HEAD, x)),
    ...ticks,
    text(x(seconds / 2), bottom + 36, "seconds", "middle"),
    "</svg>",
  ].join("\n")}\n`;
}

function drawPanel({ title, lines }: Panel, top: number, x: (second: number) => number): readonly string[] {
  const steps = stepsUpTo(Math.max(1, ...lines.flatMap(({ values }) => values)));
  const most = steps.at(-1)!;
  const y = (value: number): number => top + PANEL - (value / most) * PANEL;
  const grid = steps.flatMap((step) => [
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y(step))}" y2="${round(y(step))}" stroke="#dddddd"/>`,
    text(LEFT - 8, y(step) + 4, step.toLocaleString("en"), "end"),
  ]);
  let at = WIDTH - RIGHT;
  const legend = lines.toReversed().map(({ name, colour }) => {
    const label = text(at, top - 12, name, "end", colour);
    // Wide enough for letters of any font.
    at -= name.length * 7 + 18;
    return label;
  });
  const paths = lines.map(({ colour, values }) => {
    const points = values.map((value, second) => `${round(x(second + 0.5))},${round(y(value))}`);
    return `<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="1.8"/>`;
  });
  return [
    `<text x="${LEFT}" y="${top - 12}" font-size="14" font-weight="bold" fill="#222222">${title}</text>`,
    ...legend,
    ...grid,
    ...paths,
  ];
}

/** Round numbers from 0 on, the last of them no less than `most`. */
function stepsUpTo(most: number): readonly number[] {
  const magnitude = 10 ** Math.floor(Math.log10(most));
  const step = magnitude * (most / magnitude <= 2 ? 0.5 : most / magnitude <= 5 ? 1 : 2);
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, index) => Math.round(index * step));
}

function text(x: number, y: number, words: string, anchor: string, colour = "#222222"): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${colour}">${words}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

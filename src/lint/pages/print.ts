import type { Finding } from "../../source/finding.ts";
import type { Source } from "../../source/source.ts";
import type { Page } from "./page.ts";
import { CHAPTERS, corrected } from "./pages.ts";

/** The rendered findings of a text. */
export type Render = (source: Source) => string;

/** A page as Markdown, under its five headings. `render` shows what ctc says about the example. */
export function printPage(page: Page, level: Finding["level"], render: Render): string {
  const { name, saidBy, finds, matters, example, instead } = page;
  const sound = corrected(page);
  return [
    `# ${name}`,
    saidBy
      ? `${level === "error" ? "An error" : "A warning"}, said by ${saidBy}.`
      : level === "error"
        ? "An error: nothing is emitted."
        : "A warning: it can be ignored, with a reason.",
    "## What it finds",
    finds,
    "## Why it matters",
    matters,
    ...(saidBy ? [] : ["## Example"]),
    ...(saidBy || example !== null ? [] : ["There is no short policy that has this fault."]),
    ...(example === null
      ? []
      : [
          fenced("yaml", example),
          "## What ctc says",
          fenced("text", render({ name: `${name}.yaml`, text: example })),
        ]),
    "## Use instead",
    instead,
    ...(sound === null ? [] : [fenced("yaml", sound)]),
  ]
    .join("\n\n")
    .concat("\n");
}

/** Every check with its first sentence, by chapter. */
export function printIndex(line: (page: Page) => string, heading: (title: string) => string): string {
  return CHAPTERS.map(
    ({ title, about, pages }) => `${heading(title)}\n\n${about}\n\n${pages.map(line).join("\n")}\n`,
  ).join("\n");
}

/** The first sentence of what a check finds. */
export function firstSentence({ finds }: Page): string {
  return /^.*?\.(?= |$)/s.exec(finds)?.[0] ?? finds;
}

/** A code block; its fence is longer than any in the text. */
function fenced(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([fence]) => fence.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text.trimEnd()}\n${fence}`;
}

import type { Command } from "commander";
import { EXIT, type Exit } from "../exit.ts";
import { complain, print } from "../streams.ts";
import { screenOf } from "../terminal.ts";

/** `ctc explain` */
export function addExplain(program: Command, exit: (code: Exit) => void): void {
  program
    .command("explain")
    .summary("print what a check finds, and what to do about it")
    .description("Prints the page of a check; without a name, the list of all checks.")
    .argument("[check]", "the name that stands in the brackets of a finding")
    .action(async (name: string | undefined) =>
      exit(name === undefined ? await listChecks() : await explain(name)),
    );
}

async function explain(name: string): Promise<Exit> {
  const { PAGES } = await import("../../lint/pages/pages.ts");
  const page = PAGES.find((one) => one.name === name);
  if (page) {
    const { renderPage } = await import("../../lint/pages/render.ts");
    return print(await fitted(renderPage(page)));
  }
  const { suggest } = await import("../../language/suggest.ts");
  const near = suggest(
    name,
    PAGES.map((one) => one.name),
  );
  return complain(
    `no check is called ${name}; ${near ? `did you mean ${near}?` : "`ctc explain` lists all of them"}`,
  );
}

async function listChecks(): Promise<Exit> {
  const { PAGES } = await import("../../lint/pages/pages.ts");
  const { firstSentence, printIndex } = await import("../../lint/pages/print.ts");
  const width = Math.max(...PAGES.map(({ name }) => name.length));
  const list = printIndex(
    (page) => `  ${page.name.padEnd(width)}  ${firstSentence(page)}`,
    (title) => title,
  );
  return print(await fitted(`${list}\n\`ctc explain NAME\` tells more about one of them.\n`)) || EXIT.clean;
}

/** A text as wide as the screen. In a file or a pipe, lines stay whole. */
async function fitted(text: string): Promise<string> {
  const { isTTY, columns = 80 } = screenOf("stdout");
  if (!isTTY) return text;
  const { wrapMarkdown } = await import("../../report/wrap.ts");
  return wrapMarkdown(text, Math.min(columns, WIDEST));
}

/** Prose in longer lines is hard to read, however wide the screen is. */
const WIDEST = 100;

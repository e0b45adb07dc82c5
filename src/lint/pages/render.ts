import { analyse } from "../../compile.ts";
import { formatPretty } from "../../report/pretty.ts";
import type { Finding } from "../../source/finding.ts";
import type { Source } from "../../source/source.ts";
import { VERSION } from "../../version.ts";
import { checks } from "../lint.ts";
import type { Page } from "./page.ts";
import { printPage } from "./print.ts";

/** Examples stand alone: there is no file that they could name. */
const NO_FILES = { read: () => ({ error: "there is no such file or folder" }) };

/** What `ctc lint` prints about an example. */
export function renderExample(source: Source): string {
  const { findings } = analyse(source, NO_FILES);
  return formatPretty({ findings, files: [source.name], version: VERSION }, { width: 100 });
}

/** The findings of an example. */
export function findingsOf(source: Source): readonly Finding[] {
  return analyse(source, NO_FILES).findings;
}

/** A whole page as Markdown. */
export function renderPage(page: Page): string {
  const isWarning =
    page.level === "warning" ||
    page.name === "unused-ignore" ||
    checks.some(({ name, level }) => name === page.name && level === "warning");
  return printPage(page, isWarning ? "warning" : "error", renderExample);
}

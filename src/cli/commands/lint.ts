import { type Command, Option } from "commander";
import { FORMAT_NAMES, FORMATS, type FormatName } from "../../report/formats.ts";
import { formatPretty } from "../../report/pretty.ts";
import type { Report } from "../../report/report.ts";
import type { Finding } from "../../source/finding.ts";
import { VERSION } from "../../version.ts";
import { addressFilesOf } from "../address-files.ts";
import { EXIT, type Exit } from "../exit.ts";
import { nameOf, readPolicy } from "../input.ts";
import { print } from "../streams.ts";
import { screenOptions } from "../terminal.ts";
import { rootOption } from "./options.ts";

interface Options {
  readonly format: FormatName;
  readonly root?: string;
}

/** `ctc lint` */
export function addLint(program: Command, exit: (code: Exit) => void): void {
  program
    .command("lint")
    .summary("print every finding of every file")
    .description("Checks policies and prints every finding, to standard output.")
    .argument("<file...>", "policies; - for standard input")
    .addOption(
      new Option("-f, --format <format>", "how to print them").choices(FORMAT_NAMES).default("pretty"),
    )
    .addOption(rootOption())
    .action(async (files: string[], options: Options) => exit(await runLint(files, options)));
}

async function runLint(files: readonly string[], { format, root }: Options): Promise<Exit> {
  const names = [...new Set(files)];
  const findings: Finding[] = [];
  let exit: Exit = EXIT.clean;
  for (const file of names) {
    const found = await lintFile(file, root ?? null);
    findings.push(...found.findings);
    if (found.unusable) exit = EXIT.unusable;
    else if (found.findings.length > 0 && exit === EXIT.clean) exit = EXIT.findings;
  }
  const report: Report = { findings, files: names.map(nameOf), version: VERSION };
  const text =
    format === "pretty"
      ? formatPretty(report, screenOptions(process.stdout, process.env))
      : FORMATS[format](report);
  return print(text) || exit;
}

/** The findings about one file, and whether it could not be read or is no YAML at all. */
async function lintFile(
  file: string,
  root: string | null,
): Promise<{ readonly findings: readonly Finding[]; readonly unusable: boolean }> {
  const input = readPolicy(file);
  switch (input.kind) {
    case "unreadable": {
      const span = { source: { name: nameOf(file), text: "" }, start: 0, end: 0 };
      const message = `the file cannot be read: ${input.reason}`;
      return { findings: [{ check: "unreadable-file", level: "error", message, span }], unusable: true };
    }
    case "not-text":
      return { findings: [input.finding], unusable: true };
    case "text": {
      const { analyse } = await import("../../compile.ts");
      const { findings, unparsable } = analyse(input.source, addressFilesOf(file, root));
      return { findings, unusable: unparsable };
    }
  }
}

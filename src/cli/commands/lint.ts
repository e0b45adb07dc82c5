import { type Command, Option } from "commander";
import { FORMAT_NAMES, FORMATS, type FormatName } from "../../report/formats.ts";
import type { Finding } from "../../source/finding.ts";
import { VERSION } from "../../version.ts";
import { addressFilesOf } from "../address-files.ts";
import { EXIT, type Exit } from "../exit.ts";
import { nameOf, readPolicy, STDIN, unreadable } from "../input.ts";
import { writeFiles } from "../output.ts";
import { complain, print, printError } from "../streams.ts";
import { printFindings } from "../tell.ts";
import { rootOption } from "./options.ts";

interface Options {
  readonly format: FormatName;
  readonly root?: string;
  readonly fix?: true;
  readonly unsafeFixes?: true;
  readonly diff?: true;
}

const AFTER = `
Warnings are findings too, and end with exit code 1. The name in the brackets of
a finding leads on: \`ctc explain NAME\` says why it matters and what to do, and
a comment \`# ctc-ignore NAME: reason\` on its line silences a warning.`;

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
    .option("--fix", "mend what can be mended without changing what a policy means, and print the rest")
    .option("--unsafe-fixes", "mend by guesses too, such as the nearest name: read the result")
    .option("--diff", "print what --fix or --unsafe-fixes would change, and write nothing")
    .addHelpText("after", AFTER)
    .action(async (files: string[], options: Options) => exit(await runLint(files, options)));
}

async function runLint(files: readonly string[], options: Options): Promise<Exit> {
  const { format, root = null } = options;
  const names = [...new Set(files)];
  const mends = options.fix || options.unsafeFixes || options.diff;
  if (mends && !options.diff && names.includes(STDIN))
    return complain("standard input cannot be mended in place; with --diff ctc prints what to change");
  const findings: Finding[] = [];
  let exit: Exit = EXIT.clean;
  let fixed = 0;
  const diffs: string[] = [];
  for (const file of names) {
    const found = await (mends ? mendFile(file, root, options) : lintFile(file, root));
    if (found.complaint) return complain(found.complaint);
    findings.push(...found.findings);
    fixed += found.fixed ?? 0;
    if (found.diff) diffs.push(found.diff);
    if (found.unusable) exit = EXIT.unusable;
    else if (found.findings.length > 0 && exit === EXIT.clean) exit = EXIT.findings;
  }
  if (options.diff)
    return print(diffs.join("")) || (exit === EXIT.unusable || diffs.length === 0 ? exit : EXIT.findings);
  if (fixed > 0) printError(`${fixed} ${fixed === 1 ? "finding" : "findings"} mended\n`);
  const inputs = names.map(nameOf);
  const printed =
    format === "pretty"
      ? printFindings(findings, inputs)
      : print(FORMATS[format]({ findings, files: inputs, version: VERSION }));
  return printed || exit;
}

interface Linted {
  readonly findings: readonly Finding[];
  /** The file could not be read or is no YAML at all. */
  readonly unusable: boolean;
  /** How many findings were mended. */
  readonly fixed?: number;
  /** What would be changed, as a unified diff. */
  readonly diff?: string;
  /** Why the mended text could not be written. */
  readonly complaint?: string | null;
}

/** The findings about one file. */
async function lintFile(file: string, root: string | null): Promise<Linted> {
  const input = readPolicy(file);
  switch (input.kind) {
    case "unreadable":
      return { findings: [unreadable(nameOf(file), input.reason)], unusable: true };
    case "not-text":
      return { findings: [input.finding], unusable: true };
    case "text": {
      const { analyse } = await import("../../compile.ts");
      const { findings, unparsable } = analyse(input.source, addressFilesOf(file, root));
      return { findings, unusable: unparsable };
    }
  }
}

/** Mends one file, or works out how, and finds what is left. */
async function mendFile(file: string, root: string | null, { unsafeFixes, diff }: Options): Promise<Linted> {
  const input = readPolicy(file);
  if (input.kind !== "text") return lintFile(file, root);
  const { analyse } = await import("../../compile.ts");
  const { repair } = await import("../../lint/repair.ts");
  const addressFiles = addressFilesOf(file, root);
  const { source, fixed, examination } = repair(input.source, (text) => analyse(text, addressFiles), {
    unsafe: unsafeFixes === true,
  });
  const linted = { findings: examination.findings, unusable: examination.unparsable };
  if (fixed === 0) return linted;
  if (diff) {
    const { createTwoFilesPatch, FILE_HEADERS_ONLY } = await import("diff");
    const { name } = input.source;
    const patch = createTwoFilesPatch(name, name, input.source.text, source.text, undefined, undefined, {
      context: 3,
      headerOptions: FILE_HEADERS_ONLY,
    });
    return { ...linted, fixed, diff: patch };
  }
  return { ...linted, fixed, complaint: writeFiles([{ path: file, text: source.text }], null) };
}

import { formatPretty } from "../report/pretty.ts";
import type { Finding } from "../source/finding.ts";
import type { Source } from "../source/source.ts";
import { VERSION } from "../version.ts";
import { EXIT, type Exit } from "./exit.ts";
import { nameOf, readPolicy } from "./input.ts";
import { complain, print, printError } from "./streams.ts";
import { screenOf, screenOptions } from "./terminal.ts";

type Stream = "stdout" | "stderr";

/** Findings as people read them on a stream; `files` are named in the summary. */
export function prettyFor(stream: Stream, findings: readonly Finding[], files: readonly string[]): string {
  const screen = screenOf(stream);
  const text = formatPretty({ findings, files, version: VERSION }, screenOptions(screen, process.env));
  return screen.isTTY ? text + pointer(findings) : text;
}

/** Where to read on. Programs and logs need not be told. */
function pointer(findings: readonly Finding[]): string {
  const [name, ...others] = new Set(findings.map(({ check }) => check));
  return name === undefined ? "" : `\`ctc explain ${others.length > 0 ? "NAME" : name}\` says more\n`;
}

/** Prints findings that are not what the command was asked for, but why it cannot do that: to standard error. */
export function tell(findings: readonly Finding[], files: readonly string[]): void {
  printError(prettyFor("stderr", findings, files));
}

/** Prints findings that a command was asked for, to standard output. The exit code says whether that went well. */
export function printFindings(findings: readonly Finding[], files: readonly string[]): Exit {
  return print(prettyFor("stdout", findings, files));
}

/** A file without which a command can do nothing, or the exit code after saying why it cannot be read. */
export function readOrTell(path: string): Source | Exit {
  const input = readPolicy(path);
  switch (input.kind) {
    case "unreadable":
      return complain(`cannot read ${path}: ${input.reason}`);
    case "not-text":
      tell([input.finding], [nameOf(path)]);
      return EXIT.unusable;
    case "text":
      return input.source;
  }
}

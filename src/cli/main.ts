import { CommanderError } from "commander";
import { harmless } from "../report/cells.ts";
import { VERSION } from "../version.ts";
import { EXIT, type Exit } from "./exit.ts";
import { buildProgram } from "./program.ts";
import { print, printError } from "./streams.ts";

/** Runs one command line and returns its exit code. */
export async function main(args: readonly string[]): Promise<Exit> {
  let exit: Exit = EXIT.clean;
  const set = (code: Exit): void => {
    if (code !== EXIT.clean) exit = code;
  };
  try {
    const program = buildProgram({
      // Help comes in pieces. Where one cannot be written, neither can the next.
      print: (text) => {
        if (exit === EXIT.clean) set(print(text));
      },
      printError,
      exit: set,
    });
    await program.parseAsync(args, { from: "user" });
    return exit;
  } catch (error) {
    // Commander ends so after --help, and after what it has already complained about.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exit : EXIT.unusable;
    printError(describeBug(error, process.env.CTC_DEBUG === "1"));
    return EXIT.bug;
  }
}

/** What a user reads when ctc itself is wrong. */
function describeBug(error: unknown, debug: boolean): string {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const sentence =
    `ctc: internal error: ${harmless(message)}; this is a bug in ctc ${VERSION}, not in your policy: ` +
    "please report it with the policy, as far as you may share it";
  if (!debug) return `${sentence}, and with what the same command prints when CTC_DEBUG=1 is set\n`;
  const stack =
    error instanceof Error && error.stack ? error.stack.split("\n").map(harmless).join("\n") : "no stack";
  return `${sentence}, and with these lines:\n${stack}\nNode.js ${process.version}\n`;
}

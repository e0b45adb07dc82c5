import { Command } from "commander";
import { VERSION } from "../version.ts";
import { addCompile } from "./commands/compile.ts";
import { addCompletion } from "./commands/completion.ts";
import { addDiff } from "./commands/diff.ts";
import { addExplain } from "./commands/explain.ts";
import { addGolden } from "./commands/golden.ts";
import { addInit } from "./commands/init.ts";
import { addLint } from "./commands/lint.ts";
import { addSchema } from "./commands/schema.ts";
import { addTrace } from "./commands/trace.ts";
import { addVerify } from "./commands/verify.ts";
import type { Exit } from "./exit.ts";

/** What a command line needs from around it. */
export interface Surroundings {
  /** Takes what the command line itself prints, such as help. */
  print(text: string): void;
  printError(text: string): void;
  /** Takes the exit code of the command that ran. */
  exit(code: Exit): void;
}

const DESCRIPTION = `Compiles a network policy to nft and iptables-restore scripts, and proves what they mean.`;

const AFTER = `
Start with \`ctc init -o policy.yaml\`, then \`ctc compile policy.yaml\`.

Exit codes:
  0  all is well
  1  there are findings
  2  the command line, the input or the output cannot be used
  3  a bug in ctc

Colours: on terminals; NO_COLOR=1 turns them off, FORCE_COLOR=1 on.`;

/** The command tree: what is parsed, what `--help` prints and what shells complete. */
export function buildProgram(surroundings: Surroundings): Command {
  const { print, printError, exit } = surroundings;
  const program = new Command("ctc")
    .description(DESCRIPTION)
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help about a command")
    .addHelpText("after", AFTER)
    .exitOverride()
    .configureOutput({
      writeOut: print,
      writeErr: printError,
      outputError: (message, write) =>
        write(
          `ctc: ${message.replace(/^error: /, "").replace(/\n\(Did you mean (.+)\?\)/, "; did you mean $1?")}`,
        ),
    });
  addCompile(program, exit);
  addLint(program, exit);
  addVerify(program, exit);
  addDiff(program, exit);
  addTrace(program, exit);
  addGolden(program, exit);
  addExplain(program, exit);
  addInit(program, exit);
  addSchema(program, exit);
  addCompletion(program, exit);
  for (const command of program.commands) command.showHelpAfterError(`See \`ctc ${command.name()} --help\`.`);
  return program.showHelpAfterError("See `ctc --help`.");
}

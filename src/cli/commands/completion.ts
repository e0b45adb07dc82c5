import { Argument, type Command } from "commander";
import { bashScript } from "../completion/bash.ts";
import { fishScript } from "../completion/fish.ts";
import { describeProgram, type ProgramShape } from "../completion/shape.ts";
import { zshScript } from "../completion/zsh.ts";
import type { Exit } from "../exit.ts";
import { print } from "../streams.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const satisfies Record<
  string,
  (program: ProgramShape) => string
>;

/** `ctc completion` */
export function addCompletion(program: Command, exit: (code: Exit) => void): void {
  program
    .command("completion")
    .summary("print a script that completes ctc's commands in a shell")
    .description("Prints a completion script for a shell.")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(SCRIPTS)))
    .addHelpText(
      "after",
      `
Put into ~/.bashrc:                   source <(ctc completion bash)
Put into ~/.zshrc, after compinit:    source <(ctc completion zsh)
Put into ~/.config/fish/config.fish:  ctc completion fish | source`,
    )
    .action((shell: keyof typeof SCRIPTS) => exit(print(SCRIPTS[shell](describeProgram(program)))));
}

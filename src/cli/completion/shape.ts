import type { Command } from "commander";

/** What may be completed, free of the library that parses it. */
export interface ProgramShape {
  readonly name: string;
  readonly options: readonly OptionShape[];
  readonly commands: readonly CommandShape[];
}

export interface CommandShape {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionShape[];
  /** The words that an argument may be; null where it is a file. Empty where the command takes no arguments. */
  readonly arguments: readonly { readonly name: string; readonly choices: readonly string[] | null }[];
  /** The last argument may be repeated. */
  readonly variadic: boolean;
}

export interface OptionShape {
  /** `--target`, `-t` */
  readonly flags: readonly string[];
  readonly summary: string;
  /** Null where the option takes no value. Its choices are null where the value is a file. */
  readonly value: { readonly name: string; readonly choices: readonly string[] | null } | null;
}

/** Reads the shape of the whole command tree. */
export function describeProgram(program: Command): ProgramShape {
  return {
    name: program.name(),
    options: optionsOf(program),
    commands: program.commands.map((command) => ({
      name: command.name(),
      summary: command.summary(),
      options: optionsOf(command),
      arguments: command.registeredArguments.map((argument) => ({
        name: argument.name(),
        choices: argument.argChoices ?? null,
      })),
      variadic: command.registeredArguments.at(-1)?.variadic ?? false,
    })),
  };
}

function optionsOf(command: Command): OptionShape[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({
      flags: [option.long, option.short].filter((flag) => flag !== undefined),
      summary: option.description,
      value:
        option.required || option.optional
          ? { name: option.attributeName(), choices: option.argChoices ?? null }
          : null,
    }));
}

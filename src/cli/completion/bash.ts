import type { CommandShape, OptionShape, ProgramShape } from "./shape.ts";

/** A completion script for bash 4 and newer. Files are completed by bash itself, wherever no word fits. */
export function bashScript(program: ProgramShape): string {
  const { name, commands, options } = program;
  const first = [...commands.map((command) => command.name), ...flagsOf(options)].join(" ");
  return `# bash completion for ${name}: source <(${name} completion bash)
_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} words=
  # bash takes --option=value apart.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  if ((COMP_CWORD == 1)); then
    words='${first}'
  else
    case \${COMP_WORDS[1]} in
${commands.map(commandCase).join("\n")}
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _${name} ${name}
`;
}

function commandCase(command: CommandShape): string {
  const values = command.options.filter((option) => option.value !== null);
  const choices = command.arguments.flatMap((argument) => argument.choices ?? []);
  return `      ${command.name})
        case $previous in
${values
  .map(
    (option) =>
      `          ${option.flags.join(" | ")}) words='${option.value?.choices?.join(" ") ?? ""}' ;;\n`,
  )
  .join(
    "",
  )}          *) if [[ $current == -* ]]; then words='${flagsOf(command.options).join(" ")}'; else words='${choices.join(" ")}'; fi ;;
        esac
        ;;`;
}

function flagsOf(options: readonly OptionShape[]): string[] {
  return options.map((option) => option.flags[0]!);
}

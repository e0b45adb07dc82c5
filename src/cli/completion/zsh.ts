import type { CommandShape, OptionShape, ProgramShape } from "./shape.ts";

/** A completion script for zsh, to be sourced or put into a folder of `$fpath` as `_ctc`. */
export function zshScript(program: ProgramShape): string {
  const { name, commands, options } = program;
  return `#compdef ${name}
# zsh completion for ${name}: source <(${name} completion zsh)
_${name}() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
${commands.map((command) => `    ${quote(`${command.name}:${command.summary}`)}`).join("\n")}
  )
  _arguments -C \\
${options.map((option) => `    ${optionSpec(option)} \\\n`).join("")}    '1:command:->command' \\
    '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
${commands.map(commandCase).join("\n")}
      esac
      ;;
  esac
}
if [[ $funcstack[1] == _${name} ]]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`;
}

function commandCase({ name, options, arguments: args, variadic }: CommandShape): string {
  const specs = [
    ...options.map(optionSpec),
    ...args.map((argument, index) => {
      const position = variadic && index === args.length - 1 ? "*" : String(index + 1);
      return quote(`${position}:${argument.name}:${actionOf(argument.choices)}`);
    }),
  ];
  return `        ${name}) _arguments ${specs.join(" ")} ;;`;
}

/** `{--target,-t}'[what to emit]:target:(nft iptables)'`, each form excluding the other. */
function optionSpec({ flags, summary, value }: OptionShape): string {
  const words = `[${summary.replace(/[[\]]/g, "\\$&")}]`;
  const rest = quote(words + (value ? `:${value.name}:${actionOf(value.choices)}` : ""));
  return flags.length === 1
    ? `${flags[0]}${rest}`
    : `${quote(`(${flags.join(" ")})`)}{${flags.join(",")}}${rest}`;
}

function actionOf(choices: readonly string[] | null): string {
  return choices ? `(${choices.join(" ")})` : "_files";
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

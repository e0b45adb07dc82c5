import type { OptionShape, ProgramShape } from "./shape.ts";

/** A completion script for fish. */
export function fishScript({ name, commands, options }: ProgramShape): string {
  const lines = [`# fish completion for ${name}: ${name} completion fish | source`, `complete -c ${name} -f`];
  const none = "__fish_use_subcommand";
  for (const option of options) lines.push(optionLine(name, none, option));
  for (const command of commands) {
    lines.push(`complete -c ${name} -n ${none} -a ${command.name} -d ${quote(command.summary)}`);
  }
  for (const command of commands) {
    const condition = quote(`__fish_seen_subcommand_from ${command.name}`);
    for (const option of command.options) lines.push(optionLine(name, condition, option));
    for (const { choices } of command.arguments) {
      lines.push(`complete -c ${name} -n ${condition} ${choices ? `-a ${quote(choices.join(" "))}` : "-F"}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function optionLine(name: string, condition: string, { flags, summary, value }: OptionShape): string {
  const forms = flags
    .map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
    .join(" ");
  const takes = value === null ? "" : value.choices ? ` -x -a ${quote(value.choices.join(" "))}` : " -r -F";
  return `complete -c ${name} -n ${condition} ${forms}${takes} -d ${quote(summary)}`;
}

/** Within single quotes, fish knows `\'` and `\\`. */
function quote(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}

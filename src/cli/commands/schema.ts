import type { Command } from "commander";
import type { Exit } from "../exit.ts";
import { print } from "../streams.ts";

/** `ctc schema` */
export function addSchema(program: Command, exit: (code: Exit) => void): void {
  program
    .command("schema")
    .summary("print the JSON Schema of policy files, for editors")
    .description("Prints the JSON Schema of policy files.")
    .addHelpText(
      "after",
      `
Editors with the YAML language server complete and check policies with it:
  ctc schema > policy.schema.json
and, as the first line of a policy:
  # yaml-language-server: $schema=policy.schema.json`,
    )
    .action(async () => {
      const { policySchemaText } = await import("../../language/json-schema.ts");
      exit(print(policySchemaText()));
    });
}

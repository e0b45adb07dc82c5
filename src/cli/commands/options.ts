import { InvalidArgumentError, Option } from "commander";

/** Options that several commands share. */
export function rootOption(): Option {
  return new Option(
    "--root <folder>",
    "address files may stand anywhere below it (default: the policy's own folder)",
  );
}

/** The name of a file to write. A script in which a variable is empty meant some other one. */
export function fileName(name: string): string {
  if (name === "") throw new InvalidArgumentError("It is empty.");
  return name;
}

import { Option } from "commander";

/** Options that several commands share. */
export function rootOption(): Option {
  return new Option(
    "--root <folder>",
    "address files may stand anywhere below it (default: the policy's own folder)",
  );
}

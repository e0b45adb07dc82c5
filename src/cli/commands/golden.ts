import { type Command, Option } from "commander";
import { FORMAT_NAMES } from "../../report/formats.ts";
import type { Exit } from "../exit.ts";
import { rootOption } from "./options.ts";
import type { GoldenOptions } from "./run-golden.ts";

const AFTER = `
A policy is a file policy.yaml or NAME.policy.yaml. Its scripts are ruleset.nft,
rules.v4 and rules.v6 in the same folder, or in the folder NAME beside it; or,
where a folder above it has a folder \`golden\`, there under the same path. Kinds
of script that the repository has nowhere are not asked for: remove every
rules.v4 and rules.v6 if you only load nft's. Where a file ipsets stands beside
them, the scripts for iptables ask sets, as with ctc compile --ipset.

A file that git ignores is not looked at, and one that ctc did not write is
never written over.`;

/** `ctc golden` */
export function addGolden(program: Command, exit: (code: Exit) => void): void {
  program
    .command("golden")
    .summary("hold the scripts that stand in a repository against its policies")
    .description(
      "Finds the policies in folders, and says which of the scripts kept with them are stale, missing or " +
        "orphaned: what differs in their text, and whether any packet is treated differently.",
    )
    .argument("[path...]", "folders to look for policies in, or policies (default: the present folder)")
    .option("-u, --update", "write the scripts, and say what was written")
    .addOption(
      new Option("-f, --format <format>", "how to print what is wrong")
        .choices(FORMAT_NAMES)
        .default("pretty"),
    )
    .addOption(rootOption())
    .addHelpText("after", AFTER)
    .action(async (folders: string[], options: GoldenOptions) => {
      // Loaded here, because it brings the whole compiler along, which other commands need not wait for.
      const { runGolden } = await import("./run-golden.ts");
      exit(await runGolden(folders.length > 0 ? folders : ["."], options));
    });
}

import { type Command, Option } from "commander";
import { DIFF_FORMATS, type DiffFormat } from "../../diff/formats.ts";
import type { AddressFiles } from "../../language/address-files.ts";
import { plain } from "../../report/paint.ts";
import type { Source } from "../../source/source.ts";
import { VERSION } from "../../version.ts";
import { addressFilesOf } from "../address-files.ts";
import { EXIT, type Exit } from "../exit.ts";
import { STDIN } from "../input.ts";
import { readRevision, revisionOf } from "../revisions.ts";
import { complain, print } from "../streams.ts";
import { readOrTell, tell } from "../tell.ts";
import { paintFor, screenOf } from "../terminal.ts";
import { rootOption } from "./options.ts";

interface Options {
  readonly format: DiffFormat;
  readonly newAccess: boolean;
  readonly root?: string;
}

const AFTER = `
OLD and NEW are files, - for standard input, or files of a git commit:
  ctc diff main:policy.yaml policy.yaml
Such a path counts from the root of the repository, with ./ from here; address
files are then those of the commit.

What is listed are packets, not lines: a change that moves text and nothing else
prints nothing with --format markdown, and exits with 0.

Like diff, it exits with 0 where no packet is treated differently, with 1 where
some are (with --no-new-access only where more packets pass), and with 2 where
either policy cannot be read or has errors, so that nothing could be compared.`;

/** `ctc diff` */
export function addDiff(program: Command, exit: (code: Exit) => void): void {
  program
    .command("diff")
    .summary("say what changes for packets between two policies")
    .description("Compares two policies packet by packet, and says which rules make the difference.")
    .argument("<old>", "the policy as it was")
    .argument("<new>", "the policy as it is to be")
    .addOption(
      new Option("-f, --format <format>", "how to print changes").choices(DIFF_FORMATS).default("pretty"),
    )
    .option("--no-new-access", "exit with 1 only where something is newly allowed")
    .addOption(rootOption())
    .addHelpText("after", AFTER)
    .action(async (before: string, after: string, options: Options) =>
      exit(await runDiff(before, after, options)),
    );
}

async function runDiff(oldPath: string, newPath: string, options: Options): Promise<Exit> {
  if (oldPath === STDIN && newPath === STDIN)
    return complain("standard input can be read once: only one of the policies may be -");
  const { understand } = await import("../../compile.ts");
  const sides: ReturnType<typeof understand>[] = [];
  for (const path of [oldPath, newPath]) {
    const read = readSide(path, options.root ?? null);
    if (typeof read === "number") return read;
    const side = understand(read.source, read.files);
    if (!side.policy) {
      tell(side.findings, [read.source.name]);
      return EXIT.unusable;
    }
    sides.push(side);
  }
  const [before, after] = sides as [(typeof sides)[0], (typeof sides)[0]];

  const { diff } = await import("../../diff/diff.ts");
  const { entriesOf } = await import("../../diff/entries.ts");
  const { formatDiff } = await import("../../diff/formats.ts");
  const { eitherVocabulary } = await import("../../meaning/vocabulary.ts");
  const compared = diff(before.policy!, after.policy!);
  const words = eitherVocabulary(after.words!(), before.words!());
  const { entries, isCut } = entriesOf(compared, before.policy!, after.policy!, words);
  const report = {
    entries,
    isCut,
    before: before.policy!.source,
    after: after.policy!.source,
    version: VERSION,
  };
  const paint = options.format === "pretty" ? paintFor(screenOf("stdout"), process.env) : plain;
  const printed = print(formatDiff(report, options.format, paint));
  // Commander makes `--no-new-access` a `newAccess` that is false.
  const counts = options.newAccess
    ? compared.changes.length > 0
    : compared.changes.some(({ kind }) => kind === "allowed");
  return printed || (counts ? EXIT.findings : EXIT.clean);
}

/** A policy and its address files, or the exit code after saying why it cannot be read. */
function readSide(
  path: string,
  root: string | null,
): { readonly source: Source; readonly files: AddressFiles } | Exit {
  const revision = revisionOf(path);
  if (revision) {
    const { policy, files } = readRevision(revision, root);
    return "error" in policy
      ? complain(`cannot read ${path}: ${policy.error}`)
      : { source: policy.source, files };
  }
  const source = readOrTell(path);
  return typeof source === "number" ? source : { source, files: addressFilesOf(path, root) };
}

import { relative } from "node:path";
import type { Missing, Stale } from "../../golden/compare.ts";
import { findingsOf } from "../../golden/findings.ts";
import { isMended, type Judged, judge } from "../../golden/judge.ts";
import { compareMeaning, faultsOf, type Meant } from "../../golden/meaning.ts";
import { printDiscrepancies, printMended } from "../../golden/print.ts";
import { FORMATS, type FormatName } from "../../report/formats.ts";
import { formatPretty } from "../../report/pretty.ts";
import { VERSION } from "../../version.ts";
import { EXIT, type Exit } from "../exit.ts";
import { type GoldenPolicy, type Goldens, goldensOf, updateGoldens } from "../goldens.ts";
import { type Grounds, groundsOf } from "../repository.ts";
import { complain, print, printError } from "../streams.ts";
import { isSystemError, reasonOf } from "../system-error.ts";
import { screenOf, screenOptions } from "../terminal.ts";
import { refuse } from "./compile.ts";

export interface GoldenOptions {
  readonly update?: boolean;
  readonly format: FormatName;
  readonly root?: string;
}

/** Holds the scripts in folders against their policies, and brings them up to date where it was asked to. */
export async function runGolden(folders: readonly string[], options: GoldenOptions): Promise<Exit> {
  const where = folders.join(", ");
  let grounds: Grounds;
  let goldens: Goldens;
  try {
    const found = groundsOf(folders);
    if ("error" in found) return complain(found.error);
    grounds = found;
    goldens = goldensOf(grounds, options.root ?? null);
  } catch (error) {
    // Not what was asked for, but a folder somewhere below it may be the one that cannot be read.
    const place = isSystemError(error) && error.path ? relative("", error.path) || "." : where;
    return complain(`cannot look for policies in ${place}: ${reasonOf(error)}`);
  }
  const { policies, discrepancies } = goldens;
  // A check that checks nothing must not look like one that passed.
  if (policies.length === 0 && discrepancies.length === 0)
    return complain(`there is no policy in ${where}: a policy is a file policy.yaml or NAME.policy.yaml`);

  const judged = judge(discrepancies, (stale) => {
    const script = { name: grounds.show(stale.path), text: stale.found };
    const beside = Object.fromEntries(
      Object.entries(stale.foundBeside).map(([target, source]) => [
        target,
        { ...source, name: grounds.show(source.name) },
      ]),
    );
    return compareMeaning(meantBy(stale, policies), script, stale.target, beside);
  });
  let left = judged;
  if (options.update) {
    const faults = discrepancies
      .filter((one) => one.kind === "stale" || one.kind === "missing")
      .flatMap((one) => {
        const script = { name: one.path, text: one.wanted };
        return faultsOf(meantBy(one, policies), script, one.target, one.wantedBeside);
      });
    if (faults.length > 0) return refuse(faults);
    const complaint = updateGoldens(grounds.root, discrepancies);
    if (complaint) return complain(complaint);
    printError(printMended(judged.map((one) => shownFrom(grounds, one))));
    left = judged.filter((one) => !isMended(one));
  }
  const shown = left.map((one) => shownFrom(grounds, one));
  const printed = print(textOf(policies, shown, mendingCommand(folders, options), options.format));
  if (policies.some(({ unusable }) => unusable)) return EXIT.unusable;
  const isClean = left.length === 0 && policies.every(({ scripts }) => scripts !== null);
  return printed || (isClean ? EXIT.clean : EXIT.findings);
}

/** What a policy means that has scripts, and so no errors. */
function meantBy({ policy }: Stale | Missing, policies: readonly GoldenPolicy[]): Meant {
  return policies.find((one) => one.policy === policy)!.meant!;
}

/** The same with paths as the user would write them. */
function shownFrom({ show }: Grounds, one: Judged): Judged {
  switch (one.kind) {
    case "stale":
    case "missing":
      return { ...one, path: show(one.path), policy: show(one.policy) };
    case "contested":
      return { ...one, path: show(one.path), other: show(one.other), folder: show(one.folder) };
    case "orphaned":
    case "stray":
    case "foreign":
      return { ...one, path: show(one.path) };
  }
}

function textOf(
  policies: readonly GoldenPolicy[],
  judged: readonly Judged[],
  mend: string,
  format: FormatName,
): string {
  // Warnings are the linter's affair; an error is why a script cannot be told.
  const errors = policies.flatMap(({ findings }) => findings.filter(({ level }) => level === "error"));
  const namesOf = (some: readonly GoldenPolicy[]) => some.map(({ source }) => source.name);
  if (format !== "pretty") {
    const findings = [...errors, ...findingsOf(judged, mend)];
    return FORMATS[format]({ findings, files: namesOf(policies), version: VERSION });
  }
  const broken = policies.filter(({ scripts }) => scripts === null);
  const screen = screenOptions(screenOf("stdout"), process.env);
  const report = { findings: errors, files: namesOf(broken), version: VERSION };
  const texts = [
    broken.length > 0 ? formatPretty(report, screen) : "",
    printDiscrepancies(judged, mend, screen),
  ].filter((text) => text !== "");
  return texts.length > 0 ? texts.join("\n") : `${countOf(policies)}, all scripts up to date\n`;
}

function countOf({ length }: readonly unknown[]): string {
  return length === 1 ? "1 policy" : `${length} policies`;
}

/**
 * The command that mends what this one found. Under pre-commit ctc is installed where only pre-commit finds it, and the
 * command is to be pasted into a shell: so it is spelt out there.
 */
function mendingCommand(folders: readonly string[], { root }: GoldenOptions): string {
  const { execPath, argv, env } = process;
  const program = env.PRE_COMMIT === "1" && argv[1] ? [execPath, argv[1]] : ["ctc"];
  const given = folders.length === 1 && folders[0] === "." ? [] : folders;
  const words = [...program, "golden", "--update", ...(root ? ["--root", root] : []), ...given];
  return words
    .map((word) => (/^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}

import { lstatSync, mkdirSync, readdirSync, realpathSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { analyse, outputsOf } from "../compile.ts";
import { type Compiled, compareGoldens, type Discrepancy, type Repository } from "../golden/compare.ts";
import { isInScope, layoutOf } from "../golden/layout.ts";
import type { Meant } from "../golden/meaning.ts";
import type { AddressFiles } from "../language/address-files.ts";
import type { Finding } from "../source/finding.ts";
import type { Source } from "../source/source.ts";
import { addressFilesOf } from "./address-files.ts";
import { readRegularFile, unreadable } from "./input.ts";
import { writeFiles } from "./output.ts";
import { filesOf, type Grounds, leaves, slashed } from "./repository.ts";
import { reasonOf } from "./system-error.ts";

/** A policy of a repository as it is compiled today. */
export interface GoldenPolicy extends Compiled {
  /** Empty where the file cannot be read. */
  readonly source: Source;
  readonly files: AddressFiles;
  readonly findings: readonly Finding[];
  /** Null where it has errors. */
  readonly meant: Meant | null;
  /** It cannot be read, or is no YAML. */
  readonly unusable: boolean;
}

/** The policies of a repository, and what is not as it should be. Paths are relative to its root. */
export interface Goldens {
  readonly policies: readonly GoldenPolicy[];
  readonly discrepancies: readonly Discrepancy[];
}

/** Names of policies that are the policies of other programs: every object of Kubernetes begins so. */
const KUBERNETES = /^apiVersion:/m;

/**
 * Compiles the policies on some grounds and holds their scripts against the files. `addressRoot` is the folder below which
 * address files may stand; null for each policy's own. Throws the system's error where a folder cannot be read.
 */
export function goldensOf(grounds: Grounds, addressRoot: string | null): Goldens {
  const { root, folders } = grounds;
  const paths = filesOf(root);
  const layout = layoutOf(paths);
  const policies = layout.places
    .filter(({ policy }) => isInScope(policy, folders, layout.mirrors))
    .flatMap(({ policy }) => compileAt(grounds, policy, addressRoot) ?? []);
  const repository: Repository = { layout, paths, read: (path) => readScript(join(root, path)) };
  return { policies, discrepancies: compareGoldens(repository, policies, folders) };
}

/**
 * Writes what is stale or missing, all of it or nothing, and then removes what is orphaned. Null when all went well, else
 * a sentence.
 */
export function updateGoldens(root: string, discrepancies: readonly Discrepancy[]): string | null {
  const wanted = discrepancies.filter((one) => one.kind === "stale" || one.kind === "missing");
  const orphans = discrepancies.filter(({ kind }) => kind === "orphaned");
  try {
    for (const { path } of wanted) {
      const folder = dirname(join(root, path));
      // Somebody else's link must not make root write to where it leads.
      if (leaves(relative(root, realpathSync(existingPart(folder)))))
        return `cannot write ${path}: a symbolic link leads out of the repository`;
      mkdirSync(folder, { recursive: true });
    }
    const complaint = writeFiles(
      wanted.map(({ path, wanted: text }) => ({ path: join(root, path), text })),
      null,
    );
    if (complaint !== null) return complaint;
    for (const { path } of orphans) {
      rmSync(join(root, path));
      removeEmpty(root, dirname(join(root, path)));
    }
  } catch (error) {
    return `cannot bring the scripts up to date: ${reasonOf(error)}`;
  }
  return null;
}

/** Null where the file is a policy of another program. */
function compileAt({ root, show }: Grounds, policy: string, addressRoot: string | null): GoldenPolicy | null {
  const path = join(root, policy);
  const name = show(policy);
  const input = readRegularFile(name, path);
  const given = addressFilesOf(path, addressRoot);
  const empty = { name, text: "" };
  const base = { policy, source: empty, files: given, uses: [], scripts: null, meant: null, unusable: true };
  switch (input.kind) {
    case "not-text":
      return { ...base, findings: [input.finding] };
    case "unreadable":
      return { ...base, findings: [unreadable(name, input.reason)] };
    case "text":
      break;
  }
  const { source } = input;
  if (KUBERNETES.test(source.text)) return null;
  const uses: string[] = [];
  const files: AddressFiles = {
    read(file) {
      uses.push(slashed(join(dirname(policy), file)));
      return given.read(file);
    },
  };
  const { findings, unparsable, policy: proved, words } = analyse(source, files);
  return {
    policy,
    source,
    files: given,
    uses,
    scripts: proved && ((withSets) => outputsOf(proved, withSets)),
    findings,
    meant: proved && words && { policy: proved, words },
    unusable: unparsable,
  };
}

/** The text of a script; null where a link, a folder or something else stands in its place, or no text. */
function readScript(path: string): string | null {
  if (!lstatSync(path).isFile()) return null;
  const input = readRegularFile(path, path);
  return input.kind === "text" ? input.source.text : null;
}

/** The part of a path that there is. */
function existingPart(path: string): string {
  return lstatSync(path, { throwIfNoEntry: false }) ? path : existingPart(dirname(path));
}

/** Removes a folder without contents, and those above it that have none then. */
function removeEmpty(root: string, folder: string): void {
  for (let above = folder; above !== root && readdirSync(above).length === 0; above = dirname(above))
    rmdirSync(above);
}

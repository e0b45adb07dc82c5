import type { Outputs } from "../compile.ts";

/*
 * Where the scripts of a policy stand. Nothing is configured: a policy is a file called `policy.yaml`, and its scripts
 * are the files beside it that `ctc compile -o FOLDER/` writes. A repository that has a folder `golden` keeps the scripts
 * of all other policies there, under the same path, so that a folder that people read holds nothing that a machine wrote.
 */

export type Target = keyof Outputs;

/** The names of the scripts in their folder. */
export const SCRIPT_NAMES: Readonly<Record<Target, string>> = {
  nft: "ruleset.nft",
  iptables: "rules.v4",
  ip6tables: "rules.v6",
};

/** The folder for the scripts of policies that stand elsewhere. */
export const MIRROR = "golden";

const POLICY_NAME = "policy.yaml";

/** A policy and the folder of its scripts. Paths are relative to the repository, with `/`; its own folder is empty. */
export interface Place {
  readonly policy: string;
  readonly folder: string;
}

/** The policies among some files, by path. `files` are all files of the repository, in any order. */
export function placesOf(files: readonly string[]): readonly Place[] {
  const isMirrored = files.some(isInMirror);
  return files
    .filter((path) => nameOf(path) === POLICY_NAME)
    .sort(byPath)
    .map((policy) => {
      const own = folderOf(policy);
      const folder = isMirrored && !isInMirror(policy) ? join(MIRROR, own) : own;
      return { policy, folder };
    });
}

/** Whether a path belongs to one of `folders`: it stands there, or in the mirror of one. */
export function isInScope(path: string, folders: readonly string[]): boolean {
  const mirrored = isInMirror(path) ? path.slice(MIRROR.length + 1) : path;
  return folders.some((folder) => isUnder(path, folder) || isUnder(mirrored, folder));
}

export function isInMirror(path: string): boolean {
  return isUnder(path, MIRROR);
}

/** The scripts of a place, by path. */
export function scriptPaths(folder: string): Readonly<Record<Target, string>> {
  return {
    nft: join(folder, SCRIPT_NAMES.nft),
    iptables: join(folder, SCRIPT_NAMES.iptables),
    ip6tables: join(folder, SCRIPT_NAMES.ip6tables),
  };
}

export function isScript(path: string): boolean {
  return Object.values(SCRIPT_NAMES).includes(nameOf(path));
}

/** The same on every machine, whatever its language. */
export function byPath(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isUnder(path: string, folder: string): boolean {
  return folder === "" || path === folder || path.startsWith(`${folder}/`);
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function join(folder: string, rest: string): string {
  return folder === "" || rest === "" ? folder + rest : `${folder}/${rest}`;
}

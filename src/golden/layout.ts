import type { Outputs } from "../compile.ts";

/*
 * Where policies and their scripts stand in a repository. Nothing is configured: names tell.
 *
 * - A policy is a file `policy.yaml` or `NAME.policy.yaml` (or `.yml`).
 * - The scripts of `policy.yaml` are in its own folder, those of `NAME.policy.yaml` in the folder `NAME` beside it, under
 *   the names that `ctc compile -o FOLDER/` gives them.
 * - Where a folder above the policy has a mirror, the scripts are there, under the same path: a folder that people read
 *   then holds nothing that a machine wrote. A mirror is a folder `golden` in which scripts stand, or nothing yet.
 * - The kinds of script that are kept are those that stand there: who never loads iptables rules has no `rules.v4`. Each
 *   mirror answers for itself, and so do all policies without one.
 * - Where `ipsets` stands in the folder of a policy's scripts, its iptables scripts are those that ask sets. Each folder
 *   answers for itself: which host gets sets is a decision about that host.
 */

export type Target = keyof Outputs;

/** In the order in which they are told of. */
export const TARGETS = ["nft", "iptables", "ip6tables", "ipset"] as const satisfies readonly Target[];

/** What is written where nobody asks for sets. */
export const PLAIN_TARGETS = ["nft", "iptables", "ip6tables"] as const satisfies readonly Target[];

/** The names of the scripts in their folder. */
export const SCRIPT_NAMES: Readonly<Record<Target, string>> = {
  nft: "ruleset.nft",
  iptables: "rules.v4",
  ip6tables: "rules.v6",
  ipset: "ipsets",
};

/** Paths of policies; the pre-commit hooks and the CI steps use the same expression. */
export const POLICY_PATH = /(^|\/)([^/]+\.)?policy\.ya?ml$/;

const MIRROR = "golden";

/** Files that people put beside scripts. */
const COMPANIONS = /(?:^|\/)(?:README\.md|\.gitkeep|\.gitattributes)$/;

/** A policy and the folder of its scripts. Paths are relative to the repository, with `/`; its own folder is empty. */
export interface Place {
  readonly policy: string;
  readonly folder: string;
  /** The kinds of script that are kept: all but sets where there is no script yet. */
  readonly targets: readonly Target[];
}

/** What is where in a repository. */
export interface Layout {
  /** By policy. */
  readonly places: readonly Place[];
  /** The folders that hold the scripts of policies elsewhere. */
  readonly mirrors: readonly string[];
}

/** Finds policies and scripts among the files of a repository, given in any order. */
export function layoutOf(files: readonly string[]): Layout {
  const mirrors = mirrorsOf(files);
  const present = new Set(files);
  const policies = files
    .filter((path) => POLICY_PATH.test(path))
    .sort(byPath)
    .map((policy) => ({ policy, ...homeOf(policy, mirrors) }));
  const kept = new Map<string | null, Set<Target>>();
  for (const { folder, mirror } of policies) {
    const targets = kept.get(mirror) ?? new Set<Target>();
    for (const target of PLAIN_TARGETS) if (present.has(scriptPaths(folder)[target])) targets.add(target);
    kept.set(mirror, targets);
  }
  const targetsOf = (mirror: string | null): readonly Target[] => {
    const targets = PLAIN_TARGETS.filter((target) => kept.get(mirror)?.has(target));
    return targets.length > 0 ? targets : PLAIN_TARGETS;
  };
  const places = policies.map(({ policy, folder, mirror }): Place => {
    const targets = targetsOf(mirror);
    const withSets = present.has(scriptPaths(folder).ipset);
    return { policy, folder, targets: withSets ? [...targets, "ipset"] : targets };
  });
  return { places, mirrors };
}

/** Whether a path belongs to one of `folders`: it stands there, or in the mirror of one. */
export function isInScope(path: string, folders: readonly string[], mirrors: readonly string[]): boolean {
  const mirror = mirrors.find((each) => isUnder(path, each));
  const mirrored = mirror === undefined ? path : join(folderOf(mirror), path.slice(mirror.length + 1));
  return folders.some((folder) => isUnder(path, folder) || isUnder(mirrored, folder));
}

/** The scripts of a folder, by path. */
export function scriptPaths(folder: string): Readonly<Record<Target, string>> {
  return {
    nft: join(folder, SCRIPT_NAMES.nft),
    iptables: join(folder, SCRIPT_NAMES.iptables),
    ip6tables: join(folder, SCRIPT_NAMES.ip6tables),
    ipset: join(folder, SCRIPT_NAMES.ipset),
  };
}

/** Whether a file is called like a script. */
export function isScript(path: string): boolean {
  return Object.values(SCRIPT_NAMES).includes(nameOf(path));
}

/** Whether a file is one that people put beside scripts. */
export function isCompanion(path: string): boolean {
  return COMPANIONS.test(path);
}

/** The same order on every machine, whatever its language. */
export function byPath(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function isUnder(path: string, folder: string): boolean {
  return folder === "" || path === folder || path.startsWith(`${folder}/`);
}

function mirrorsOf(files: readonly string[]): readonly string[] {
  const contents = new Map<string, string[]>();
  for (const path of files) {
    const folder = outermostMirror(path);
    if (folder === null) continue;
    const known = contents.get(folder);
    if (known) known.push(path);
    else contents.set(folder, [path]);
  }
  // Other programs have golden files too, and theirs are nobody's scripts.
  const isOurs = (paths: readonly string[]): boolean => paths.some(isScript) || paths.every(isCompanion);
  return [...contents]
    .filter(([, paths]) => isOurs(paths))
    .map(([folder]) => folder)
    .sort(byPath);
}

/** The first folder on the way to a file that is called as mirrors are. */
function outermostMirror(path: string): string | null {
  const end = `/${folderOf(path)}/`.indexOf(`/${MIRROR}/`);
  return end < 0 ? null : path.slice(0, end + MIRROR.length);
}

/** The folder of a policy's scripts, and the mirror that it is in. */
function homeOf(
  policy: string,
  mirrors: readonly string[],
): { readonly folder: string; readonly mirror: string | null } {
  const folder = folderOf(policy);
  const own = join(folder, nameOf(policy).replace(/\.?policy\.ya?ml$/, ""));
  const around = mirrors.find((mirror) => isUnder(policy, mirror));
  if (around !== undefined) return { folder: own, mirror: around };
  for (let above = folder; ; above = folderOf(above)) {
    const mirror = join(above, MIRROR);
    if (mirrors.includes(mirror))
      return { folder: join(mirror, above === "" ? own : own.slice(above.length + 1)), mirror };
    if (above === "") return { folder: own, mirror: null };
  }
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

import { existsSync, readdirSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, relative, sep } from "node:path";

/*
 * The files of a repository. Only names are looked at here; nothing is read but folders.
 */

/** A folder in which files are looked for, and the part of it that was asked for. */
export interface Grounds {
  /** Absolute: the repository, which is the nearest folder above with a `.git`; without one, what holds all of `folders`. */
  readonly root: string;
  /** What was asked for, relative to `root`, with `/`; the root itself is empty. */
  readonly folders: readonly string[];
  /** A path of the repository as a user writes it who stands where this process does. */
  readonly show: (path: string) => string;
}

/** Where `folders` are, as the user wrote them. Throws the system's error where one does not exist. */
export function groundsOf(folders: readonly string[]): Grounds | { readonly error: string } {
  const real = folders.map((folder) => realpathSync(folder));
  const repository = repositoryAbove(real[0]!);
  const root = repository ?? commonFolder(real);
  const stranger = real.findIndex((folder) => leaves(relative(root, folder)));
  if (stranger >= 0) return { error: `${folders[stranger]} is not in the same repository as ${folders[0]}` };
  const here = realpathSync(".");
  return {
    root,
    folders: real.map((folder) => slashed(relative(root, folder))),
    show: (path) => slashed(relative(here, join(root, path))) || ".",
  };
}

/**
 * The files of a repository, relative to its root, with `/`. What is hidden is left out, what npm has installed, other
 * repositories inside this one, and what git ignores. Throws the system's error where a folder cannot be read.
 */
export function filesOf(root: string): readonly string[] {
  const paths: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (!entry.isDirectory()) paths.push(path);
      else if (entry.name === "node_modules" || entry.name.startsWith(".")) continue;
      else if (!existsSync(join(root, path, ".git"))) walk(path);
    }
  };
  walk("");
  const ignored = ignoredByGit(root, paths);
  return paths.filter((path) => !ignored.has(path));
}

/** Those of the paths that git leaves out of the repository. None where there is no git or no repository. */
function ignoredByGit(root: string, paths: readonly string[]): ReadonlySet<string> {
  if (paths.length === 0 || !existsSync(join(root, ".git"))) return new Set();
  // Loaded here, because it takes milliseconds that other commands need not wait for.
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  // No program that the repository's configuration names runs because somebody looks at its policies.
  const options = ["-C", root, "-c", "core.fsmonitor=false"];
  const { stdout, status } = spawnSync("git", [...options, "check-ignore", "-z", "--stdin"], {
    input: paths.map((path) => `${path}\0`).join(""),
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  return new Set(status === 0 ? stdout.split("\0").slice(0, -1) : []);
}

function repositoryAbove(folder: string): string | null {
  for (let above = folder; ; above = dirname(above)) {
    if (existsSync(join(above, ".git"))) return above;
    if (dirname(above) === above) return null;
  }
}

function commonFolder(folders: readonly string[]): string {
  let common = folders[0]!;
  while (folders.some((folder) => leaves(relative(common, folder)))) common = dirname(common);
  return common;
}

/** Whether a relative path leads out of where it starts. */
export function leaves(way: string): boolean {
  return way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way);
}

/** With `/`, on every system. */
export function slashed(path: string): string {
  return path.split(sep).join("/");
}

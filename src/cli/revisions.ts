import { existsSync, realpathSync } from "node:fs";
import { posix, relative } from "node:path";
import type { AddressFiles } from "../language/address-files.ts";
import type { Source } from "../source/source.ts";
import { leaves, slashed } from "./repository.ts";
import { decodeUtf8 } from "./utf8.ts";

/** A file as it was committed: `main:policy.yaml`. */
export interface Revision {
  /** Anything that git takes for a commit: `main`, `HEAD~1`, `v1.0`. */
  readonly commit: string;
  /** From the root of the repository; from the present folder where it starts with `./` or `../`. */
  readonly path: string;
}

/** What an argument means: a revision where it has a colon and no file is called so. Null: a file. */
export function revisionOf(argument: string): Revision | null {
  const colon = argument.indexOf(":");
  if (colon <= 0 || colon === argument.length - 1 || existsSync(argument)) return null;
  return { commit: argument.slice(0, colon), path: argument.slice(colon + 1) };
}

/** What came of asking git. The reason goes on a sentence: "cannot read x: …". */
type Answer = { readonly source: Source } | { readonly error: string };

/**
 * The policy of a revision, and the address files that it may name: those of the same revision, in its own folder and
 * below, or below `root`, a folder of the work tree.
 */
export function readRevision(
  revision: Revision,
  root: string | null,
): {
  readonly policy: Answer;
  readonly files: AddressFiles;
} {
  const { commit, path } = revision;
  return {
    policy: readBlob(revision),
    files: {
      read(name) {
        if (posix.isAbsolute(name)) return { error: "it is an absolute path" };
        const folder = posix.dirname(fromTop(path));
        const place = posix.join(folder, name);
        if (leaves(posix.relative(root === null ? folder : folderFromTop(root), place)))
          return {
            error:
              "it leads out of the policy's folder; " +
              "a policy may read files in its own folder and below it, or below the folder that --root names",
          };
        return readBlob({ commit, path: place });
      },
    },
  };
}

/** A path of a revision from the root of the repository, as git takes it. */
function fromTop(path: string): string {
  if (!/^\.\.?\//.test(path)) return path;
  const prefix = git(["rev-parse", "--show-prefix"]);
  return posix.join(prefix === null || prefix === "no git" ? "" : prefix.toString().replace(/\n$/, ""), path);
}

/** A folder of the work tree from the root of the repository; the root itself where the folder holds all of it. */
function folderFromTop(folder: string): string {
  const top = git(["rev-parse", "--show-toplevel"]);
  if (top === null || top === "no git" || !existsSync(folder)) return folder;
  const way = slashed(relative(realpathSync(top.toString().replace(/\n$/, "")), realpathSync(folder)));
  return leaves(way) ? "" : way;
}

function readBlob({ commit, path }: Revision): Answer {
  const name = `${commit}:${path}`;
  if (name.includes("\0") || name.includes("\n")) return { error: "no file of a commit is called so" };
  const found = git(["rev-parse", "--verify", "--quiet", "--end-of-options", name]);
  if (found === "no git") return { error: "git is not installed" };
  if (found === null) return { error: reasonWhy(commit, path) };
  const object = found.toString().trim();
  const bytes = git(["cat-file", "blob", object]);
  if (bytes === null || bytes === "no git") return { error: "it is no file in that commit" };
  const input = decodeUtf8(name, bytes);
  switch (input.kind) {
    case "text":
      return { source: input.source };
    case "not-text":
      return { error: input.finding.message };
  }
}

function reasonWhy(commit: string, path: string): string {
  if (git(["rev-parse", "--git-dir"]) === null) return "this folder is in no git repository";
  if (git(["rev-parse", "--verify", "--quiet", "--end-of-options", `${commit}^{commit}`]) === null)
    return `git knows no commit ${commit}`;
  const hint = path.startsWith(".")
    ? ""
    : `; a path counts from the root of the repository, or write ./${path}`;
  return `there is no ${path} in ${commit}${hint}`;
}

/** What git prints; null where it fails. Nothing that the repository configures is run. */
function git(args: readonly string[]): Buffer | null | "no git" {
  // Loaded here, because it takes milliseconds that other commands need not wait for.
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const { stdout, status, error } = spawnSync("git", ["-c", "core.fsmonitor=false", ...args], {
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 2 ** 28,
  });
  if (error && "code" in error && error.code === "ENOENT") return "no git";
  return status === 0 ? stdout : null;
}

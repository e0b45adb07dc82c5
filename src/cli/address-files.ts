import { realpathSync } from "node:fs";
import { dirname, isAbsolute, join, relative } from "node:path";
import type { AddressFiles } from "../language/address-files.ts";
import { readRegularFile, STDIN } from "./input.ts";
import { leaves } from "./repository.ts";
import { reasonOf } from "./system-error.ts";

type Answer = ReturnType<AddressFiles["read"]>;

/**
 * The address files that a policy may name. Policies come from strangers, in pull requests and bug reports, and what
 * stands in an address file can end up in a code frame: so a policy reaches regular files under `root` (its own folder
 * where that is null), and nothing else on this machine. Paths are relative to the policy's folder.
 */
export function addressFilesOf(policy: string, root: string | null): AddressFiles {
  const folder = policy === STDIN ? "." : dirname(policy);
  const known = new Map<string, Answer>();
  return {
    read(path) {
      const name = join(folder, path);
      const answer = known.get(name) ?? readWithin(root ?? folder, folder, path);
      known.set(name, answer);
      return answer;
    },
  };
}

function readWithin(root: string, folder: string, path: string): Answer {
  const where =
    "a policy may read files in its own folder and below it, or below the folder that --root names";
  if (isAbsolute(path)) return { error: `it is an absolute path; ${where}` };
  if (path.includes("\0")) return { error: "it holds a NUL character" };
  const name = join(folder, path);
  try {
    const realRoot = realpathSync(root);
    // The words of the path come first: whether a file outside exists is nobody's business.
    if (leaves(relative(realRoot, join(realpathSync(folder), path))))
      return { error: `it leads out of the policy's folder; ${where}` };
    const real = realpathSync(name);
    if (leaves(relative(realRoot, real)))
      return { error: `a symbolic link leads out of the policy's folder; ${where}` };
    const input = readRegularFile(name, real);
    switch (input.kind) {
      case "text":
        return { source: input.source };
      case "not-text":
        return { error: input.finding.message };
      case "unreadable":
        return { error: input.reason };
    }
  } catch (error) {
    return { error: reasonOf(error) };
  }
}

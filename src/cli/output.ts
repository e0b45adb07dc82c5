import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { writeAll } from "./streams.ts";
import { isSystemError, reasonOf } from "./system-error.ts";

export interface OutputFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Writes files so that nobody ever meets half of one: each goes to a temporary file beside its target, safe on the disk,
 * and only when all are complete do renames put them in place. Existing files keep their mode and owner; symbolic
 * links are written through; pipes and devices are written to directly. `folder` is made first where it does not exist.
 * Null when all went well, else a sentence; no temporary file stays behind then.
 */
export function writeFiles(files: readonly OutputFile[], folder: string | null): string | null {
  const staged: { readonly temporary: string; readonly target: string }[] = [];
  const direct: OutputFile[] = [];
  let path = folder ?? "";
  // An interrupt waits for the few milliseconds that this takes; it would leave temporary files.
  return withoutInterrupts(() => {
    try {
      const inItsWay = folder === null ? null : makeFolder(folder);
      if (inItsWay !== null) return `cannot write ${path}: ${inItsWay} is not a folder`;
      for (const file of files) {
        path = file.path;
        const existing = statSync(path, { throwIfNoEntry: false });
        if (existing?.isDirectory()) return `cannot write ${path}: it is a folder`;
        if (existing && !existing.isFile()) direct.push(file);
        else staged.push(stage(file, existing));
      }
      for (const file of direct) {
        path = file.path;
        writeDirectly(file);
      }
      for (const file of [...staged]) {
        path = file.target;
        renameSync(file.temporary, file.target);
        staged.shift();
      }
      for (const folder of new Set(files.map((file) => dirname(file.path)))) syncFolder(folder);
      return null;
    } catch (error) {
      return `cannot write ${path}: ${reasonOf(error)}`;
    } finally {
      for (const { temporary } of staged) rmSync(temporary, { force: true });
    }
  });
}

/**
 * Makes a folder with the folders above it; returns what is in its way where that is something else. Node's own recursive way
 * never returns where a file system says that a folder which is there cannot hold another, as /proc does.
 */
function makeFolder(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found) return found.isDirectory() ? null : path;
  const parent = dirname(path);
  const inItsWay = parent === path ? null : makeFolder(parent);
  if (inItsWay !== null) return inItsWay;
  try {
    mkdirSync(path);
  } catch (error) {
    // Somebody else made it in the meantime.
    if (!isSystemError(error) || error.code !== "EEXIST" || !statSync(path).isDirectory()) throw error;
  }
  return null;
}

/** Writes a file that must not exist yet, whole or not at all. Null when all went well, else a sentence. */
export function writeNewFile({ path, text }: OutputFile): string | null {
  return withoutInterrupts(() => {
    let fd: number;
    try {
      fd = openSync(path, "wx");
    } catch (error) {
      if (isSystemError(error) && error.code === "EEXIST") {
        return `${path} exists already, and is left as it is; choose another name, or remove it first`;
      }
      return `cannot write ${path}: ${reasonOf(error)}`;
    }
    try {
      writeAll(fd, Buffer.from(text));
      fsyncSync(fd);
      return null;
    } catch (error) {
      rmSync(path, { force: true });
      return `cannot write ${path}: ${reasonOf(error)}`;
    } finally {
      closeSync(fd);
    }
  });
}

/** A complete copy of the new text, beside the file that it will replace. */
function stage(
  { path, text }: OutputFile,
  existing: Stats | undefined,
): { temporary: string; target: string } {
  const target = existing ? realpathSync(path) : path;
  const temporary = join(
    dirname(target),
    `.${basename(target)}.${process.pid}-${process.hrtime.bigint()}.tmp`,
  );
  const fd = openSync(temporary, "wx", existing ? existing.mode & 0o777 : 0o666);
  try {
    if (existing) keepOwnerAndMode(fd, existing);
    writeAll(fd, Buffer.from(text));
    fsyncSync(fd);
    return { temporary, target };
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

function keepOwnerAndMode(fd: number, { uid, gid, mode }: Stats): void {
  try {
    fchownSync(fd, uid, gid);
  } catch (error) {
    // Only root may give files away; anybody else becomes the owner of what he replaces.
    if (!isSystemError(error) || error.code !== "EPERM") throw error;
  }
  fchmodSync(fd, mode & 0o7777);
}

function writeDirectly({ path, text }: OutputFile): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    writeAll(fd, Buffer.from(text));
  } finally {
    closeSync(fd);
  }
}

/** Makes renames last through a power cut. */
function syncFolder(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } catch (error) {
    // Some file systems have no such thing.
    if (!isSystemError(error) || error.code !== "EINVAL") throw error;
  } finally {
    closeSync(fd);
  }
}

function withoutInterrupts<T>(action: () => T): T {
  const signals = ["SIGHUP", "SIGINT", "SIGTERM"] as const;
  const ignore = (): void => {};
  for (const signal of signals) process.on(signal, ignore);
  try {
    return action();
  } finally {
    for (const signal of signals) process.off(signal, ignore);
  }
}

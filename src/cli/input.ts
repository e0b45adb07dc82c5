import { closeSync, constants, fstatSync, openSync } from "node:fs";
import type { Finding } from "../source/finding.ts";
import type { Source } from "../source/source.ts";
import { readAll } from "./streams.ts";
import { reasonOf } from "./system-error.ts";
import { decodeUtf8 } from "./utf8.ts";

/** What came of reading a file. */
export type Input =
  | { readonly kind: "text"; readonly source: Source }
  /** Its bytes are no text. */
  | { readonly kind: "not-text"; readonly finding: Finding }
  /** The reason goes on a sentence: "cannot read x: …". */
  | { readonly kind: "unreadable"; readonly reason: string };

/** A name for standard input in place of a file. */
export const STDIN = "-";

/** A policy of a million rules has about 80 MB; `/dev/zero` has no end. */
const LARGEST = 256 * 2 ** 20;

/** The name of a policy in findings. */
export function nameOf(path: string): string {
  return path === STDIN ? "<stdin>" : path;
}

/** Reads a policy file, or standard input for `-`. Waits for pipes. */
export function readPolicy(path: string): Input {
  if (path === STDIN) return read(nameOf(path), () => 0);
  return read(path, () => openSync(path, constants.O_RDONLY));
}

/** Reads a regular file, and nothing else: to open a pipe or a device can hang or act. */
export function readRegularFile(name: string, path: string): Input {
  return read(
    name,
    () => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
    (fd) => (fstatSync(fd).isFile() ? null : "it is not a regular file"),
  );
}

function read(name: string, open: () => number, refuse: (fd: number) => string | null = () => null): Input {
  let fd: number | null = null;
  try {
    fd = open();
    const reason = refuse(fd);
    if (reason) return { kind: "unreadable", reason };
    const bytes = readAll(fd, LARGEST);
    if (!bytes) return { kind: "unreadable", reason: `it is larger than ${LARGEST / 2 ** 20} MiB` };
    return decodeUtf8(name, bytes);
  } catch (error) {
    return { kind: "unreadable", reason: reasonOf(error) };
  } finally {
    if (fd !== null && fd !== 0) closeSync(fd);
  }
}

/** Says of one file among several that it cannot be read. */
export function unreadable(name: string, reason: string): Finding {
  const span = { source: { name, text: "" }, start: 0, end: 0 };
  return { check: "unreadable-file", level: "error", message: `the file cannot be read: ${reason}`, span };
}

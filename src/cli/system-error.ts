import { getSystemErrorMessage } from "node:util";

const WORDS: Record<string, string> = {
  EACCES: "permission denied",
  EDQUOT: "the disk quota is used up",
  EEXIST: "it exists already",
  EFBIG: "it would be too large",
  EISDIR: "it is a folder",
  ELOOP: "its symbolic links go round in circles",
  ENOENT: "there is no such file or folder",
  ENOSPC: "no space is left on the device",
  ENOTDIR: "a part of its path is not a folder",
  EPERM: "the system does not permit it",
  EROFS: "the file system is read-only",
};

/** An error that the operating system reported; anything else is a bug in ctc. */
export type SystemError = Error & { readonly code: string; readonly errno: number; readonly path?: string };

export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && "code" in error && "errno" in error && typeof error.errno === "number";
}

/** Why the system refused, in words that go on a sentence. Throws what is no system error. */
export function reasonOf(error: unknown): string {
  if (!isSystemError(error)) throw error;
  return WORDS[error.code] ?? getSystemErrorMessage(error.errno);
}

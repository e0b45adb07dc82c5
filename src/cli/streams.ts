import { readSync, writeSync } from "node:fs";
import { harmless } from "../report/cells.ts";
import { EXIT, type Exit } from "./exit.ts";
import { isSystemError, reasonOf } from "./system-error.ts";

const STDOUT = 1;
const STDERR = 2;
const CHUNK = 1 << 16;

/** Writes to standard output; the exit code says whether that went well. A reader that went away gets no words. */
export function print(text: string): Exit {
  try {
    writeAll(STDOUT, Buffer.from(text));
    return EXIT.clean;
  } catch (error) {
    if (isSystemError(error) && error.code === "EPIPE") return EXIT.brokenPipe;
    return complain(`cannot write to standard output: ${reasonOf(error)}`);
  }
}

/** Writes to standard error. Where nobody listens there, there is nobody to tell. */
export function printError(text: string): void {
  try {
    writeAll(STDERR, Buffer.from(text));
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** Says in a sentence on standard error what cannot be done. */
export function complain(sentence: string): typeof EXIT.unusable {
  printError(`ctc: ${harmless(sentence)}\n`);
  return EXIT.unusable;
}

/** Writes every byte, also where the file descriptor takes only a few at a time. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += patiently(() => writeSync(fd, bytes, at));
}

/** Reads to the end, or until more than `most` bytes have come: null. */
export function readAll(fd: number, most: number): Buffer | null {
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const count = patiently(() => readSync(fd, chunk));
    if (count === 0) return Buffer.concat(chunks);
    total += count;
    if (total > most) return null;
    chunks.push(chunk.subarray(0, count));
  }
}

/** Another program may have made a terminal or pipe non-blocking: wait, and try again. */
function patiently<T>(action: () => T): T {
  for (;;) {
    try {
      return action();
    } catch (error) {
      if (!isSystemError(error) || error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

import type { Source, Span } from "../source/source.ts";
import type { AddressNode } from "./ast.ts";
import { quoted, type Reporter } from "./checks.ts";
import { readMember } from "./words.ts";

/** The files that a policy names. Reading them is for whoever has a disk; this side only asks. */
export interface AddressFiles {
  /** The file at `path` as the policy writes it, or why there is none: a few words without a full stop. */
  read(path: string): { readonly source: Source } | { readonly error: string };
}

/**
 * The addresses of a file: an address, a CIDR, a range or a declared name a line, with `#` comments and blank lines.
 * `span` is where the policy names the file; findings about its lines point into the file itself.
 */
export function readAddressFile(
  path: string,
  span: Span,
  files: AddressFiles,
  report: Reporter,
): readonly AddressNode[] {
  const answer = files.read(path);
  if ("error" in answer) {
    report.error("unreadable-file", span, `the file ${quoted(path)} cannot be read: ${answer.error}`);
    return [];
  }
  const { source } = answer;
  const addresses: AddressNode[] = [];
  // A byte-order mark is no part of the first line.
  for (const match of source.text.matchAll(/[^\r\n\ufeff][^\r\n]*/g)) {
    const written = match[0].replace(/#.*/, "");
    const text = written.trim();
    if (text === "") continue;
    const start = match.index + written.indexOf(text);
    const place: Span = { source, start, end: start + text.length };
    const address = /[\s,]/.test(text) ? severalWords(place, report) : readMember(text, place, report);
    if (address) addresses.push(address);
  }
  return addresses;
}

function severalWords(span: Span, report: Reporter): null {
  report.error("bad-address", span, "a line of an address file holds one address, CIDR, range or name", {
    help: "write each of them on a line of its own, and comments behind a `#`",
  });
  return null;
}

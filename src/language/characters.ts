import type { Source } from "../source/source.ts";
import { codeName, type Reporter } from "./checks.ts";

/**
 * Characters that a policy cannot hold: those that YAML excludes (section 5.1; control characters other than tab and
 * line feed), and those that make an editor show something other than what stands there: a carriage return without a
 * line feed, and the marks that reverse the direction of text ("Trojan Source", CVE-2021-42574).
 */
const FORBIDDEN =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]|\r(?!\n)/g;

/** How many of them are shown. Who has more of them has a file that is no text. */
const SHOWN = 5;

/** Reports forbidden characters; returns whether there are none. */
export function checkCharacters(source: Source, report: Reporter): boolean {
  let count = 0;
  for (const match of source.text.matchAll(FORBIDDEN)) {
    count++;
    if (count > SHOWN) break;
    const span = { source, start: match.index, end: match.index + 1 };
    const code = match[0].charCodeAt(0);
    report.error("control-character", span, `the character ${codeName(code)} cannot stand in a policy`, {
      help: code === 0 ? "is this a text file? If it is UTF-16, save it as UTF-8" : "remove it",
    });
  }
  return count === 0;
}

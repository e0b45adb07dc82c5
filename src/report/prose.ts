import type { Finding } from "../source/finding.ts";
import { harmless } from "./cells.ts";
import { placeOf } from "./place.ts";

/**
 * A finding in plain lines for formats that show no code: the message, then a line for each other place, note and the
 * help. Nothing in it acts on a terminal.
 */
export function proseOf(finding: Finding): string {
  const { message, label, related = [], notes = [], help, fix } = finding;
  const lines = [label ? `${message} (${label})` : message];
  for (const note of notes) {
    const [first = "", ...others] = note.split(/\r\n|\n|\r/);
    // A bar before further lines: CI services take lines that start with `::` for commands.
    lines.push(`note: ${first}`, ...others.map((line) => `| ${line}`));
  }
  for (const place of related) lines.push(`see ${placeOf(place.span)}: ${place.text}`);
  if (help) lines.push(`help: ${help}`);
  else if (fix) lines.push(`help: ${fix.title}`);
  return lines.map(harmless).join("\n");
}

import type { Family } from "../address/ranges.ts";
import { describeSets, type Sets } from "../meaning/describe-set.ts";
import type { Diagram } from "../packets/nodes.ts";
import type { Subject } from "./check.ts";

/** A note that names all the packets that a finding is about; none where that is no short list. */
export function wholeSet(
  sets: Sets,
  { meaning, words }: Pick<Subject, "meaning" | "words">,
  universe: (family: Family) => Diagram = meaning.answerable,
): readonly string[] {
  const lines = describeSets(sets, universe, meaning, words());
  if (!lines) return [];
  return [
    lines.length === 1
      ? `all of them: ${lines[0]}`
      : `all of them:\n${lines.map((line) => `  ${line}`).join("\n")}`,
  ];
}

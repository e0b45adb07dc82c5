import { readPolicy } from "../../support/policy.ts";
import { type Bench, compare, type Difference } from "./run.ts";
import type { Shot } from "./shots.ts";

/** What is left of a policy once everything is taken out that a difference does not need. */
export interface Shrunk {
  readonly text: string;
  readonly difference: Difference;
}

/** Tries at most. A random policy has some twenty sentences, each with a few words that may go. */
const TRIES = 200;

/** Takes sentences, flags and words out of a policy as long as the kernel still does otherwise with the packet. */
export async function shrink(bench: Bench, text: string, found: Difference): Promise<Shrunk> {
  const [shot] = found.shots;
  let best: Shrunk = { text, difference: found };
  let tries = 0;
  for (let shorter = true; shorter && tries < TRIES; ) {
    shorter = false;
    for (const candidate of candidates(best.text)) {
      if (tries++ >= TRIES) break;
      const difference = await differenceIn(bench, candidate, shot!);
      if (!difference) continue;
      best = { text: candidate, difference };
      shorter = true;
      break;
    }
  }
  return best;
}

async function differenceIn(bench: Bench, text: string, shot: Shot): Promise<Difference | null> {
  const { policy } = readPolicy(text);
  if (!policy) return null;
  const { differences } = await compare(bench, policy, [shot]);
  return differences[0] ?? null;
}

/** The policy without one of its lines, or without a clause of one. */
function candidates(text: string): readonly string[] {
  const lines = text.split("\n");
  const without = lines.flatMap((line, i) => (isSpare(line) ? [tidy(lines.toSpliced(i, 1))] : []));
  const clauses = lines.flatMap((line, i) =>
    CLAUSES.flatMap((clause) => (clause.test(line) ? [tidy(lines.with(i, line.replace(clause, "")))] : [])),
  );
  return [...without, ...clauses];
}

function isSpare(line: string): boolean {
  return /^ {6}- |^ {2}- (?!name)|^host:|^ {4}(doNotTrack|symmetricAllow)/.test(line);
}

const CLAUSES = [
  / (in|out) (not )?[\w*]+(, [\w*]+)*/,
  / log( "[^"]*")?/,
  / limit \S+ burst \d+/,
  / port (not )?[\w-]+(, [\w-]+)*/,
  / replies/,
  / keep-ports/,
] as const;

/** A list from which everything was taken is still a list. */
function tidy(lines: readonly string[]): string {
  return lines
    .join("\n")
    .replace(/ {4}rules:\n(?! {6}-)/g, "    rules: []\n")
    .replace(/nat:\n(?! {2}-)/g, "");
}

import type { Finding, Fix } from "../source/finding.ts";
import type { Source } from "../source/source.ts";
import { applyFixes } from "./apply-fix.ts";

/** What is found in a text. */
export interface Examination {
  readonly findings: readonly Finding[];
  /** It is no YAML, so that nothing in it could be checked. */
  readonly unparsable: boolean;
}

export interface Repair {
  readonly source: Source;
  /** How many fixes were carried out. */
  readonly fixed: number;
  /** What is found afterwards. */
  readonly examination: Examination;
}

/** A file that needs more rounds than this is better mended by its author. */
const MOST_ROUNDS = 100;

/**
 * Carries out the fixes of findings, and looks again: a mended name may bring other findings to light. Safe fixes are
 * carried out together, unsafe ones one at a time, because one may make the next one pointless or wrong. A round that
 * would leave the file worse than it was, no YAML any more or with more errors, is not taken.
 */
export function repair(
  source: Source,
  examine: (source: Source) => Examination,
  options: { readonly unsafe: boolean },
): Repair {
  let current: Repair = { source, fixed: 0, examination: examine(source) };
  const refused = new Set<string>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const batch = nextBatch(current, options.unsafe, refused);
    if (batch.length === 0) break;
    const { text, applied } = applyFixes(batch, current.source.text);
    const mended = { ...source, text };
    const examination = examine(mended);
    if (isWorse(examination, current.examination)) {
      for (const fix of batch) refused.add(keyOf(fix));
      continue;
    }
    current = { source: mended, fixed: current.fixed + applied.length, examination };
  }
  return current;
}

function nextBatch({ source, examination }: Repair, unsafe: boolean, refused: ReadonlySet<string>): Fix[] {
  const fixes = examination.findings.flatMap(({ fix }) =>
    fix && !refused.has(keyOf(fix)) && fix.edits.every(({ span }) => span.source === source) ? [fix] : [],
  );
  const safe = fixes.filter((fix) => fix.safe);
  return safe.length > 0 ? safe : unsafe ? fixes.slice(0, 1) : [];
}

function keyOf({ title, edits }: Fix): string {
  return [title, ...edits.map(({ span, text }) => `${span.start}-${span.end} ${text}`)].join("\n");
}

function isWorse(now: Examination, before: Examination): boolean {
  const errors = ({ findings }: Examination): number =>
    findings.filter(({ level }) => level === "error").length;
  if (now.unparsable !== before.unparsable) return now.unparsable;
  // Mending what could not be read lets later passes find what they could not see.
  const wasHidden = before.findings.some(({ level }) => level === "error");
  return !wasHidden && errors(now) > errors(before);
}

import type { Finding } from "../source/finding.ts";
import type { Discrepancy, Stale } from "./compare.ts";
import { type TextDiff, textDiff } from "./text-diff.ts";

/** What an old script means, against what its policy means. */
export type Meaning =
  /** Proved: no packet is treated differently. */
  | { readonly kind: "equal" }
  /** Packets are treated differently: a finding for each set of them. */
  | { readonly kind: "different"; readonly differences: readonly Finding[] }
  /** Nobody knows, for a reason that goes on a sentence. */
  | { readonly kind: "unknown"; readonly reason: string };

/** A stale script, and what it matters. */
export interface JudgedStale extends Stale {
  /** Null where nearly every line differs. */
  readonly diff: TextDiff | null;
  /** Only its line endings differ: git or an editor has changed them. */
  readonly endingsOnly: boolean;
  readonly meaning: Meaning;
}

export type Judged = Exclude<Discrepancy, Stale> | JudgedStale;

/** Adds to every stale script how its text and its meaning differ. */
export function judge(
  discrepancies: readonly Discrepancy[],
  compareMeaning: (stale: Stale) => Meaning,
): readonly Judged[] {
  return discrepancies.map((one): Judged => {
    if (one.kind !== "stale") return one;
    const found = one.found.replaceAll("\r\n", "\n");
    const endingsOnly = found === one.wanted;
    return {
      ...one,
      diff: endingsOnly ? null : textDiff(found, one.wanted),
      endingsOnly,
      meaning: endingsOnly ? { kind: "equal" } : compareMeaning(one),
    };
  });
}

/** Whether `--update` puts it right. */
export function isMended({ kind }: Judged): boolean {
  return kind === "stale" || kind === "missing" || kind === "orphaned";
}

/** How a stale script differs, without a full stop: `3 lines differ, no packet is treated differently`. */
export function differenceOf({ diff, endingsOnly, meaning }: JudgedStale): string {
  if (endingsOnly) return "only its line endings differ";
  const lines =
    diff === null
      ? "nearly every line differs"
      : diff.lines === 1
        ? "1 line differs"
        : `${diff.lines} lines differ`;
  switch (meaning.kind) {
    case "equal":
      return `${lines}, no packet is treated differently`;
    case "different":
      return `${lines}, and packets are treated differently`;
    case "unknown":
      return `${lines}, and whether packets are treated differently cannot be told: ${meaning.reason}`;
  }
}

/** How to bring a repository up to date: what `mend` does not do, a person must. */
export function adviceFor(judged: readonly Judged[], mend: string): readonly string[] {
  const has = (wanted: Judged["kind"]): boolean => judged.some(({ kind }) => kind === wanted);
  const mended = judged.filter(isMended).length;
  return [
    ...(mended > 0 ? [`Run \`${mend}\` to bring ${mended === 1 ? "it" : "them"} up to date.`] : []),
    ...(judged.some((one) => one.kind === "stale" && one.endingsOnly)
      ? [
          "Keep git from changing line endings: `ruleset.nft rules.v4 rules.v6 ipsets`, each with `text eol=lf`, in .gitattributes.",
        ]
      : []),
    ...(has("stray") ? ["Remove stray files, or name them in a policy."] : []),
    ...(has("foreign") ? ["Move files that ctc did not write out of the way of its scripts."] : []),
    ...(has("contested") ? ["Give each policy a name or a folder of its own."] : []),
  ];
}

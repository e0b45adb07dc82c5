import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import type { Discrepancy } from "./compare.ts";

/** Lines of a diff around each change. */
const CONTEXT = 3;

/** Discrepancies for people: a sentence each, with a unified diff where two texts differ. Empty where there are none. */
export function printDiscrepancies(discrepancies: readonly Discrepancy[], mend: string): string {
  if (discrepancies.length === 0) return "";
  const mended = discrepancies.filter(({ kind }) => kind !== "stray").length;
  const advice = [
    ...(mended > 0 ? [`Run \`${mend}\` to bring ${mended === 1 ? "it" : "them"} up to date.`] : []),
    ...(mended < discrepancies.length ? ["Remove stray files, or name them in a policy."] : []),
  ];
  return [...discrepancies.map(describe), `${countsOf(discrepancies)}. ${advice.join(" ")}\n`].join("\n");
}

function describe(discrepancy: Discrepancy): string {
  const { path } = discrepancy;
  switch (discrepancy.kind) {
    case "stale":
      return `stale: ${path}\n${unifiedDiff(path, discrepancy.found, discrepancy.wanted)}`;
    case "missing":
      return `missing: ${path}\n`;
    case "orphaned":
      return `orphaned: ${path} (no policy has its scripts here)\n`;
    case "stray":
      return `stray: ${path} (no policy reads it)\n`;
  }
}

/** What must change in a file: `-` lines go, `+` lines come. */
export function unifiedDiff(path: string, found: string, wanted: string): string {
  return createTwoFilesPatch(path, path, found, wanted, "as it is", "as it should be", {
    context: CONTEXT,
    headerOptions: FILE_HEADERS_ONLY,
  });
}

function countsOf(discrepancies: readonly Discrepancy[]): string {
  return (["stale", "missing", "orphaned", "stray"] as const)
    .map((kind) => ({ kind, count: discrepancies.filter((one) => one.kind === kind).length }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => `${count} ${kind}`)
    .join(", ");
}

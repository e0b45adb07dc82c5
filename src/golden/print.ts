import { harmless } from "../report/cells.ts";
import { type Paint, plain } from "../report/paint.ts";
import { formatFinding, type PrettyOptions } from "../report/pretty.ts";
import { adviceFor, differenceOf, isMended, type Judged, type JudgedStale } from "./judge.ts";

/** Rows of one diff that are shown; `git diff` shows the rest, once the script is up to date. */
const MOST_ROWS = 200;

/** What there is to say, in the order in which it is counted. */
const KINDS = [
  "stale",
  "missing",
  "orphaned",
  "stray",
  "foreign",
  "contested",
] as const satisfies Judged["kind"][];

/**
 * What is not as it should be, for people: a paragraph each, with a unified diff where two texts differ and a code frame
 * for packets that are treated differently, and a line that sums them up and names the command that mends them. Empty
 * where there is nothing.
 */
export function printDiscrepancies(
  judged: readonly Judged[],
  mend: string,
  options: Partial<PrettyOptions> = {},
): string {
  if (judged.length === 0) return "";
  const { paint = plain } = options;
  const counts = KINDS.map((kind) => ({ kind, count: judged.filter((one) => one.kind === kind).length }))
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) => `${count} ${kind}`);
  const summary = `${paint("error", counts.join(", "))}. ${adviceFor(judged, mend).join(" ")}\n`;
  const told = new Set<string>();
  return [...judged.map((one) => describe(one, told, options)), summary].join("\n");
}

/** What an update did, a line for each file. */
export function printMended(judged: readonly Judged[]): string {
  return judged
    .filter(isMended)
    .map((one) => {
      const deed = `${one.kind === "orphaned" ? "removed" : "wrote"} ${one.path}`;
      return `${harmless(one.kind === "stale" ? `${deed} (${differenceOf(one)})` : deed)}\n`;
    })
    .join("");
}

function describe(one: Judged, told: Set<string>, options: Partial<PrettyOptions>): string {
  const { paint = plain } = options;
  const title = `${paint("error", one.kind)}: ${paint("strong", harmless(one.path))}`;
  switch (one.kind) {
    case "stale":
      return `${title}\n${describeStale(one, told, options)}`;
    case "missing":
      return `${title} (a script of ${harmless(one.policy)})\n`;
    case "orphaned":
      return `${title} (no policy has its scripts here)\n`;
    case "stray":
      return `${title} (no policy reads it)\n`;
    case "foreign":
      return `${title} (ctc did not write it, and leaves it as it is)\n`;
    case "contested":
      return `${title} (${harmless(one.other)} has its scripts in the same folder, ${harmless(one.folder || ".")})\n`;
  }
}

/** `told` are the differences of other scripts: those of one policy mostly differ in the same packets. */
function describeStale(stale: JudgedStale, told: Set<string>, options: Partial<PrettyOptions>): string {
  const { path, policy, diff, meaning } = stale;
  const { paint = plain } = options;
  const rows = diff?.rows ?? [];
  const shown = rows.slice(0, MOST_ROWS);
  const differences = meaning.kind === "different" ? meaning.differences : [];
  const fresh = differences.filter(({ message, notes = [] }) => {
    const key = JSON.stringify([policy, message, notes[0]]);
    return !told.has(key) && told.add(key);
  });
  const end = fresh.length > 0 ? ":" : differences.length > 0 ? ", as said above." : ".";
  const head = diff
    ? [
        paint("removed", `--- ${harmless(path)} as it is`),
        paint("added", `+++ ${harmless(path)} as it should be`),
      ]
    : [];
  const rest = rows.length > shown.length ? [`… and ${rows.length - shown.length} more rows`] : [];
  const sentence = `${harmless(differenceOf(stale))}${end}`;
  const text = [...head, ...shown.map((row) => paintRow(row, paint)), ...rest, sentence].join("\n");
  return [`${text}\n`, ...fresh.map((finding) => formatFinding(finding, options))].join("\n");
}

function paintRow(row: string, paint: Paint): string {
  // A row of a diff never begins with `::`, which CI services would take for a command.
  const text = harmless(row);
  if (row.startsWith("@@")) return paint("frame", text);
  if (row.startsWith("-")) return paint("removed", text);
  return row.startsWith("+") ? paint("added", text) : text;
}

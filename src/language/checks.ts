import type { Finding, Log } from "../source/finding.ts";
import type { Source, Span } from "../source/source.ts";

/** Every check of the front end, in the order in which a file meets them: its text, its shape, its sentences. */
export const languageChecks = [
  "control-character",
  "yaml-syntax",
  "nested-too-deeply",
  "several-documents",
  "yaml-alias",
  "duplicate-key",
  "unknown-key",
  "missing-key",
  "bad-value",
  "quote-sentence",
  "bad-name",
  "duplicate-policy",
  "unreadable-file",
  "sentence-syntax",
  "duplicate-clause",
  "missing-clause",
  "misplaced-clause",
  "bad-protocol",
  "bad-icmp-type",
  "bad-address",
  "host-bits",
  "ambiguous-address",
  "bad-port",
  "port-without-protocol",
  "bad-device",
  "bad-limit",
  "bad-log-prefix",
  "too-many-findings",
] as const;

export type LanguageCheck = (typeof languageChecks)[number];

/** Everything in a finding but its check, level, message and span. */
export type Advice = Omit<Finding, "check" | "level" | "message" | "span">;

/** How the passes of the front end report: its checks are all errors, and only the listed ones exist. */
export interface Reporter {
  error(check: LanguageCheck, span: Span, message: string, advice?: Advice): void;
  /** Further findings are only counted, so their words need not be worked out. */
  readonly isFull: boolean;
}

/** How many findings of one file are told one by one. A file with more is not what its author thinks it is. */
export const FINDINGS_TOLD = 200;

/** A reporter that goes silent after `FINDINGS_TOLD` findings, so that garbage costs neither memory nor patience. */
export interface LimitedReporter extends Reporter {
  /** Passes everything on to the log: the findings in `source` from its top to its bottom, then those in other files. */
  finish(source: Source): void;
}

/** A reporter that writes to `log` when it is finished. */
export function limitedReporter(log: Log): LimitedReporter {
  const told: Finding[] = [];
  let count = 0;
  let firstUntold: Span | null = null;
  return {
    error(check, span, message, advice = {}) {
      count++;
      if (count <= FINDINGS_TOLD)
        told.push({ check, level: "error", message: visible(message), span, ...advice });
      else firstUntold ??= span;
    },
    get isFull() {
      return count >= FINDINGS_TOLD;
    },
    finish(source) {
      const place = ({ span }: Finding) => (span.source === source ? span.start : Number.MAX_SAFE_INTEGER);
      for (const finding of told.sort((a, b) => place(a) - place(b))) log.report(finding);
      if (!firstUntold) return;
      const untold = count - FINDINGS_TOLD;
      log.report({
        check: "too-many-findings",
        level: "error",
        message: untold === 1 ? "and 1 more finding" : `and ${untold} more findings`,
        span: firstUntold,
        label: "the first of them",
        help: "correct what is reported above; the rest will then be told",
      });
    },
  };
}

/** A word for a message: in backquotes, and cut when somebody wrote a novel. */
export function quoted(text: string): string {
  return text.length > 60 ? `\`${text.slice(0, 57)}…\`` : `\`${text}\``;
}

/** `U+0007`, as the Unicode standard writes it. */
export function codeName(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Characters that nobody sees, or that do something to a terminal, by their numbers: messages quote what strangers write. */
function visible(message: string): string {
  return message.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, (character) =>
    codeName(character.codePointAt(0)!),
  );
}

/** `a`, `a or b`, `a, b or c`. */
export function alternatives(choices: readonly string[]): string {
  if (choices.length < 2) return choices.join("");
  return `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
}

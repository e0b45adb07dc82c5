import type { Span } from "./source.ts";

/**
 * Something a person should know about a policy: data only. Words are laid out by `report/`, line numbers are worked
 * out when it is printed.
 */
export interface Finding {
  /** Name of the check, kebab-case: `unknown-name`. Stable: people put it into ignore comments. */
  readonly check: string;
  readonly level: "error" | "warning";
  /** What is wrong: one sentence in plain words, without a full stop; names and code in backquotes. */
  readonly message: string;
  /** The exact words that are wrong. */
  readonly span: Span;
  /** A few words to stand under the underlined ones. */
  readonly label?: string;
  /** Other places that matter ("first declared here"), each underlined as well. */
  readonly related?: readonly Related[];
  /** Further facts, a paragraph each. */
  readonly notes?: readonly string[];
  /** What to do about it: one sentence, in the imperative. */
  readonly help?: string;
  /** An edit that does what `help` says. */
  readonly fix?: Fix;
}

/** Another place that a finding speaks of. */
export interface Related {
  readonly span: Span;
  readonly text: string;
}

/** An edit of the policy file. A safe fix leaves the meaning of the policy as its author must have meant it. */
export interface Fix {
  readonly title: string;
  readonly edits: readonly { readonly span: Span; readonly text: string }[];
  readonly safe: boolean;
}

/** Where a pass puts its findings. Passes go on after a finding, so that one run reports them all. */
export interface Log {
  report(finding: Finding): void;
}

/** A log that remembers. */
export interface Findings extends Log {
  readonly all: readonly Finding[];
  readonly hasErrors: boolean;
}

/** A fresh log. */
export function collectFindings(): Findings {
  const all: Finding[] = [];
  let errors = 0;
  return {
    all,
    report(finding) {
      all.push(finding);
      if (finding.level === "error") errors++;
    },
    get hasErrors() {
      return errors > 0;
    },
  };
}

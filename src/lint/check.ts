import type { Document } from "../language/ast.ts";
import type { Meaning } from "../meaning/meaning.ts";
import type { Vocabulary } from "../meaning/vocabulary.ts";
import type { Policy } from "../policy/policy.ts";
import type { Finding } from "../source/finding.ts";

/** What a check looks at. */
export interface Subject {
  readonly document: Document;
  readonly policy: Policy;
  /** What the policy does, for all packets. */
  readonly meaning: Meaning;
  /** The names that the policy has for what findings speak of. */
  readonly words: () => Vocabulary;
}

/** A finding, less what its check knows of itself. */
export type Report = (finding: Omit<Finding, "check" | "level">) => void;

/** One thing that can be wrong with a policy that can be read. Its page is `docs/checks/<name>.md`. */
export interface Check {
  readonly name: string;
  readonly level: Finding["level"];
  readonly run: (subject: Subject, report: Report) => void;
}

/** What `ctc explain NAME` and `docs/checks/NAME.md` say about a check. Texts are Markdown, a paragraph each. */
export interface Page {
  readonly name: string;
  /** Who says it, where it is not the checks of a policy. Such a page has no example. */
  readonly saidBy?: string;
  /** Where it is not said by the checks of a policy, which know their own. An error, if it is not said. */
  readonly level?: "warning";
  /** What it finds. */
  readonly finds: string;
  /** Why it matters. */
  readonly matters: string;
  /** A policy that has the fault, and no other; null where no policy of a readable size has it. */
  readonly example: string | null;
  /** Other checks that the same fault sets off. */
  readonly beside?: readonly string[];
  /** What to use instead. */
  readonly instead: string;
  /** What to replace in the example, and by what, to make it sound. */
  readonly correct: readonly (readonly [before: string, after: string])[];
}

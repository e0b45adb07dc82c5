/** What `ctc explain NAME` and `docs/checks/NAME.md` say about a check. Texts are Markdown, a paragraph each. */
export interface Page {
  readonly name: string;
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

import type { Span } from "../source/source.ts";
import type { Report } from "./check.ts";

/** How many findings one check explains one by one: a person reads a few, mends their cause, and asks again. */
const MOST_TOLD = 100;
/** How many suspects one check looks at in detail. */
const MOST_TRIED = 300;

/** Tells of the first hundred suspects that turn out to be guilty, and says how many have not been looked at. */
export function reportMost<T extends { readonly span: Span }>(
  suspects: readonly T[],
  rest: (count: number) => string,
  report: Report,
  /** Reports a suspect; returns whether there was something to report. */
  tell: (one: T) => boolean,
): void {
  let told = 0;
  let tried = 0;
  while (tried < suspects.length && tried < MOST_TRIED && told < MOST_TOLD)
    if (tell(suspects[tried++]!)) told++;
  const next = suspects[tried];
  if (next)
    report({
      message: rest(suspects.length - tried),
      span: next.span,
      label: "the first of them",
      help: "correct what is reported above; the rest will then be told",
    });
}

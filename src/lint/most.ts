import type { Span } from "../source/source.ts";
import type { Report } from "./check.ts";

/** How many findings one check explains one by one: a person reads a few, mends their cause, and asks again. */
const MOST = 100;

/** Reports the first hundred of some rules, and says how many more there are. */
export function reportMost<T extends { readonly span: Span }>(
  found: readonly T[],
  message: (count: number) => string,
  report: Report,
  tell: (one: T) => void,
): void {
  for (const one of found.slice(0, MOST)) tell(one);
  const next = found[MOST];
  if (next)
    report({
      message: message(found.length - MOST),
      span: next.span,
      label: "the first of them",
      help: "correct what is reported above; the rest will then be told",
    });
}

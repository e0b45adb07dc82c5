import type { Finding } from "../source/finding.ts";

/**
 * Findings as a reader wants them: by file, then by place, errors before warnings at one place, each once. The file
 * `first` stands first (the policy before its address files), the others follow by name. The order does not depend on
 * the order in which the passes found them.
 */
export function orderFindings(findings: readonly Finding[], first: string): Finding[] {
  const file = (finding: Finding): string =>
    finding.span.source.name === first ? "" : finding.span.source.name;
  const sorted = [...findings].sort(
    (a, b) =>
      compare(file(a), file(b)) ||
      a.span.start - b.span.start ||
      a.span.end - b.span.end ||
      compare(a.level, b.level) ||
      compare(a.check, b.check) ||
      compare(a.message, b.message),
  );
  return sorted.filter((finding, index) => index === 0 || !same(sorted[index - 1]!, finding));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function same(a: Finding, b: Finding): boolean {
  return (
    a.span.source.name === b.span.source.name &&
    a.span.start === b.span.start &&
    a.span.end === b.span.end &&
    a.level === b.level &&
    a.check === b.check &&
    a.message === b.message
  );
}

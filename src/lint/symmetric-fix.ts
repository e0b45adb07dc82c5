import type { Document } from "../language/ast.ts";
import type { Rule } from "../policy/policy.ts";
import type { Fix } from "../source/finding.ts";
import { positionOf, textOf } from "../source/source.ts";

/** The edit that turns `symmetricAllow` on in the policy of a rule; null where it is on already or has no plain place. */
export function addSymmetricAllow(document: Document, rule: Rule): Fix | null {
  const policy = document.policies.find(({ rules }) =>
    rules.some(({ span }) => span.start === rule.origin.span.start),
  );
  const flag = policy?.doNotTrackSpan;
  if (!policy || !flag || policy.symmetricAllow) return null;
  const { source } = flag;
  const isFlow = textOf(policy.span).trimStart().startsWith("{");
  const lineEnd = /[\r\n]/.exec(source.text.slice(flag.end));
  const end = isFlow || !lineEnd ? flag.end : flag.end + lineEnd.index;
  const column = positionOf(source, keyStart(source.text, flag.start)).column;
  return {
    title: `add \`symmetricAllow: true\` to \`${policy.name.text}\``,
    edits: [
      {
        span: { source, start: end, end },
        text: isFlow ? ", symmetricAllow: true" : `\n${" ".repeat(column - 1)}symmetricAllow: true`,
      },
    ],
    safe: false,
  };
}

/** Where the key `doNotTrack` starts, whether the span covers it or its value alone. */
function keyStart(text: string, start: number): number {
  const key = text.lastIndexOf("doNotTrack", start);
  return key < 0 ? start : key;
}

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
  const title = `add \`symmetricAllow: true\` to \`${policy.name.text}\``;
  // Somebody wrote `symmetricAllow: false`.
  const written = policy.symmetricAllowSpan;
  if (written) return { title, edits: [{ span: written, text: "symmetricAllow: true" }], safe: false };
  const { source } = flag;
  const isFlow = textOf(policy.span).trimStart().startsWith("{");
  const lineEnd = /\r\n|\n|\r/.exec(source.text.slice(flag.end));
  const end = isFlow || !lineEnd ? flag.end : flag.end + lineEnd.index;
  const indentation = " ".repeat(positionOf(source, flag.start).column - 1);
  return {
    title,
    edits: [
      {
        span: { source, start: end, end },
        text: isFlow ? ", symmetricAllow: true" : `${lineEnd?.[0] ?? "\n"}${indentation}symmetricAllow: true`,
      },
    ],
    safe: false,
  };
}

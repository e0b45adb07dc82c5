import { isMap, isScalar, isSeq, type ParsedNode } from "yaml";
import type * as z from "zod/mini";
import type { Source, Span } from "../source/source.ts";
import type { Word } from "./ast.ts";
import { type Advice, quoted, type Reporter } from "./checks.ts";
import { entriesOf, plainOf, spanOfNode, textScalar } from "./nodes.ts";
import { keysAt, policyFile } from "./shape.ts";
import { suggest } from "./suggest.ts";

type Issue = z.core.$ZodIssue;

/** Reports everything about the shape of a file: missing, unknown and repeated keys, and values of the wrong kind. */
export function checkShape(source: Source, root: ParsedNode | null, report: Reporter): void {
  if (!root) {
    report.error("missing-key", { source, start: 0, end: 0 }, "this policy is empty", {
      help: "begin with `version: 1`",
    });
    return;
  }
  checkDuplicateKeys(source, root, report);
  const result = policyFile.safeParse(plainOf(source, root));
  if (result.success) return;
  for (const issue of result.error.issues) reportIssue(source, root, issue, report);
}

function checkDuplicateKeys(source: Source, node: ParsedNode, report: Reporter): void {
  if (isSeq(node)) {
    for (const item of node.items) if (item) checkDuplicateKeys(source, item as ParsedNode, report);
  } else if (isMap(node)) {
    for (const pair of node.items) {
      const key = pair.key as ParsedNode | null;
      if (key && !textScalar(key)) report.error("bad-name", spanOfNode(source, key), "this key is no text");
    }
    const first = new Map<string, Word>();
    for (const { key, value } of entriesOf(source, node as ParsedNode)) {
      const known = first.get(key.text);
      if (known)
        report.error("duplicate-key", key.span, `${quoted(key.text)} stands here twice`, {
          related: [{ span: known.span, text: "the first one" }],
          help: "put both into one",
        });
      else first.set(key.text, key);
      if (value) checkDuplicateKeys(source, value, report);
    }
  }
}

function reportIssue(source: Source, root: ParsedNode, issue: Issue, report: Reporter): void {
  switch (issue.code) {
    case "unrecognized_keys":
      for (const key of issue.keys) reportUnknownKey(source, root, issue.path, key, report);
      return;
    case "invalid_key":
    case "invalid_format":
      // Names and devices are explained where they are read.
      return;
    case "invalid_union": {
      const branch = issue.errors.find((errors) => !errors.some(isWrongKind));
      const takesText = issue.errors.some((errors) => errors.some(wantsText));
      if (!branch && takesText && textScalar(nodeAt(source, root, issue.path))) return;
      if (!branch) reportValue(source, root, issue, report);
      else
        for (const inner of branch)
          reportIssue(source, root, { ...inner, path: [...issue.path, ...inner.path] }, report);
      return;
    }
    default:
      reportValue(source, root, issue, report);
  }
}

/** Numbers and truth values that stand for a text are read as they were written, and are no issue. */
function wantsText(issue: Issue): boolean {
  return issue.code === "invalid_type" && issue.expected === "string";
}

/** Whether a branch of a union is not even meant for this kind of value. */
function isWrongKind(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === "invalid_type" || issue.code === "invalid_value");
}

function reportUnknownKey(
  source: Source,
  root: ParsedNode,
  path: readonly PropertyKey[],
  key: string,
  report: Reporter,
): void {
  const known = keysAt(path) ?? [];
  const near = suggest(key, known);
  const span = entriesOf(source, nodeAt(source, root, path)).find((entry) => entry.key.text === key)!.key
    .span;
  const message =
    path.length === 0 ? `a policy file has no ${quoted(key)}` : `there is no ${quoted(key)} here`;
  report.error("unknown-key", span, message, {
    help: near
      ? `did you mean \`${near}\`?`
      : `known keys are ${known.map((name) => `\`${name}\``).join(", ")}`,
    ...(near && { fix: { title: `replace by \`${near}\``, edits: [{ span, text: near }], safe: false } }),
  });
}

function reportValue(source: Source, root: ParsedNode, issue: Issue, report: Reporter): void {
  const { path } = issue;
  const node = nodeAt(source, root, path);
  const key = path.findLast((step) => typeof step === "string");
  const isItem = typeof path.at(-1) === "number";
  if (node === undefined) {
    const span = startOf(source, nodeAt(source, root, path.slice(0, -1)) ?? root);
    report.error("missing-key", span, `${quoted(String(key))} is missing here`, {
      help: `it must be ${issue.message}`,
    });
    return;
  }
  const subject = key === undefined ? "a policy file" : isItem ? `an item of ${quoted(key)}` : quoted(key);
  if (node === null || (isScalar(node) && node.value === null)) {
    const parent = nodeAt(source, root, path.slice(0, -1)) ?? root;
    const span = node ? spanOfNode(source, node) : startOf(source, parent);
    const entry = entriesOf(source, parent).find((candidate) => candidate.key.text === path.at(-1));
    report.error("bad-value", entry?.key.span ?? span, `${subject} has no value`, {
      help: `it must be ${issue.message}`,
    });
    return;
  }
  if (wantsText(issue) && textScalar(node)) return;
  const span = spanOfNode(source, node);
  if (isMap(node) && isSentence(path)) {
    report.error(
      "quote-sentence",
      span,
      "YAML reads this sentence as a mapping, because of its `:`",
      quoteAdvice(source, span),
    );
    return;
  }
  report.error(
    "bad-value",
    isScalar(node) ? span : startOf(source, node),
    `${subject} must be ${issue.message}`,
  );
}

/** Whether the value at `path` should be a sentence or a single word. */
function isSentence(path: readonly PropertyKey[]): boolean {
  return (
    (typeof path.at(-1) === "number" && path[0] !== undefined && path.length !== 2) ||
    (path[0] === "nat" && path.length === 2)
  );
}

function quoteAdvice(source: Source, span: Span): Advice {
  const written = source.text.slice(span.start, span.end);
  if (/\b(?:from|to|ports?|in|out|limit|log):/.test(written))
    return { help: "leave the `:` out: no word of a sentence takes one" };
  if (/[\r\n]|^[{[]/.test(written)) return { help: "quote this sentence" };
  const text = `'${written.replaceAll("'", "''")}'`;
  return { help: "quote this sentence", fix: { title: "quote it", edits: [{ span, text }], safe: true } };
}

/** The first line of a node: a mapping over pages is better underlined where it begins. */
function startOf(source: Source, node: ParsedNode): Span {
  const first = entriesOf(source, node)[0];
  if (first) return first.key.span;
  const span = spanOfNode(source, node);
  const firstLine = source.text.slice(span.start, span.end).split(/[\r\n]/, 1)[0]!;
  return { ...span, end: span.start + firstLine.length };
}

/** The node at a path of keys and indexes; undefined where there is no such key, null where a key has no value. */
function nodeAt(
  source: Source,
  root: ParsedNode,
  path: readonly PropertyKey[],
): ParsedNode | null | undefined {
  let node: ParsedNode | null | undefined = root;
  for (const step of path) {
    if (typeof step === "number")
      node = isSeq(node) ? (node.items[step] as ParsedNode | undefined) : undefined;
    else node = entriesOf(source, node).find((entry) => entry.key.text === step)?.value;
  }
  return node;
}

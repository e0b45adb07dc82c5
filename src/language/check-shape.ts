import { isMap, isScalar, isSeq, type ParsedNode } from "yaml";
import type * as z from "zod/mini";
import { type Source, type Span, textOf } from "../source/source.ts";
import type { Word } from "./ast.ts";
import { type Advice, quoted, type Reporter } from "./checks.ts";
import { type Entry, entriesOf, keyOf, plainOf, spanOfNode, textScalar } from "./nodes.ts";
import { keysAt, policyFile } from "./shape.ts";
import { suggest, synonym } from "./suggest.ts";

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
  const issues = issuesOf(plainOf(source, root));
  if (!issues) {
    const [start] = root.range;
    const span = { source, start, end: start + 1 };
    report.error("bad-value", span, "this is no policy: hundreds of thousands of values have the wrong kind");
    return;
  }
  const file = { source, root, report, entries: indexedEntries(source), misspelt: new Set<string>() };
  // Unknown keys first: one of them may be the one that is missing. The reporter puts findings into the file's order.
  const plain = issues.flatMap((issue) => withoutUnions(file, issue));
  for (const issue of plain)
    if (issue.code === "unrecognized_keys")
      for (const key of issue.keys) reportUnknownKey(file, issue.path, key);
  for (const issue of plain) reportIssue(file, issue);
}

/**
 * Everything that zod has to say; null if it is too much to say: zod passes the issues of a list on as the arguments of
 * one call, of which a stack holds some hundred thousand.
 */
function issuesOf(plain: unknown): readonly Issue[] | null {
  try {
    return policyFile.safeParse(plain).error?.issues ?? [];
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** A file whose shape is reported on. */
interface File {
  readonly source: Source;
  readonly root: ParsedNode;
  readonly report: Reporter;
  /** The entries of a mapping by their keys; none for other nodes. */
  readonly entries: (node: ParsedNode | null | undefined) => ReadonlyMap<string, Entry>;
  /** The paths of keys that unknown keys were probably meant to be. */
  readonly misspelt: Set<string>;
}

/** Remembers what it has found: a mapping with many entries may have as many things wrong with it. */
function indexedEntries(source: Source): File["entries"] {
  const known = new WeakMap<ParsedNode, ReadonlyMap<string, Entry>>();
  return (node) => {
    if (!node) return NO_ENTRIES;
    const index = known.get(node) ?? firstOfEach(entriesOf(source, node));
    known.set(node, index);
    return index;
  };
}

/** Of keys that stand there twice, the first one counts. */
function firstOfEach(entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  const index = new Map<string, Entry>();
  for (const entry of entries) if (!index.has(entry.key.text)) index.set(entry.key.text, entry);
  return index;
}

const NO_ENTRIES: ReadonlyMap<string, Entry> = new Map();

function checkDuplicateKeys(source: Source, node: ParsedNode, report: Reporter): void {
  if (isSeq(node)) {
    for (const item of node.items) if (item) checkDuplicateKeys(source, item as ParsedNode, report);
  } else if (isMap(node)) {
    for (const pair of node.items) {
      const key = pair.key as ParsedNode | null;
      if (key && !keyOf(source, key))
        report.error("bad-name", spanOfNode(source, key), "this key is no text");
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

/** An issue of a union as those of the branch that was meant; none where the value is a text, as one branch wants it. */
function withoutUnions(file: File, issue: Issue): readonly Issue[] {
  if (issue.code !== "invalid_union") return [issue];
  const branch = issue.errors.find((errors) => !errors.some(isWrongKind));
  if (branch)
    return branch.flatMap((inner) => withoutUnions(file, { ...inner, path: [...issue.path, ...inner.path] }));
  const takesText = issue.errors.some((errors) => errors.some(wantsText));
  return takesText && textScalar(nodeAt(file, issue.path)) ? [] : [issue];
}

function reportIssue(file: File, issue: Issue): void {
  switch (issue.code) {
    case "unrecognized_keys":
    case "invalid_key":
    case "invalid_format":
      // The first are reported before all others; names and devices are explained where they are read.
      return;
    default:
      reportValue(file, issue);
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

function reportUnknownKey(file: File, path: readonly PropertyKey[], key: string): void {
  const { span } = file.entries(nodeAt(file, path)).get(key)!.key;
  const where = path.length === 0 ? "a policy file has no" : "there is no";
  const message = `${where} ${quoted(key)}${path.length === 0 ? "" : " here"}`;
  const known = keysAt(path) ?? [];
  const near = file.report.isFull ? null : suggest(key, known);
  if (near) {
    file.misspelt.add(pathKey([...path, near]));
    const fix = { title: `replace by \`${near}\``, edits: [{ span, text: near }], safe: false };
    file.report.error("unknown-key", span, message, { help: `did you mean \`${near}\`?`, fix });
  } else {
    const help = `known keys are ${known.map((name) => `\`${name}\``).join(", ")}`;
    file.report.error("unknown-key", span, message, { help });
  }
}

function reportValue(file: File, issue: Issue): void {
  const { source, report } = file;
  const node = nodeAt(file, issue.path);
  const parent = nodeAt(file, issue.path.slice(0, -1)) ?? file.root;
  const key = issue.path.findLast((step) => typeof step === "string");
  const help = `it must be ${issue.message}`;
  if (node === undefined) {
    if (file.misspelt.has(pathKey(issue.path))) return;
    report.error("missing-key", startOf(file, parent), `${quoted(String(key))} is missing here`, { help });
    return;
  }
  const isItem = typeof issue.path.at(-1) === "number";
  const subject = key === undefined ? "a policy file" : isItem ? `an item of ${quoted(key)}` : quoted(key);
  if (node === null || (isScalar(node) && node.value === null)) {
    const entry = isItem ? undefined : file.entries(parent).get(String(key));
    const span = entry?.key.span ?? (node ? spanOfNode(source, node) : startOf(file, parent));
    report.error("bad-value", span, `${subject} has no value`, { help });
    return;
  }
  if (wantsText(issue) && textScalar(node)) return;
  const span = isScalar(node) ? spanOfNode(source, node) : startOf(file, node);
  if (isMap(node) && isSentence(issue.path)) {
    const whole = spanOfNode(source, node);
    const message = "YAML reads this sentence as a mapping, because of its `:`";
    report.error("quote-sentence", whole, message, quoteAdvice(whole));
  } else report.error("bad-value", span, `${subject} must be ${issue.message}`, meantAdvice(issue, span));
}

/** A word of another language for one of the few that a key takes: `yes`, `drop`. */
function meantAdvice(issue: Issue, span: Span): Advice {
  const choices = choicesOf(issue);
  const written = textOf(span);
  const near =
    choices.length > 0 && written.length < 20
      ? (synonym(written, choices) ?? suggest(written, choices))
      : null;
  return near === null
    ? {}
    : {
        help: `did you mean \`${near}\`?`,
        fix: { title: `replace by \`${near}\``, edits: [{ span, text: near }], safe: false },
      };
}

/** The words that a value may be, where they are few. */
function choicesOf(issue: Issue): readonly string[] {
  if (issue.code === "invalid_union") return issue.errors.flat().flatMap(choicesOf);
  if (issue.code === "invalid_type") return issue.expected === "boolean" ? ["true", "false"] : [];
  return issue.code === "invalid_value" ? issue.values.filter((value) => typeof value === "string") : [];
}

function pathKey(path: readonly PropertyKey[]): string {
  return path.map(String).join("\0");
}

/** Whether a sentence belongs to `path`, be it one of rules, of NAT or of a service. */
function isSentence(path: readonly PropertyKey[]): boolean {
  const [section, , inner] = path;
  if (typeof path.at(-1) !== "number") return false;
  return section === "nat" || section === "services" || (section === "policies" && inner === "rules");
}

function quoteAdvice(span: Span): Advice {
  const written = textOf(span);
  if (/\b(?:from|to|ports?|in|out|limit|log):/.test(written))
    return { help: "leave the `:` out: no word of a sentence takes one" };
  if (/[\r\n]|^[{[]/.test(written)) return { help: "quote this sentence" };
  const text = `'${written.replaceAll("'", "''")}'`;
  return { help: "quote this sentence", fix: { title: "quote it", edits: [{ span, text }], safe: true } };
}

/** Where a node begins: its first key or its first line. A mapping over pages is not to be underlined as a whole. */
function startOf({ source, entries }: File, node: ParsedNode): Span {
  for (const { key } of entries(node).values()) return key.span;
  const [start, end] = node.range;
  const line = source.text.slice(start, Math.min(end, start + 200)).split(/[\r\n]/, 1)[0]!;
  return { source, start, end: start + line.trimEnd().length };
}

/** The node at a path of keys and indexes; undefined where there is no such key, null where a key has no value. */
function nodeAt(file: File, path: readonly PropertyKey[]): ParsedNode | null | undefined {
  let node: ParsedNode | null | undefined = file.root;
  for (const step of path) {
    if (typeof step === "number") node = isSeq(node) ? (node.items[step] as ParsedNode) : undefined;
    else node = file.entries(node).get(String(step))?.value;
  }
  return node;
}

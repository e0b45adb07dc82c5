import { isMap, isScalar, isSeq, type ParsedNode } from "yaml";
import type { Log } from "../source/finding.ts";
import { literalLines, type PlacedScalar } from "../source/scalar-map.ts";
import type { Source, Span } from "../source/source.ts";
import type { AddressFiles } from "./address-files.ts";
import type { Defaults, Document, NatNode, PolicyNode, RuleNode, Verdict } from "./ast.ts";
import { checkShape } from "./check-shape.ts";
import { limitedReporter, quoted, type Reporter } from "./checks.ts";
import type { Reading } from "./clauses.ts";
import {
  readAddressDeclarations,
  readHostAddresses,
  readInterfaceDeclarations,
  readServiceDeclarations,
} from "./declarations.ts";
import { entriesOf, itemsOf, passageOf, spanOfNode, wordOf } from "./nodes.ts";
import { type Passage, verbatim } from "./passage.ts";
import { readNat, readRule } from "./sentence.ts";
import { readYaml } from "./yaml.ts";

export interface ParsedDocument {
  /**
   * What could be read. When errors were reported, it lacks what is wrong: it then serves to find further errors in the
   * rest, but not to compile. Null where nothing could be read at all.
   */
  readonly document: Document | null;
  /** The source is no YAML: there is no policy to speak of. */
  readonly unparsable: boolean;
}

/**
 * Reads a policy file. Everything that is wrong with it is reported in one go, in the file's order where that is
 * possible; past the first 200 findings they are only counted. Never throws, whatever the text is.
 */
export function parseDocument(source: Source, files: AddressFiles, log: Log): ParsedDocument {
  const report = limitedReporter(log);
  const yaml = readYaml(source, report);
  const document = yaml.kind === "yaml" ? readDocument(source, yaml.root, files, report) : null;
  report.finish(source);
  return { document, unparsable: yaml.kind === "unparsable" };
}

function readDocument(
  source: Source,
  root: ParsedNode | null,
  files: AddressFiles,
  report: Reporter,
): Document | null {
  checkShape(source, root, report);
  if (!isMap(root)) return null;
  const sections = new Map<string, ParsedNode | null>();
  for (const { key, value } of entriesOf(source, root))
    if (!sections.has(key.text)) sections.set(key.text, value);
  const hostAddresses = entriesOf(source, sections.get("host")).find(
    (entry) => entry.key.text === "addresses",
  );
  const policies = isSeq(sections.get("policies")) ? itemsOf(sections.get("policies")) : [];
  return {
    source,
    interfaces: readInterfaceDeclarations(source, sections.get("interfaces"), report),
    addresses: readAddressDeclarations(source, sections.get("addresses"), files, report),
    services: readServiceDeclarations(source, sections.get("services"), report),
    hostAddresses: hostAddresses ? readHostAddresses(source, hostAddresses.value, report) : null,
    defaults: readDefaults(source, sections.get("defaults")),
    essentials: booleanOf(sections.get("essentials")) ?? true,
    policies: readPolicies(source, policies, report),
    nat: readSentences(source, sections.get("nat"), report, readNat),
  };
}

function readDefaults(source: Source, node: ParsedNode | null | undefined): Defaults {
  const written = new Map(
    entriesOf(source, node).map(({ key, value }) => [key.text, wordOf(source, value)?.text]),
  );
  const verdict = (path: keyof Defaults, fallback: Verdict): Verdict => {
    const word = written.get(path);
    return word === "allow" || word === "deny" ? word : fallback;
  };
  return {
    input: verdict("input", "deny"),
    forward: verdict("forward", "deny"),
    output: verdict("output", "allow"),
  };
}

function readPolicies(source: Source, nodes: readonly ParsedNode[], report: Reporter): readonly PolicyNode[] {
  const policies = nodes.flatMap((node) => readPolicy(source, node, report) ?? []);
  const first = new Map<string, Span>();
  for (const { name } of policies) {
    // A name that is missing or empty has been reported.
    if (name.text === "") continue;
    const known = first.get(name.text);
    if (known)
      report.error("duplicate-policy", name.span, `another policy is named ${quoted(name.text)}`, {
        related: [{ span: known, text: "the first one" }],
        help: "give each policy a name of its own: emitted rules carry it",
      });
    else first.set(name.text, name.span);
  }
  return policies;
}

function readPolicy(source: Source, node: ParsedNode, report: Reporter): PolicyNode | null {
  if (!isMap(node)) return null;
  const entries = entriesOf(source, node as ParsedNode);
  const entry = (key: string) => entries.find((candidate) => candidate.key.text === key);
  const name = wordOf(source, entry("name")?.value);
  const span = spanOfNode(source, node as ParsedNode);
  if (name) checkPolicyName(name.text, name.span, report);
  const symmetric = entry("symmetricAllow");
  const doNotTrack = entry("doNotTrack");
  return {
    name: name ?? { text: "", span: { ...span, end: span.start } },
    doNotTrack: booleanOf(doNotTrack?.value) ?? false,
    doNotTrackSpan: spanOfEntry(source, doNotTrack),
    symmetricAllow: symmetryOf(symmetric?.value),
    symmetricAllowSpan: spanOfEntry(source, symmetric),
    rules: readSentences(source, entry("rules")?.value, report, readRule),
    span,
  };
}

/** Policy names end up in comments and log lines: one line of visible characters. */
function checkPolicyName(name: string, span: Span, report: Reporter): void {
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(name))
    report.error("bad-name", span, "the name of a policy cannot hold line breaks or control characters");
  else if (name.trim() === "") report.error("bad-name", span, "the name of a policy cannot be empty");
  else if ([...name].length > 64)
    report.error("bad-name", span, `the name of a policy has at most 64 characters, not ${[...name].length}`);
}

/** `true` means replies only; see `PolicyNode`. */
function symmetryOf(node: ParsedNode | null | undefined): PolicyNode["symmetricAllow"] {
  if (isScalar(node) && node.value === "both") return "both";
  return booleanOf(node) === true ? "replies" : false;
}

function spanOfEntry(source: Source, entry: ReturnType<typeof entriesOf>[number] | undefined): Span | null {
  if (!entry) return null;
  const end = entry.value ? spanOfNode(source, entry.value).end : entry.key.span.end;
  return { source, start: entry.key.span.start, end };
}

function booleanOf(node: ParsedNode | null | undefined): boolean | null {
  return isScalar(node) && typeof node.value === "boolean" ? node.value : null;
}

/** The sentences of a list or of a block of lines, each read by itself: a wrong one does not hide the next one's faults. */
function readSentences<Node extends RuleNode | NatNode>(
  source: Source,
  node: ParsedNode | null | undefined,
  report: Reporter,
  read: (reading: Reading) => Node | null,
): readonly Node[] {
  return passagesOf(source, node, report).flatMap((passage) => read({ passage, report }) ?? []);
}

function passagesOf(
  source: Source,
  node: ParsedNode | null | undefined,
  report: Reporter,
): readonly Passage[] {
  if (isSeq(node)) return itemsOf(node as ParsedNode).flatMap((item) => passageOf(source, item) ?? []);
  if (!isScalar(node) || typeof node.value !== "string") return [];
  const lines = literalLines(source.text, node as PlacedScalar);
  if (lines)
    return lines
      .filter(({ text }) => holdsSentence(text))
      .map(({ text, start }) => verbatim(source, text, start));
  const span = spanOfNode(source, node as ParsedNode);
  if (/[\r\n]/.test(source.text.slice(span.start, span.end))) {
    const firstLine = source.text.slice(span.start, span.end).split(/[\r\n]/, 1)[0]!;
    report.error(
      "bad-value",
      { ...span, end: span.start + firstLine.length },
      "YAML folds these lines into one",
      {
        help: "begin the block with `|`, which keeps each sentence on its line",
      },
    );
    return [];
  }
  return linesOf(passageOf(source, node as ParsedNode)!);
}

/** The lines of a quoted text: `"allow …\nallow …"`, as programs write them. */
function linesOf(passage: Passage): readonly Passage[] {
  const lines: Passage[] = [];
  let start = 0;
  for (const text of passage.text.split("\n")) {
    const from = start;
    if (holdsSentence(text)) lines.push({ ...passage, text, offset: (unit) => passage.offset(from + unit) });
    start += text.length + 1;
  }
  return lines;
}

function holdsSentence(line: string): boolean {
  return /^[ \t\r]*[^ \t\r#]/.test(line);
}

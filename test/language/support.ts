import { expect } from "vitest";
import type { AddressFiles } from "../../src/language/address-files.ts";
import type { Document, NatNode, RuleNode, ServiceDeclaration } from "../../src/language/ast.ts";
import { parseDocument } from "../../src/language/document.ts";
import { collectFindings, type Finding } from "../../src/source/finding.ts";
import { type Source, type Span, textOf } from "../../src/source/source.ts";

/** Whatever a test reads: the document and everything that was found. */
export interface Read {
  readonly source: Source;
  readonly document: Document | null;
  readonly unparsable: boolean;
  readonly findings: readonly Finding[];
}

/** Reads a policy file. `files` maps paths to the texts of address files. */
export function read(text: string, files: Readonly<Record<string, string>> = {}): Read {
  const log = collectFindings();
  const source = { name: "policy.yaml", text };
  return { source, ...parseDocument(source, filesOf(files), log), findings: log.all };
}

function filesOf(files: Readonly<Record<string, string>>): AddressFiles {
  return {
    read(path) {
      const text = files[path];
      return text === undefined ? { error: "there is no such file" } : { source: { name: path, text } };
    },
  };
}

/** Reads a policy file in which nothing is wrong. */
export function readClean(text: string, files: Readonly<Record<string, string>> = {}): Document {
  const { document, findings } = read(text, files);
  expect(findings.map((finding) => finding.message)).toEqual([]);
  return document!;
}

/** A policy with one rule. */
export function policyWith(rule: string): string {
  return `version: 1\npolicies:\n  - name: test\n    rules: |\n      ${rule}\n`;
}

/** A policy with one NAT sentence. */
export function natWith(sentence: string): string {
  return `version: 1\nnat: |\n  ${sentence}\n`;
}

/** A policy with one service. */
export function serviceWith(service: string): string {
  return `version: 1\nservices:\n  service: ${service}\n`;
}

/** The node of a rule in which nothing is wrong. */
export function ruleOf(rule: string): RuleNode {
  return readClean(policyWith(rule)).policies[0]!.rules[0]!;
}

/** The node of a NAT sentence in which nothing is wrong. */
export function natOf(sentence: string): NatNode {
  return readClean(natWith(sentence)).nat[0]!;
}

export function serviceOf(service: string): ServiceDeclaration {
  return readClean(serviceWith(service)).services[0]!;
}

/** A tree with every span replaced by the words that it covers, and addresses by decimal numbers. */
export function inWords(node: unknown): unknown {
  if (typeof node === "bigint") return String(node);
  if (Array.isArray(node)) return node.map(inWords);
  if (typeof node !== "object" || node === null) return node;
  if (isSpan(node)) return textOf(node);
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, inWords(value)]));
}

function isSpan(value: object): value is Span {
  return "start" in value && "end" in value && "source" in value;
}

/** What a test says about a finding, one after the other. */
export interface Expected {
  underlines(words: string): Expected;
  says(message: string): Expected;
  helps(help: string): Expected;
  labels(label: string): Expected;
  /** The whole sentence or line after the fix. */
  fixes(result: string): Expected;
  /** The other places that it speaks of, in their order. */
  relates(...words: readonly string[]): Expected;
}

/** Expects a rule to have exactly one finding, of this check. */
export function expectFinding(rule: string, check: string): Expected {
  return expectFileFinding(policyWith(rule), check);
}

/** Expects a NAT sentence to have exactly one finding, of this check. */
export function expectNatFinding(sentence: string, check: string): Expected {
  return expectFileFinding(natWith(sentence), check);
}

/** Expects a whole file to have exactly one finding, of this check. */
export function expectFileFinding(
  text: string,
  check: string,
  files: Readonly<Record<string, string>> = {},
): Expected {
  const { findings } = read(text, files);
  expect(findings.map((finding) => `${finding.check}: ${finding.message}`)).toEqual([
    expect.stringMatching(new RegExp(`^${check}: `)),
  ]);
  return expectedOf(findings[0]!);
}

export function expectedOf(finding: Finding): Expected {
  const expected: Expected = {
    underlines(words) {
      expect(textOf(finding.span)).toBe(words);
      return expected;
    },
    says(message) {
      expect(finding.message).toContain(message);
      return expected;
    },
    helps(help) {
      expect(finding.help).toContain(help);
      return expected;
    },
    labels(label) {
      expect(finding.label).toBe(label);
      return expected;
    },
    fixes(result) {
      expect(applied(finding)).toContain(result);
      return expected;
    },
    relates(...words) {
      expect(finding.related?.map(({ span }) => textOf(span))).toEqual(words);
      return expected;
    },
  };
  return expected;
}

function applied(finding: Finding): string {
  let { text } = finding.span.source;
  for (const { span, text: replacement } of (finding.fix?.edits ?? []).toReversed())
    text = text.slice(0, span.start) + replacement + text.slice(span.end);
  return text;
}

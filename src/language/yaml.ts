import { Composer, type CST, type Document, Lexer, type ParsedNode, Parser, visit } from "yaml";
import { kindOfText } from "../source/kind-of-text.ts";
import { type Source, spanWithin } from "../source/source.ts";
import { checkCharacters } from "./characters.ts";
import type { Reporter } from "./checks.ts";
import { reportProblems } from "./yaml-problems.ts";

/** A file as YAML. */
export type YamlFile =
  /** `root` is null for an empty file. */
  | { readonly kind: "yaml"; readonly root: ParsedNode | null }
  /** YAML, but not the YAML of a policy. */
  | { readonly kind: "refused" }
  /** The text is not YAML, or none that anybody could have meant. */
  | { readonly kind: "unparsable" };

/**
 * Reads a source as one YAML 1.2 document. Whatever YAML has for making a file mean something other than what a reviewer
 * reads where he reads it is refused: aliases, foreign tags, further documents, other versions of YAML.
 */
export function readYaml(source: Source, report: Reporter): YamlFile {
  if (!checkCharacters(source, report) || !checkNoScript(source, report)) return UNPARSABLE;
  const tokens = readTokens(source, report);
  if (!tokens) return UNPARSABLE;
  // The composer's own search for duplicate keys takes quadratic time; `shape.ts` has another.
  const composer = new Composer<ParsedNode>({
    uniqueKeys: false,
    prettyErrors: false,
    version: "1.2",
    logLevel: "silent",
  });
  const document = composer.compose(tokens, true, source.text.length).next()
    .value as Document.Parsed<ParsedNode>;
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) {
    reportProblems(source, tokens, problems, report);
    return UNPARSABLE;
  }
  if (document.directives.yaml.version !== "1.2") {
    report.error("yaml-syntax", spanWithin(source, 0, source.text.indexOf("\n")), "a policy is YAML 1.2", {
      help: "leave the `%YAML` line out",
    });
    return UNPARSABLE;
  }
  return checkAliases(source, document, report)
    ? { kind: "yaml", root: document.contents }
    : { kind: "refused" };
}

const UNPARSABLE: YamlFile = { kind: "unparsable" };

/** Scripts are told as what they are, and not line by line as YAML that is none. */
function checkNoScript(source: Source, report: Reporter): boolean {
  const told = kindOfText(source);
  if (!told || told.kind === "policy") return true;
  report.error("yaml-syntax", told.span, `this is a script for ${told.kind}, and no policy`, {
    help: "name the policy that it belongs to; `ctc verify POLICY SCRIPT…` compares the two",
  });
  return false;
}

/**
 * The most lexemes in a file: a list of 150,000 rules has as many. Parsing takes microseconds for each, so the bound
 * keeps a file that is no policy from taking minutes.
 */
const MOST_LEXEMES = 1_000_000;

/** The levels that a file may be nested. A policy has six; the composer of the YAML parser is recursive. */
const DEEPEST = 32;

/** The concrete syntax of the first document; null, with a finding, where it is not fit for composing. */
function readTokens(source: Source, report: Reporter): CST.Token[] | null {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  let offset = 0;
  let documents = 0;
  const take = (token: CST.Token): boolean => {
    tokens.push(token);
    if (token.type !== "document") return true;
    documents++;
    if (documents === 1) return checkDepth(source, token, report);
    report.error(
      "several-documents",
      spanWithin(source, token.offset, token.offset + 3),
      "a policy is one YAML document",
      {
        help: "put the other one into a file of its own",
      },
    );
    return false;
  };
  for (const lexeme of new Lexer().lex(source.text)) {
    lexemes++;
    offset += lexeme.length;
    if (lexemes > MOST_LEXEMES) {
      report.error(
        "yaml-syntax",
        spanWithin(source, offset, offset + 1),
        "this file has too many parts for a policy",
        {
          help: "write large rule sets as one block of lines, `rules: |`, and large lists of addresses as a file",
        },
      );
      return null;
    }
    for (const token of parser.next(lexeme)) if (!take(token)) return null;
  }
  for (const token of parser.end()) if (!take(token)) return null;
  return tokens;
}

/** Iterative, because what it looks for breaks whatever is recursive. */
function checkDepth(source: Source, document: CST.Document, report: Reporter): boolean {
  const open: { token: CST.Token | null | undefined; depth: number }[] = [
    { token: document.value, depth: 1 },
  ];
  for (let next = open.pop(); next; next = open.pop()) {
    const { token, depth } = next;
    if (!token || !("items" in token)) continue;
    if (depth > DEEPEST) {
      report.error(
        "nested-too-deeply",
        spanWithin(source, token.offset, token.offset + 1),
        "this is nested too deeply for a policy",
      );
      return false;
    }
    for (const item of token.items) {
      if (item.key) open.push({ token: item.key, depth: depth + 1 });
      if (item.value) open.push({ token: item.value, depth: depth + 1 });
    }
  }
  return true;
}

function checkAliases(source: Source, document: Document.Parsed<ParsedNode>, report: Reporter): boolean {
  let aliases = 0;
  visit(document, {
    Alias(_key, alias) {
      aliases++;
      const [start, end] = alias.range!;
      report.error(
        "yaml-alias",
        spanWithin(source, start, end),
        "a policy has no YAML aliases: a rule means what stands there",
        {
          help: "declare a name under `addresses`, `services` or `interfaces` and use that",
        },
      );
    },
  });
  return aliases === 0;
}

import type { CST, YAMLError } from "yaml";
import { type Source, type Span, spanWithin } from "../source/source.ts";
import type { Reporter } from "./checks.ts";

/**
 * Reports why a file is no YAML, to somebody who has to mend it: where the slip is, as far as that can be told, and not
 * where it made the parser stumble. A slip makes it stumble over the lines behind it too, so of several complaints about
 * one place only the first is passed on.
 */
export function reportProblems(
  source: Source,
  tokens: readonly CST.Token[],
  problems: readonly YAMLError[],
  report: Reporter,
): void {
  const unclosed = unclosedIn(tokens);
  for (const { start, mark } of unclosed) {
    const end = mark === null ? endOfLine(source, start) : start + 1;
    const span = spanWithin(source, start, end);
    say(
      report,
      mark === null
        ? { span, message: "this quote is never closed", help: "write the same quote at the end of the text" }
        : {
            span,
            message: `this \`${source.text[start]}\` is never closed`,
            help: `write the \`${mark}\` that belongs to it`,
          },
    );
  }
  const folded = new Map(
    problems.filter(({ code }) => code === "MULTILINE_IMPLICIT_KEY").map(({ pos }) => [pos[0], pos[1]]),
  );
  const firstUnclosed = unclosed[0]?.start ?? Number.POSITIVE_INFINITY;
  const inOrder = [...problems].sort((a, b) => a.pos[0] - b.pos[0]);
  // What comes behind the first of these belongs to no document.
  const stray = inOrder.findIndex(({ message }) => message.includes(" in YAML stream"));
  /** Up to here, complaints are consequences of one that was passed on. */
  let quiet = -1;
  for (const problem of stray < 0 ? inOrder : inOrder.slice(0, stray + 1)) {
    const start = problem.pos[0];
    if (start >= firstUnclosed) return;
    const isStructural = STRUCTURAL.has(problem.code);
    if (isStructural && start <= quiet) continue;
    const complaint = isStructural ? placeOf(source, problem, folded) : complaintOf(source, problem);
    say(report, complaint);
    if (complaint.silences !== "nothing") quiet = endOfLine(source, complaint.span.end);
    if (complaint.silences === "two lines") quiet = endOfLine(source, quiet + 1);
  }
}

function say(report: Reporter, { span, message, help }: Omit<Complaint, "silences">): void {
  report.error("yaml-syntax", span, `YAML: ${message}`, help === undefined ? {} : { help });
}

/** Complaints about how the parts of a file hang together. All others are about one word. */
const STRUCTURAL: ReadonlySet<YAMLError["code"]> = new Set([
  "BAD_INDENT",
  "BLOCK_AS_IMPLICIT_KEY",
  "BLOCK_IN_FLOW",
  "MISSING_CHAR",
  "MULTILINE_IMPLICIT_KEY",
  "UNEXPECTED_TOKEN",
]);

interface Complaint {
  readonly span: Span;
  readonly message: string;
  readonly help?: string;
  /** How far complaints about structure are taken for consequences of this one: to the end of its line, or of the next. */
  readonly silences: "nothing" | "one line" | "two lines";
}

/** `folded`: keys over several lines, by where they start, and where each ends. */
function placeOf(source: Source, problem: YAMLError, folded: ReadonlyMap<number, number>): Complaint {
  const { text } = source;
  const { code, message } = problem;
  const [start, end] = problem.pos;
  const line = (from: number, words: string, help: string): Complaint => ({
    span: spanWithin(source, from, endOfLine(source, from)),
    message: words,
    help,
    silences: "two lines",
  });
  // A value over several lines in the place of a key: what follows the value is indented too far.
  const last = text.lastIndexOf("\n", (folded.get(start) ?? 0) - 1) + 1;
  if (code === "BLOCK_AS_IMPLICIT_KEY" && last > start) return line(skipBlanks(text, last), ...MISFIT);
  if (code === "MULTILINE_IMPLICIT_KEY") {
    const joined = /^[\w-]+:(?=\S)/.exec(text.slice(start, endOfLine(source, start)));
    const help = joined ? `write a blank behind \`${joined[0]}\`` : "write a `:` behind it";
    return line(start, "this is neither a key with its `:` nor an item with its `-`", help);
  }
  const at = skipBlanks(text, start);
  if (text.slice(text.lastIndexOf("\n", at - 1) + 1, at).trim() === "") return line(at, ...MISFIT);
  const word = (words: string, help: string): Complaint => ({
    span: spanWithin(source, start, Math.max(end, start + 1)),
    message: words,
    help,
    silences: "one line",
  });
  if (code === "BLOCK_AS_IMPLICIT_KEY")
    return word(
      "a mapping cannot begin inside of a line",
      "if this is a sentence or an address, quote it: `: ` makes a mapping of plain text",
    );
  if (/^Missing , /.test(message)) return word("a comma is missing before this", "write a `,` between items");
  if (/^Comments must be/.test(message))
    return word("a comment begins with a blank and `#`", "write a blank before the `#`");
  if (/[|>][-+0-9]*[ \t]+$/.test(text.slice(Math.max(0, start - 20), start)))
    return word("nothing can follow `|` on its line", "begin the text on the next line, indented");
  return word("this does not belong here", "is a quote missing, or is there one too many?");
}

const MISFIT = [
  "this line does not fit those above it",
  "indent it like the lines that it belongs with; or is a `-`, a `:` or a quote missing, here or above?",
] as const;

/** What is wrong with one word. */
function complaintOf(source: Source, { code, message, pos: [start, end] }: YAMLError): Complaint {
  const rest = source.text.slice(start, start + 100);
  const span = spanWithin(source, start, end);
  const silences = "nothing";
  switch (code) {
    case "BAD_SCALAR_START": {
      const word = /^\S+/.exec(rest)?.[0] ?? " ";
      return {
        span: spanWithin(source, start, start + word.length),
        message: `plain text cannot begin with ${word.startsWith("`") ? "a backquote" : `\`${word[0]}\``}`,
        help: "quote it",
        silences,
      };
    }
    case "BAD_DQ_ESCAPE":
      return {
        span: spanWithin(source, start, start + 2),
        message: `\`${rest.slice(0, 2)}\` means nothing in double quotes`,
        help: "write `\\\\` for a backslash, or use single quotes",
        silences,
      };
    case "TAB_AS_INDENT":
      return { span, message: "tabs cannot indent", help: "indent with blanks", silences: "one line" };
    case "BAD_ALIAS":
      return {
        span,
        message: "this alias stands for nothing",
        help: "quote the text if its `*` is meant",
        silences,
      };
    case "TAG_RESOLVE_FAILED":
      return {
        span,
        message: "a policy has no such tags",
        help: "quote the text if its `!` is meant",
        silences,
      };
    default:
      // What hardly anybody meets, in the words of the parser.
      return { span, message: message.slice(0, MOST_WORDS).replace(/\.$/, ""), silences };
  }
}

/** Some of the parser's messages quote the file. */
const MOST_WORDS = 200;

/** A bracket or a quote (then `mark` is null) that is opened at `start`, and the mark that would close it. */
interface Unclosed {
  readonly start: number;
  readonly mark: "]" | "}" | null;
}

/**
 * What is opened and never closed, the innermost each time: whatever holds it cannot be closed either. Iterative, like
 * everything that walks a file of strangers.
 */
function unclosedIn(tokens: readonly CST.Token[]): readonly Unclosed[] {
  const found: Unclosed[] = [];
  const outer = new Set<Unclosed>();
  const open: { token: CST.Token | null | undefined; around: Unclosed | null }[] = tokens.map((token) => ({
    token: token.type === "document" ? token.value : token,
    around: null,
  }));
  for (let next = open.pop(); next; next = open.pop()) {
    const { token } = next;
    if (!token) continue;
    const unclosed = unclosedBy(token);
    if (unclosed) {
      found.push(unclosed);
      if (next.around) outer.add(next.around);
    }
    if (!("items" in token)) continue;
    const around = unclosed ?? next.around;
    for (const { key, value } of token.items)
      for (const inner of [key, value]) open.push({ token: inner, around });
  }
  return found.filter((one) => !outer.has(one)).sort((a, b) => a.start - b.start);
}

function unclosedBy(token: CST.Token): Unclosed | null {
  const start = token.offset;
  switch (token.type) {
    case "flow-collection": {
      const [end, mark] =
        token.start.type === "flow-seq-start"
          ? (["flow-seq-end", "]"] as const)
          : (["flow-map-end", "}"] as const);
      return token.end.some(({ type }) => type === end) ? null : { start, mark };
    }
    case "single-quoted-scalar":
    case "double-quoted-scalar":
      return token.source.length > 1 && token.source.endsWith(token.source[0]!)
        ? null
        : { start, mark: null };
    default:
      return null;
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at]!)) at++;
  return at;
}

/** The end of what stands on the line of an offset, trailing blanks left aside. */
function endOfLine({ text }: Source, offset: number): number {
  const newline = text.indexOf("\n", offset);
  let end = newline < 0 ? text.length : newline;
  while (end > offset && /\s/.test(text[end - 1]!)) end--;
  return end;
}

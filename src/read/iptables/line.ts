import type { Family } from "../../address/ranges.ts";
import type { Span } from "../../source/source.ts";
import { type Alternatives, unknownTest } from "../alternatives.ts";
import { noteUnknown, type ReadLog } from "../reading.ts";
import type { Step } from "../rule.ts";
import type { IpSets } from "./ipset.ts";
import { GENERAL, OF_MATCHES } from "./options.ts";
import type { Tested } from "./tests.ts";
import type { Word } from "./words.ts";

/** What a line is read against. */
export interface LineContext {
  readonly log: ReadLog;
  readonly family: Family;
  readonly table: string;
  readonly sets: IpSets;
  /** Whether the table has a chain of this name that rules may jump to. */
  isChain(name: string): boolean;
}

/** A line while it is read. */
export interface Line {
  readonly words: Word[];
  at: number;
  /** A `!` stands before the present option. */
  negated: boolean;
  /** The one protocol that the rule is about, where it names one. */
  protocol: number | null;
  /** An extension is loaded that is not understood, and may have options of any name. */
  strange: boolean;
  comment: string;
  readonly tests: Step[];
  rate: string | null;
  burst: string | null;
  target: {
    readonly name: Word;
    readonly goes: boolean;
    readonly options: Map<string, string>;
    end: number;
  } | null;
}

/** The stretch from one word to another. */
export function spanOf({ log }: LineContext, first: Word, last: Word): Span {
  return { source: log.source, start: first.start, end: Math.max(first.end, last.end) };
}

/** Another extension may have an option of this name: `-m policy` has a `--proto` of its own. */
export function isStrange(line: Line, word: Word): boolean {
  return line.strange && word.text === "--proto";
}

/** The words up to the next option that is understood belong to what is not. */
export function skipStranger(line: Line): void {
  const { words } = line;
  line.at++;
  while (line.at < words.length) {
    const word = words[line.at]!;
    const next = word.text === "!" && !word.quoted ? words[line.at + 1] : word;
    if (
      next &&
      !next.quoted &&
      (OF_MATCHES.has(next.text) || (GENERAL.has(next.text) && !isStrange(line, next)))
    )
      return;
    line.at++;
  }
}

/** Adds a test that is not understood: the words from `first` on, with the `!` before them. */
export function addUnknown(line: Line, context: LineContext, first: number): void {
  const start = line.negated ? first - 1 : first;
  const span = spanOf(context, line.words[start]!, line.words[line.at - 1]!);
  const text = noteUnknown(context.log, "test", span);
  line.negated = false;
  line.tests.push({ kind: "test", alternatives: unknownTest(text), text });
}

/** The argument of an option, before which older scripts have the `!`; null where the line ends. */
export function argument(line: Line): string | null {
  let word = line.words[line.at];
  if (word?.text === "!" && !word.quoted && line.words[line.at + 1]) {
    line.negated = true;
    word = line.words[++line.at];
  }
  if (!word) return null;
  line.at++;
  return word.text;
}

/** Takes the negation of the present option and adds what it tests. */
export function add(
  line: Line,
  context: LineContext,
  first: number,
  test: (negated: boolean) => Tested,
): string | null {
  const { negated } = line;
  const tested = test(negated);
  line.negated = false;
  if (typeof tested === "string") return tested;
  push(line, context, tested, negated ? first - 1 : first);
  return null;
}

/** Adds tests, and notes those among them that are unknown. */
function push(line: Line, context: LineContext, alternatives: Alternatives, first: number): void {
  const span = spanOf(context, line.words[Math.max(first, 0)]!, line.words[line.at - 1]!);
  const isUnknown = alternatives.some((tests) => tests.some(({ kind }) => kind === "unknown"));
  const text = isUnknown ? noteUnknown(context.log, "test", span) : "";
  line.tests.push({ kind: "test", alternatives, text });
}

import type { ScriptMatch, ScriptStatement } from "../../netfilter/script.ts";
import { type Alternatives, unknownTest } from "../alternatives.ts";
import { PROTOCOLS_WITH_PORTS } from "../names.ts";
import { noteUnknown, reportSyntax, type Unknown } from "../reading.ts";
import type { Case, Plan, Step } from "../rule.ts";
import { type FindSet, implied, type Operator } from "./comparison.ts";
import { doubtExclusions, type Exclusion, headerOf, isSingle } from "./exclusions.ts";
import { OTHER_TESTS, STATEMENTS } from "./heads.ts";
import { type Key, readKeys } from "./keys.ts";
import { readNat } from "./nat.ts";
import { readLimit, readReject } from "./statements.ts";
import { testOf } from "./tests.ts";
import { accept, atEnd, type Cursor, isAt, kindAt, peek, skipBlock, spanFrom } from "./tokens.ts";
import { type Element, readValue, readVerdict, type Value } from "./values.ts";

/** What a rule is read against. */
export interface RuleContext {
  readonly cursor: Cursor;
  readonly findSet: FindSet;
}

/** A rule while it is read. */
interface Draft extends RuleContext {
  readonly steps: Step[];
  readonly exclusions: Exclusion[];
  comment: string;
}

/**
 * Reads the rule at the cursor up to its end. Never refuses: what is not understood becomes an unknown test, or an unknown
 * statement where it may decide what happens to the packet.
 */
export function readRule(context: RuleContext): Plan {
  const { cursor } = context;
  const first = cursor.at;
  const draft: Draft = { ...context, steps: [], exclusions: [], comment: "" };
  while (!atEnd(cursor)) readStep(draft);
  doubtExclusions(cursor.log, draft.exclusions, draft.steps);
  if (draft.steps.filter(({ kind }) => kind !== "test").length > MOST_ACTIONS) {
    const text = note(draft, "statement", first);
    draft.steps.splice(0, Infinity, { kind: "act", statement: { kind: "unknown", text, continues: false } });
  }
  return { steps: draft.steps, comment: draft.comment, span: spanFrom(cursor, first) };
}

/** Things that one rule does. Nobody writes so many, and each one may need a chain of its own. */
const MOST_ACTIONS = 100;

function readStep(draft: Draft): void {
  const { cursor, steps } = draft;
  const first = cursor.at;
  const word = kindAt(cursor) === "word" ? peek(cursor) : "";
  const act = (statement: ScriptStatement): void => {
    steps.push({ kind: "act", statement });
  };
  switch (word) {
    case "accept":
    case "drop":
    case "return":
    case "continue":
    case "jump":
    case "goto": {
      const verdict = readVerdict(cursor);
      const statement = verdict && verdictOf(verdict.word, verdict.chain);
      if (statement) {
        act(statement);
        return;
      }
      cursor.at = first + 1;
      reportSyntax(cursor.log, spanFrom(cursor, first), `\`${word}\` needs a chain`);
      return;
    }
    case "counter": {
      readCounter(cursor);
      return;
    }
    case "comment":
      cursor.at++;
      draft.comment = peek(cursor);
      if (!atEnd(cursor)) cursor.at++;
      return;
    case "log":
      steps.push({ kind: "log", prefix: readLog(cursor) });
      return;
    case "notrack":
      cursor.at++;
      act({ kind: "mark-untracked" });
      return;
    case "reject": {
      const { matches, statement } = readReject(cursor);
      if (matches.length > 0) addTest(draft, [matches], first);
      act(statement);
      return;
    }
    case "masquerade":
    case "snat":
    case "dnat":
    case "redirect": {
      const step = readNat(cursor, word, draft.findSet);
      if (step) steps.push(step);
      else unknownVerdict(draft, first);
      return;
    }
    case "limit": {
      const limit = readLimit(cursor);
      if (limit) {
        addTest(draft, [[limit]], first);
        return;
      }
      cursor.at = first;
      swallow(draft, first);
      return;
    }
    case "xt":
      cursor.at++;
      if (isAt(cursor, "match")) swallow(draft, first);
      else unknownVerdict(draft, first);
      return;
    default: {
      readTest(draft);
      return;
    }
  }
}

function verdictOf(word: string, chain: string | null): ScriptStatement | null {
  switch (word) {
    case "accept":
    case "drop":
    case "return":
    case "continue":
      return { kind: word };
    case "jump":
    case "goto":
      return chain === null ? null : { kind: word, chain };
    default:
      return null;
  }
}

/** `counter`, alone, by name, or with what it counted. */
function readCounter(cursor: Cursor): void {
  cursor.at++;
  if (accept(cursor, "name")) cursor.at++;
  else {
    if (accept(cursor, "packets")) cursor.at++;
    if (accept(cursor, "bytes")) cursor.at++;
  }
}

/** `log` with its options, of which only the prefix is kept. */
function readLog(cursor: Cursor): string {
  cursor.at++;
  let prefix = "";
  for (;;) {
    if (accept(cursor, "prefix")) {
      prefix = peek(cursor);
      cursor.at++;
    } else if (["group", "level", "snaplen", "queue-threshold"].some((option) => isAt(cursor, option)))
      cursor.at += 2;
    else if (accept(cursor, "flags")) {
      do cursor.at += isAt(cursor, "tcp") || isAt(cursor, "ip") ? 2 : 1;
      while (accept(cursor, ","));
    } else return prefix;
    if (kindAt(cursor) === "end") return prefix;
  }
}

const OPERATORS: ReadonlySet<string> = new Set(["==", "!=", "!", "<", ">", "<=", ">="]);
const WORDY_OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ["eq", "=="],
  ["ne", "!="],
  ["lt", "<"],
  ["gt", ">"],
  ["le", "<="],
  ["ge", ">="],
  ["not", "!="],
]);

/** A test, or a change that begins like one (`meta mark set …`). */
function readTest(draft: Draft): void {
  const { cursor, findSet } = draft;
  const first = cursor.at;
  const keys = readKeys(cursor);
  if (keys === null) {
    swallow(draft, first);
    return;
  }
  if (accept(cursor, "set")) {
    readChange(draft, first);
    return;
  }
  if (accept(cursor, "vmap")) {
    readVerdictMap(draft, keys, null, first);
    return;
  }
  const isMasked = accept(cursor, "&") || accept(cursor, "and");
  const mask = isMasked ? readValue(cursor) : null;
  if (isMasked && accept(cursor, "vmap")) {
    readVerdictMap(draft, keys, mask, first);
    return;
  }
  const operator = readOperator(cursor);
  const value = readValue(cursor);
  if (value === null || !isBetween(cursor) || (isMasked && mask === null)) {
    cursor.at = first;
    swallow(draft, first);
    return;
  }
  const { text } = cursor.log.source;
  const span = spanFrom(cursor, first);
  const tests = testOf(keys, { operator, mask, value, text: text.slice(span.start, span.end) }, findSet);
  const header = headerOf(keys);
  if (operator === "!=" && mask === null && header !== null && isSingle(value))
    draft.exclusions.push({ header, keys, step: draft.steps.length, span });
  const known = tests === null || !hasPorts(draft, keys, tests) ? null : tests;
  if (known === null) {
    addUnknownTest(draft, keys, first);
    return;
  }
  addTest(draft, known, first);
}

/** Whether one part of a rule can be over here, and the next begin. */
function isBetween(cursor: Cursor): boolean {
  return atEnd(cursor) || kindAt(cursor) === "word" || (kindAt(cursor) === "set" && isAtRaw(cursor));
}

/** `@th,0,16` begins like the name of a set. */
function isAtRaw(cursor: Cursor): boolean {
  return ["@ll", "@nh", "@th", "@ih"].includes(peek(cursor));
}

function readOperator(cursor: Cursor): Operator {
  const kind = kindAt(cursor);
  if (kind !== "mark" && kind !== "word") return "is";
  const text = peek(cursor);
  const operator =
    kind === "word" ? WORDY_OPERATORS.get(text) : OPERATORS.has(text) ? (text as Operator) : undefined;
  if (operator === undefined) return "is";
  cursor.at++;
  return operator;
}

/** `th dport` looks at the bytes where ports are, whatever the protocol: only beside protocols with ports it means ports. */
function hasPorts({ steps }: Draft, keys: readonly Key[], tests: Alternatives): boolean {
  if (!keys.some((key) => key.kind === "ports" || (key.kind === "port" && key.protocol === null)))
    return true;
  const isEnough = (matches: readonly ScriptMatch[]): boolean =>
    matches.some(
      (match) =>
        match.kind === "protocol" &&
        !match.negated &&
        match.protocols.every((protocol) => PROTOCOLS_WITH_PORTS.has(protocol)),
    );
  return (
    steps.some((step) => step.kind === "test" && step.alternatives.every(isEnough)) || tests.every(isEnough)
  );
}

/** `KEY vmap { VALUE : VERDICT, … }`, or with the name of a map. */
function readVerdictMap(draft: Draft, keys: readonly Key[], mask: Value | null, first: number): void {
  const { cursor, findSet, steps } = draft;
  const value = readValue(cursor);
  const cases = value === null ? null : casesOf(keys, mask, value, findSet);
  if (cases === null || !cases.every(({ matches }) => hasPorts(draft, keys, [matches]))) {
    unknownVerdict(draft, first);
    return;
  }
  steps.push({ kind: "branch", cases });
}

function casesOf(
  keys: readonly Key[],
  mask: Value | null,
  value: Value,
  find: FindSet,
): readonly Case[] | null {
  const set = value.kind === "named" ? find(value.name) : undefined;
  const elements: readonly Element[] | undefined = value.kind === "elements" ? value.elements : set?.elements;
  if (!elements || set?.uncertain) return null;
  const verdicts = new Map<string, { readonly statement: ScriptStatement; readonly elements: Element[] }>();
  for (const element of elements) {
    const { data, uncertain } = element;
    const statement = data?.kind === "verdict" && !uncertain ? verdictOf(data.word, data.chain) : null;
    if (!statement) return null;
    const verdict = JSON.stringify(statement);
    const same = verdicts.get(verdict);
    if (same) same.elements.push(element);
    else verdicts.set(verdict, { statement, elements: [element] });
  }
  // No packet is in two elements, so those of one verdict are a set.
  const cases: Case[] = [];
  for (const { statement, elements: some } of verdicts.values()) {
    const comparison = {
      operator: "is",
      mask,
      value: { kind: "elements", elements: some },
      text: "",
    } as const;
    const ways = testOf(keys, comparison, find);
    if (ways === null) return null;
    for (const matches of ways) cases.push({ matches, statement });
  }
  return cases;
}

/** What is changed about a packet is no part of the model; that the rule goes on behind it is sure. */
function readChange(draft: Draft, first: number): void {
  const { cursor, steps } = draft;
  const operand = (): boolean => readKeys(cursor) !== null || readValue(cursor) !== null;
  let isWhole = operand();
  while (isWhole && ["&", "|", "^", "<<", ">>", "and", "or", "xor"].some((mark) => accept(cursor, mark)))
    isWhole = operand();
  if (!isWhole || !isBetween(cursor) || isAt(cursor, "map")) {
    unknownVerdict(draft, first);
    return;
  }
  const text = noteUnknown(cursor.log, "statement", spanFrom(cursor, first));
  steps.push({ kind: "act", statement: { kind: "unknown", text, continues: true } });
}

/** Takes everything up to the next word that can only begin a statement, because nobody knows what belongs to what. */
function swallow(draft: Draft, first: number): void {
  const { cursor } = draft;
  const head = kindAt(cursor) === "word" ? peek({ ...cursor, at: first }) : "";
  let decides = !OTHER_TESTS.has(head) && head !== "xt";
  cursor.at = Math.max(cursor.at, first + 1);
  while (!atEnd(cursor) && !(kindAt(cursor) === "word" && STATEMENTS.has(peek(cursor)))) {
    if (isAt(cursor, "vmap")) decides = true;
    if (isAt(cursor, "{")) skipBlock(cursor);
    else cursor.at++;
  }
  if (decides) unknownVerdict(draft, first);
  else addUnknownTest(draft, [], first);
}

function unknownVerdict(draft: Draft, first: number): void {
  const { cursor, steps } = draft;
  while (!atEnd(cursor) && !isAt(cursor, "comment")) {
    if (isAt(cursor, "{")) skipBlock(cursor);
    else cursor.at++;
  }
  const text = noteUnknown(cursor.log, "statement", spanFrom(cursor, first));
  steps.push({ kind: "act", statement: { kind: "unknown", text, continues: false } });
}

function addUnknownTest(draft: Draft, keys: readonly Key[], first: number): void {
  const text = note(draft, "test", first);
  const [way] = unknownTest(text);
  draft.steps.push({ kind: "test", alternatives: [[...keys.flatMap(implied), ...way!]], text });
}

function addTest(draft: Draft, alternatives: Alternatives, first: number): void {
  const isUnknown = alternatives.some((matches) => matches.some(({ kind }) => kind === "unknown"));
  const text = isUnknown ? note(draft, "test", first) : "";
  draft.steps.push({ kind: "test", alternatives, text });
}

function note({ cursor }: Draft, kind: Unknown["kind"], first: number): string {
  return noteUnknown(cursor.log, kind, spanFrom(cursor, first));
}

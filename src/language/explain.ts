import { EOF, type IToken, type TokenType } from "chevrotain";
import type { Span } from "../source/source.ts";
import { type Advice, alternatives, quoted } from "./checks.ts";
import type { Reading } from "./clauses.ts";
import { acceptedCount, expectedAfter } from "./expect.ts";
import { type Passage, spanOf, spanOfAll, spanOfToken } from "./passage.ts";
import { PROTOCOLS_WITH_PORTS } from "./protocols.ts";
import { grammarOf, type Parsed, type SentenceKind } from "./sentence-parser.ts";
import { suggest, synonym } from "./suggest.ts";
import {
  Arrow,
  endOf,
  type Keyword,
  keywordOf,
  keywords,
  meantAs,
  Name,
  OpenText,
  Protocol,
} from "./tokens.ts";
import { lookalikes, replace } from "./words.ts";

type Failure = Parsed<unknown> & { readonly ok: false };

/** A word of a sentence, and the keyword that was probably meant by it. */
export interface Slip {
  readonly token: IToken;
  readonly word: Keyword;
}

/**
 * Reports why a sentence cannot be parsed: what is wrong there, and what may stand there instead. Returns the word that was
 * reported where it is a keyword with a slip of the pen.
 */
export function explainSyntax(reading: Reading, kind: SentenceKind, failure: Failure): Slip | null {
  const { passage, report } = reading;
  const { tokens, at } = failure;
  const say = (span: Span, message: string, advice: Advice = {}) =>
    report.error("sentence-syntax", span, message, advice);
  const found = tokens[at];
  const open = tokens.find((token) => token.tokenType === OpenText);
  if (report.isFull) say(spanOfAll(passage), "this sentence cannot be read");
  else if (open) say(spanOfToken(passage, open), "this text has no closing quote", cutAdvice(passage));
  else if (tokens.length === 0)
    say(spanOfAll(passage), "this sentence is empty", { label: expectation(kind, tokens, at) });
  else if (!found)
    say(spanOfEnd(passage, tokens), "the sentence ends too soon", {
      label: expectation(kind, tokens, at),
      ...cutAdvice(passage),
    });
  else {
    const slip = at > LONGEST_EXPLAINED ? null : nearMiss(kind, tokens, at);
    const wrong = slip?.token ?? found;
    const span = spanOfToken(passage, wrong);
    const message = `${quoted(wrong.image)} does not belong here`;
    if (slip) say(span, message, { ...replace(span, slip.word), help: `did you mean \`${slip.word}\`?` });
    else say(span, message, { label: expectation(kind, tokens, at), ...advice(kind, tokens, at) });
    return slip;
  }
  return null;
}

/** The place behind the last word. */
function spanOfEnd(passage: Passage, tokens: readonly IToken[]): Span {
  const last = tokens.at(-1);
  return last ? spanOf(passage, endOf(last), endOf(last)) : spanOfAll(passage);
}

function expectation(kind: SentenceKind, tokens: readonly IToken[], at: number): string {
  return at > LONGEST_EXPLAINED
    ? "expected something else"
    : `expected ${listed(possible(kind, tokens, at))}`;
}

/** Working out what may come next takes its time for each token. Whoever lists thousands of addresses knows the language. */
const LONGEST_EXPLAINED = 5000;

/** A plain scalar ends at ` #`, whatever its author meant. */
function cutAdvice(passage: Passage): Advice {
  const rest = passage.source.text.slice(passage.offset(passage.text.length)).slice(0, 80);
  if (!passage.isPlain || !/^[ \t]+#/.test(rest)) return {};
  return { help: "quote this sentence: in plain YAML text a comment begins at ` #`" };
}

/** What may come at a place, without the clauses that the sentence already has. */
function possible(kind: SentenceKind, tokens: readonly IToken[], at: number): readonly TokenType[] {
  const prefix = tokens.slice(0, at);
  const once = [
    keywords.from,
    keywords.to,
    keywords.in,
    keywords.out,
    keywords.limit,
    keywords.log,
    keywords.replies,
  ];
  const isSource = /^(?:masquerade|snat)$/.test(tokens[0]?.image ?? "");
  return expectedAfter(grammarOf(kind), prefix).filter((type) => {
    if (kind === "nat" && type === (isSource ? keywords.in : keywords.out)) return false;
    return !once.some((clause) => clause === type && prefix.some((token) => token.tokenType === clause));
  });
}

function listed(types: readonly TokenType[]): string {
  const isEnd = types.includes(EOF);
  const labels = types.filter((type) => type !== EOF).map((type) => type.LABEL ?? type.name);
  return alternatives(isEnd ? [...labels, "the end of the sentence"] : labels);
}

/**
 * A word that was meant to be a keyword: replacing it lets more of the sentence be read. It may stand before the place
 * where the grammar gave up, because a misspelt keyword can pass as a name.
 */
function nearMiss(kind: SentenceKind, tokens: readonly IToken[], at: number): Slip | null {
  for (const index of [at, at - 1]) {
    const token = tokens[index];
    if (!token) continue;
    const words = possible(kind, tokens, index).flatMap((type) => keywordOf(type) ?? []);
    const isReadable = index < at && token.tokenType !== Name;
    const word = synonym(token.image, words) ?? (isReadable ? null : suggest(token.image, words));
    if (word === null) continue;
    const repaired = tokens.with(index, meantAs(token, word));
    if (acceptedCount(grammarOf(kind), repaired) > at) return { token, word };
  }
  return null;
}

function advice(kind: SentenceKind, tokens: readonly IToken[], at: number): Advice {
  const found = tokens[at]!;
  const before = tokens[at - 1];
  const word = keywordOf(found.tokenType);
  if (at === 0 && kind === "rule" && word !== null && /^(?:masquerade|snat|dnat|redirect)$/.test(word))
    return { help: "write it under `nat:`" };
  if (at === 0 && kind === "nat" && word !== null && /^(?:allow|deny|reject)$/.test(word))
    return { help: "write it under the `rules:` of a policy" };
  if (kind === "nat" && word !== null && /^(?:limit|log|replies)$/.test(word))
    return { help: `leave it out: NAT sentences have no \`${word}\`` };
  if (kind === "service" && found.tokenType === Name)
    return { help: "a service consists of protocols and ports, not of other services" };
  if (kind === "service" && word === "port") return { help: "leave `port` out: `tcp 80, 443`" };
  if (word === "ports" && kind !== "service") return { help: "write `port`, also before several of them" };
  if (word === "any" && before?.tokenType === keywords.port)
    return { help: "leave `port` out where every port is meant" };
  const port = portBehindProtocol(found, before);
  if (port !== null && kind !== "service")
    return { help: `write a port behind the end that it belongs to: \`to self port ${port}\`` };
  if (kind === "nat" && tokens[0]!.tokenType === keywords.masquerade && before?.tokenType === Arrow)
    return {
      help: "`masquerade` takes the address of the interface; `snat` is the one that names an address",
    };
  if (found.image === "-") return { help: "write a range without blanks: `192.0.2.10-192.0.2.20`" };
  if (found.image.startsWith("/")) return { help: "write a rate or a prefix without blanks: `10/minute`" };
  if (found.tokenType === Name && before?.tokenType === keywords.log)
    return { help: `put the prefix into double quotes: \`log "${found.image.slice(0, 28)}"\`` };
  return lookalikes(found.image);
}

/** The port of `tcp 22` or `tcp/22`, as services and other tools write it; null for anything else. */
function portBehindProtocol(found: IToken, before: IToken | undefined): string | null {
  const joined = /^([a-z]+)\/([0-9]+(?:-[0-9]+)?)$/i.exec(found.image);
  if (joined) return protocolWithPorts(joined[1]!) ? joined[2]! : null;
  const isPort = /^[0-9]+(?:-[0-9]+)?$/.test(found.image);
  return isPort && before?.tokenType === Protocol && protocolWithPorts(before.image) ? found.image : null;
}

function protocolWithPorts(name: string): boolean {
  return PROTOCOLS_WITH_PORTS.some((known) => known === name.toLowerCase());
}

import { createToken, type IToken, type ITokenConfig, type TokenType } from "chevrotain";
import { PROTOCOL_NAMES } from "./protocols.ts";

/**
 * The vocabulary of sentences. A sentence falls into words at blanks, commas and quotes; what a word is, decides the
 * whole word: a keyword, a protocol, a name, a number, or something else (addresses, ranges, rates …), which is then
 * judged by the place where it stands. So there is no order of patterns to get wrong, and no word that cannot be read.
 *
 * `label` is what messages call a token.
 */
function token(name: string, label: string, config: Partial<ITokenConfig> = {}): TokenType {
  return createToken({ name, label, ...config });
}

/** What may stand in a place: names, numbers and other words, of which the place accepts those that make sense there. */
export const Address = token("address", "an address");
export const Port = token("port", "a port");
/** Where no service name can stand for ports. */
export const PortRange = token("port-range", "a port number");
export const Device = token("device", "an interface");
export const Rate = token("rate", "a rate like `10/minute`");
export const IcmpTypeWord = token("icmp-type", "an ICMP type");

const anyPlace = [Address, Port, PortRange, Device, Rate, IcmpTypeWord];

export const Name = token("name", "a name", { categories: anyPlace });
export const NumberWord = token("number", "a number", { categories: anyPlace });
export const OtherWord = token("word", "a word", { categories: anyPlace });

export const Protocol = token("protocol", "a protocol");
/** `icmp`, `icmp4`, `icmp6`: what an ICMP type may follow. */
export const IcmpProtocol = token("icmp-protocol", "`icmp`");
export const Text = token("text", "a text in double quotes");
/** A text whose closing quote is missing: no place accepts it. */
export const OpenText = token("open-text", "a text without its closing quote");
/** A bracket that stands alone, which no place accepts either: lists have none. */
export const Bracket = token("bracket", "a bracket");
export const Comma = token("comma", "`,`");
export const Arrow = token("arrow", "`->`");

function keyword(word: string, config: Partial<ITokenConfig> = {}): TokenType {
  // A token and a rule of the grammar may not share a name, and there is a rule `from`.
  return token(`Kw${word}`, `\`${word}\``, config);
}

export const keywords = {
  allow: keyword("allow"),
  deny: keyword("deny"),
  reject: keyword("reject"),
  masquerade: keyword("masquerade"),
  snat: keyword("snat"),
  dnat: keyword("dnat"),
  redirect: keyword("redirect", { categories: [IcmpTypeWord] }),
  from: keyword("from"),
  to: keyword("to"),
  not: keyword("not"),
  any: keyword("any"),
  self: keyword("self"),
  port: keyword("port"),
  ports: keyword("ports"),
  in: keyword("in"),
  out: keyword("out"),
  limit: keyword("limit"),
  burst: keyword("burst"),
  log: keyword("log"),
  replies: keyword("replies"),
  "keep-ports": keyword("keep-ports"),
} as const;

export type Keyword = keyof typeof keywords;

/** Every token type, as the parser wants them. */
export const vocabulary: readonly TokenType[] = [
  ...Object.values(keywords),
  ...anyPlace,
  Name,
  NumberWord,
  OtherWord,
  Protocol,
  IcmpProtocol,
  Text,
  OpenText,
  Bracket,
  Comma,
  Arrow,
];

const fixedWords: ReadonlyMap<string, TokenType> = new Map([
  ...PROTOCOL_NAMES.map((name) => [name, /^icmp|^ipv6-icmp$/.test(name) ? IcmpProtocol : Protocol] as const),
  ...Object.entries(keywords),
  [",", Comma],
  ["->", Arrow],
]);

/** The words that nothing can be named, because they mean something in a sentence. */
export const RESERVED_WORDS: readonly string[] = [...Object.keys(keywords), ...PROTOCOL_NAMES];

/** The keyword that a token type is; null for other types. */
export function keywordOf(type: TokenType): Keyword | null {
  return type.name.startsWith("Kw") ? (type.name.slice(2) as Keyword) : null;
}

/** What a declared name looks like, reserved words left aside. */
export const NAME_SHAPE = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;

/** The tokens of a sentence. A `#` at its start or after a blank begins a comment that ends with the line. */
export function tokenize(sentence: string): IToken[] {
  const tokens: IToken[] = [];
  WORD.lastIndex = 0;
  for (let match = WORD.exec(sentence); match !== null; match = WORD.exec(sentence)) {
    const image = match[0];
    if (match[1] !== undefined) continue;
    const type = typeOf(image);
    tokens.push({
      image,
      startOffset: match.index,
      endOffset: match.index + image.length - 1,
      tokenType: type,
      tokenTypeIdx: type.tokenTypeIdx!,
    });
  }
  return tokens;
}

/** A comment, which is captured, or a word. */
const WORD = /(?<![^ \t\r\n])(#[^\r\n]*)|"[^"\r\n]*"?|,|->|[^ \t\r\n",]+/g;

function typeOf(image: string): TokenType {
  const fixed = fixedWords.get(image);
  if (fixed) return fixed;
  if (NAME_SHAPE.test(image)) return Name;
  if (/^[0-9]+$/.test(image)) return NumberWord;
  if (image.startsWith('"')) return image.length > 1 && image.endsWith('"') ? Text : OpenText;
  return /^[()[\]{}]+$/.test(image) ? Bracket : OtherWord;
}

/** The keyword in the place of a token. Of what was written there it keeps the place alone. */
export function meantAs(token: IToken, word: Keyword): IToken {
  const type = keywords[word];
  return { ...token, image: word, tokenType: type, tokenTypeIdx: type.tokenTypeIdx! };
}

/** The end of a token: the offset behind its last character, as it was written. */
export function endOf(token: IToken): number {
  return token.endOffset! + 1;
}

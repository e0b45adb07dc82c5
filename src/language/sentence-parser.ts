import { EmbeddedActionsParser, type IToken, type Rule } from "chevrotain";
import {
  Address,
  Arrow,
  Comma,
  Device,
  IcmpProtocol,
  IcmpTypeWord,
  keywords,
  Name,
  NumberWord,
  Port,
  PortRange,
  Protocol,
  Rate,
  Text,
  vocabulary,
} from "./tokens.ts";

/*
 * The grammar, and nothing but the grammar: what a word means in its place is the business of `sentence.ts`. A sentence
 * becomes the tokens of its clauses, in the order in which they were written.
 */

export interface ParsedPorts {
  readonly keyword: IToken;
  readonly not: IToken | null;
  readonly ports: readonly IToken[];
}

export interface ParsedPeer {
  readonly not: IToken | null;
  readonly addresses: readonly IToken[];
  readonly ports: ParsedPorts | null;
}

export interface ParsedTraffic {
  readonly word: IToken;
  readonly icmpType: IToken | null;
}

export type ParsedClause =
  | { readonly kind: "from" | "to"; readonly keyword: IToken; readonly peer: ParsedPeer }
  | {
      readonly kind: "in" | "out";
      readonly keyword: IToken;
      readonly not: IToken | null;
      readonly devices: readonly IToken[];
    }
  | { readonly kind: "limit"; readonly keyword: IToken; readonly rate: IToken; readonly burst: IToken | null }
  | { readonly kind: "log"; readonly keyword: IToken; readonly prefix: IToken | null }
  | { readonly kind: "replies"; readonly keyword: IToken };

export interface ParsedRule {
  readonly action: IToken;
  readonly traffic: ParsedTraffic | null;
  readonly clauses: readonly ParsedClause[];
}

export interface ParsedNat {
  readonly action: IToken;
  readonly traffic: ParsedTraffic | null;
  readonly clauses: readonly ParsedClause[];
  /** The addresses behind the arrow. */
  readonly target: readonly IToken[];
  /** The port or ports behind the arrow, without their keyword. */
  readonly port: IToken | null;
  readonly keepPorts: IToken | null;
}

export interface ParsedService {
  readonly traffic: ParsedTraffic;
  readonly ports: readonly IToken[];
}

export class SentenceParser extends EmbeddedActionsParser {
  /**
   * Validating the grammar takes as long as a small policy does, and cannot fail in the product when it did not fail in
   * the tests: there it is switched on.
   */
  constructor(skipValidations: boolean) {
    super([...vocabulary], {
      recoveryEnabled: false,
      maxLookahead: 1,
      skipValidations,
      // What may come next is worked out in `expect.ts`; the messages made here are never seen.
      errorMessageProvider: {
        buildMismatchTokenMessage: () => "",
        buildNotAllInputParsedMessage: () => "",
        buildNoViableAltMessage: () => "",
        buildEarlyExitMessage: () => "",
      },
    });
    this.performSelfAnalysis();
  }

  readonly rule = this.RULE("rule", (): ParsedRule => {
    const action = this.OR([
      { ALT: () => this.CONSUME(keywords.allow) },
      { ALT: () => this.CONSUME(keywords.deny) },
      { ALT: () => this.CONSUME(keywords.reject) },
    ]);
    const traffic = this.OPTION(() => this.SUBRULE(this.traffic)) ?? null;
    const clauses: ParsedClause[] = [];
    this.MANY(() => clauses.push(this.SUBRULE(this.clause)));
    return { action, traffic, clauses };
  });

  readonly nat = this.RULE(
    "nat",
    (): ParsedNat =>
      this.OR([
        { ALT: () => this.SUBRULE(this.masquerade) },
        { ALT: () => this.SUBRULE(this.snat) },
        { ALT: () => this.SUBRULE(this.dnat) },
        { ALT: () => this.SUBRULE(this.redirect) },
      ]),
  );

  readonly masquerade = this.RULE("masquerade", (): ParsedNat => {
    const action = this.CONSUME(keywords.masquerade);
    const traffic = this.OPTION(() => this.SUBRULE(this.traffic)) ?? null;
    const clauses = this.SUBRULE(this.natClauses);
    const port =
      this.OPTION1(() => {
        this.CONSUME(Arrow);
        this.CONSUME(keywords.ports);
        return this.CONSUME(PortRange);
      }) ?? null;
    const keepPorts = this.OPTION2(() => this.CONSUME(keywords["keep-ports"])) ?? null;
    return { action, traffic, clauses, target: [], port, keepPorts };
  });

  readonly snat = this.RULE("snat", (): ParsedNat => {
    const action = this.CONSUME(keywords.snat);
    const traffic = this.OPTION(() => this.SUBRULE(this.traffic)) ?? null;
    const clauses = this.SUBRULE(this.natClauses);
    this.CONSUME(Arrow);
    const target = this.SUBRULE(this.target);
    const port =
      this.OPTION1(() => {
        this.CONSUME(keywords.ports);
        return this.CONSUME(PortRange);
      }) ?? null;
    const keepPorts = this.OPTION2(() => this.CONSUME(keywords["keep-ports"])) ?? null;
    return { action, traffic, clauses, target, port, keepPorts };
  });

  readonly dnat = this.RULE("dnat", (): ParsedNat => {
    const action = this.CONSUME(keywords.dnat);
    const traffic = this.OPTION(() => this.SUBRULE(this.traffic)) ?? null;
    const clauses = this.SUBRULE(this.natClauses);
    this.CONSUME(Arrow);
    const target = this.SUBRULE(this.target);
    const port =
      this.OPTION1(() => {
        this.CONSUME(keywords.port);
        return this.CONSUME(PortRange);
      }) ?? null;
    return { action, traffic, clauses, target, port, keepPorts: null };
  });

  readonly redirect = this.RULE("redirect", (): ParsedNat => {
    const action = this.CONSUME(keywords.redirect);
    const traffic = this.OPTION(() => this.SUBRULE(this.traffic)) ?? null;
    const clauses = this.SUBRULE(this.natClauses);
    this.CONSUME(Arrow);
    this.CONSUME(keywords.port);
    const port = this.CONSUME(PortRange);
    return { action, traffic, clauses, target: [], port, keepPorts: null };
  });

  /** What a declared service consists of. */
  readonly service = this.RULE("service", (): ParsedService => {
    const ports: IToken[] = [];
    const traffic = this.OR([
      { ALT: () => this.SUBRULE(this.icmp) },
      {
        ALT: () => {
          const word = this.OR1([
            { ALT: () => this.CONSUME(Protocol) },
            { ALT: () => this.CONSUME(NumberWord) },
          ]);
          this.OPTION(() => {
            this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => ports.push(this.CONSUME(PortRange)) });
          });
          return { word, icmpType: null };
        },
      },
    ]);
    return { traffic, ports };
  });

  readonly traffic = this.RULE(
    "traffic",
    (): ParsedTraffic =>
      this.OR([
        { ALT: () => this.SUBRULE(this.icmp) },
        { ALT: () => ({ word: this.CONSUME(Protocol), icmpType: null }) },
        { ALT: () => ({ word: this.CONSUME(NumberWord), icmpType: null }) },
        { ALT: () => ({ word: this.CONSUME(Name), icmpType: null }) },
      ]),
  );

  readonly icmp = this.RULE("icmp", (): ParsedTraffic => {
    const word = this.CONSUME(IcmpProtocol);
    return { word, icmpType: this.OPTION(() => this.CONSUME(IcmpTypeWord)) ?? null };
  });

  readonly clause = this.RULE(
    "clause",
    (): ParsedClause =>
      this.OR([
        { ALT: () => this.SUBRULE(this.from) },
        { ALT: () => this.SUBRULE(this.to) },
        { ALT: () => this.SUBRULE(this.interfaces) },
        { ALT: () => this.SUBRULE(this.limit) },
        { ALT: () => this.SUBRULE(this.log) },
        { ALT: () => this.SUBRULE(this.replies) },
      ]),
  );

  readonly natClauses = this.RULE("natClauses", (): ParsedClause[] => {
    const clauses: ParsedClause[] = [];
    this.MANY(() => {
      const clause = this.OR([
        { ALT: () => this.SUBRULE(this.from) },
        { ALT: () => this.SUBRULE(this.to) },
        { ALT: () => this.SUBRULE(this.interfaces) },
      ]);
      clauses.push(clause);
    });
    return clauses;
  });

  readonly from = this.RULE("from", (): ParsedClause => {
    const keyword = this.CONSUME(keywords.from);
    return { kind: "from", keyword, peer: this.SUBRULE(this.peer) };
  });

  readonly to = this.RULE("to", (): ParsedClause => {
    const keyword = this.CONSUME(keywords.to);
    return { kind: "to", keyword, peer: this.SUBRULE(this.peer) };
  });

  readonly peer = this.RULE("peer", (): ParsedPeer => {
    const not = this.OPTION(() => this.CONSUME(keywords.not)) ?? null;
    const addresses = this.SUBRULE(this.addresses);
    const ports = this.OPTION1(() => this.SUBRULE(this.ports)) ?? null;
    return { not, addresses, ports };
  });

  readonly addresses = this.RULE("addresses", (): IToken[] => {
    const addresses: IToken[] = [];
    this.AT_LEAST_ONE_SEP({
      SEP: Comma,
      DEF: () => {
        addresses.push(
          this.OR([
            { ALT: () => this.CONSUME(keywords.any) },
            { ALT: () => this.CONSUME(keywords.self) },
            { ALT: () => this.CONSUME(Address) },
          ]),
        );
      },
    });
    return addresses;
  });

  readonly ports = this.RULE("ports", (): ParsedPorts => {
    const keyword = this.CONSUME(keywords.port);
    const not = this.OPTION(() => this.CONSUME(keywords.not)) ?? null;
    const ports: IToken[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => ports.push(this.CONSUME(Port)) });
    return { keyword, not, ports };
  });

  readonly interfaces = this.RULE("interfaces", (): ParsedClause => {
    const keyword = this.OR([
      { ALT: () => this.CONSUME(keywords.in) },
      { ALT: () => this.CONSUME(keywords.out) },
    ]);
    const not = this.OPTION(() => this.CONSUME(keywords.not)) ?? null;
    const devices: IToken[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => devices.push(this.CONSUME(Device)) });
    return { kind: keyword.tokenType === keywords.in ? "in" : "out", keyword, not, devices };
  });

  readonly limit = this.RULE("limit", (): ParsedClause => {
    const keyword = this.CONSUME(keywords.limit);
    const rate = this.CONSUME(Rate);
    const burst =
      this.OPTION(() => {
        this.CONSUME(keywords.burst);
        return this.CONSUME(NumberWord);
      }) ?? null;
    return { kind: "limit", keyword, rate, burst };
  });

  readonly log = this.RULE("log", (): ParsedClause => {
    const keyword = this.CONSUME(keywords.log);
    return { kind: "log", keyword, prefix: this.OPTION(() => this.CONSUME(Text)) ?? null };
  });

  readonly replies = this.RULE(
    "replies",
    (): ParsedClause => ({ kind: "replies", keyword: this.CONSUME(keywords.replies) }),
  );

  readonly target = this.RULE("target", (): IToken[] => {
    const addresses: IToken[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: Comma, DEF: () => addresses.push(this.CONSUME(Address)) });
    return addresses;
  });
}

/** The one instance: making it costs more than parsing a policy does. */
export const sentenceParser = new SentenceParser(true);

/** What a sentence can be read as. */
export type SentenceKind = "rule" | "nat" | "service";

export type Parsed<T> =
  | { readonly ok: true; readonly tokens: readonly IToken[]; readonly value: T }
  /** `tokens[at]` cannot stand where it stands; `at` is their number where something is missing at the end. */
  | { readonly ok: false; readonly tokens: readonly IToken[]; readonly at: number };

export function parseRule(tokens: readonly IToken[]): Parsed<ParsedRule> {
  return parse(tokens, () => sentenceParser.rule());
}

export function parseNat(tokens: readonly IToken[]): Parsed<ParsedNat> {
  return parse(tokens, () => sentenceParser.nat());
}

export function parseService(tokens: readonly IToken[]): Parsed<ParsedService> {
  return parse(tokens, () => sentenceParser.service());
}

function parse<T>(tokens: readonly IToken[], start: () => T): Parsed<T> {
  sentenceParser.input = [...tokens];
  const value = start();
  const error = sentenceParser.errors[0];
  if (!error) return { ok: true, tokens, value };
  const at = tokens.indexOf(error.token);
  return { ok: false, tokens, at: at < 0 ? tokens.length : at };
}

/** The grammar of a kind of sentence, as the parser itself holds it. */
export function grammarOf(kind: SentenceKind): Rule {
  return sentenceParser.getGAstProductions()[kind]!;
}

import {
  Alternation,
  Alternative,
  type IProduction,
  type IToken,
  NonTerminal,
  Option,
  Repetition,
  RepetitionMandatory,
  RepetitionMandatoryWithSeparator,
  RepetitionWithSeparator,
  type Rule,
  Terminal,
  type TokenType,
  tokenMatcher,
} from "chevrotain";

/** Measures which ways through a grammar some sentences take between them. */
export interface GrammarMeter {
  /** Follows a sentence; whether the grammar accepts it. */
  take(tokens: readonly IToken[]): boolean;
  /** The ways that no sentence took, in words: `peer: without not`. */
  untaken(): readonly string[];
}

/**
 * A meter for the grammar that begins at `start`, whose words are of the types of `vocabulary`. A way is: an alternative,
 * an option with and without, a repetition of one and of several, and each type of word that may stand in a place.
 */
export function grammarMeter(start: Rule, vocabulary: readonly TokenType[]): GrammarMeter {
  const labels = new Map<string, string>();
  const numbers = new Map<IProduction, number>();
  const taken = new Set<string>();
  const key = (production: IProduction, way: string): string => `${numbers.get(production)} ${way}`;

  const reached = new Set<Rule>();
  const list = (rule: Rule): void => {
    if (reached.has(rule)) return;
    reached.add(rule);
    for (const production of innerProductions(rule.definition)) {
      numbers.set(production, numbers.size);
      for (const way of waysOf(production, vocabulary))
        labels.set(key(production, way), `${rule.name}: ${labelOf(production, way)}`);
      if (production instanceof NonTerminal) list(production.referencedRule);
    }
  };
  list(start);

  return {
    take(tokens) {
      for (const { at, ways } of walkAll(start.definition, tokens, 0)) {
        if (at < tokens.length) continue;
        for (const { production, way } of ways) taken.add(key(production, way));
        return true;
      }
      return false;
    },
    untaken: () => [...labels].filter(([way]) => !taken.has(way)).map(([, label]) => label),
  };
}

/** Productions and all that stand within them, rules that they call left aside. */
function* innerProductions(definition: readonly IProduction[]): Generator<IProduction> {
  for (const production of definition) {
    yield production;
    if (!(production instanceof Terminal || production instanceof NonTerminal))
      yield* innerProductions(partsOf(production));
  }
}

function partsOf(production: IProduction): readonly IProduction[] {
  return (production as IProduction & { readonly definition: readonly IProduction[] }).definition;
}

/** The ways through one production, as far as it is itself where ways part. */
function waysOf(production: IProduction, vocabulary: readonly TokenType[]): readonly string[] {
  if (production instanceof Terminal) {
    const category = production.terminalType;
    return [category, ...vocabulary.filter(({ CATEGORIES }) => CATEGORIES?.includes(category))]
      .filter(({ isParent }, index) => index > 0 || !isParent)
      .map(({ name }) => name);
  }
  if (production instanceof Alternation) return production.definition.map((_, index) => `${index + 1}`);
  if (production instanceof Option) return ["with", "without"];
  if (isOptionalRepetition(production)) return ["none", "one", "several"];
  return isMandatoryRepetition(production) ? ["one", "several"] : [];
}

function labelOf(production: IProduction, way: string): string {
  if (production instanceof Terminal) {
    const { name } = production.terminalType;
    return way === name ? name : `${way} as ${name}`;
  }
  if (production instanceof Alternation) return `alternative ${way} of ${beginningsOf(production)}`;
  return `${way} ${beginningOf(partsOf(production))}`;
}

function beginningsOf(alternation: Alternation): string {
  return alternation.definition.map((alternative) => beginningOf(partsOf(alternative))).join(" | ");
}

function beginningOf([first]: readonly IProduction[]): string {
  if (first instanceof Terminal) return first.terminalType.name;
  if (first instanceof NonTerminal) return first.nonTerminalName;
  return first instanceof Alternation ? beginningsOf(first) : "…";
}

function isOptionalRepetition(production: IProduction): production is Repetition | RepetitionWithSeparator {
  return production instanceof Repetition || production instanceof RepetitionWithSeparator;
}

function isMandatoryRepetition(
  production: IProduction,
): production is RepetitionMandatory | RepetitionMandatoryWithSeparator {
  return production instanceof RepetitionMandatory || production instanceof RepetitionMandatoryWithSeparator;
}

/** A place in the sentence that can be reached, and the ways that lead there. */
interface Reached {
  readonly at: number;
  readonly ways: readonly { readonly production: IProduction; readonly way: string }[];
}

function* walkAll(parts: readonly IProduction[], tokens: readonly IToken[], at: number): Generator<Reached> {
  const [first, ...rest] = parts;
  if (first === undefined) yield { at, ways: [] };
  else
    for (const head of walk(first, tokens, at))
      for (const tail of walkAll(rest, tokens, head.at))
        yield { at: tail.at, ways: [...head.ways, ...tail.ways] };
}

function* walk(production: IProduction, tokens: readonly IToken[], at: number): Generator<Reached> {
  const by = (way: string, { at, ways }: Reached): Reached => ({ at, ways: [...ways, { production, way }] });
  if (production instanceof Terminal) {
    const token = tokens[at];
    if (token && tokenMatcher(token, production.terminalType))
      yield by(token.tokenType.name, { at: at + 1, ways: [] });
  } else if (production instanceof NonTerminal) {
    yield* walkAll(production.referencedRule.definition, tokens, at);
  } else if (production instanceof Alternative) {
    yield* walkAll(production.definition, tokens, at);
  } else if (production instanceof Alternation) {
    for (const [index, alternative] of production.definition.entries())
      for (const reached of walk(alternative, tokens, at)) yield by(`${index + 1}`, reached);
  } else if (production instanceof Option) {
    for (const reached of walkAll(production.definition, tokens, at)) yield by("with", reached);
    yield by("without", { at, ways: [] });
  } else if (isOptionalRepetition(production) || isMandatoryRepetition(production)) {
    const separator = "separator" in production ? production.separator : null;
    for (const { at: end, ways, count } of repeat(production.definition, separator, tokens, at))
      yield by(count > 1 ? "several" : "one", { at: end, ways });
    if (isOptionalRepetition(production)) yield by("none", { at, ways: [] });
  } else throw new Error("a production of a kind that this meter does not know");
}

/** One repetition or more, the most first. */
function* repeat(
  parts: readonly IProduction[],
  separator: TokenType | null,
  tokens: readonly IToken[],
  at: number,
): Generator<Reached & { readonly count: number }> {
  for (const head of walkAll(parts, tokens, at)) {
    const next = tokens[head.at];
    const goesOn = next !== undefined && (separator === null || tokenMatcher(next, separator));
    if (goesOn)
      for (const tail of repeat(parts, separator, tokens, head.at + (separator ? 1 : 0)))
        yield { at: tail.at, ways: [...head.ways, ...tail.ways], count: tail.count + 1 };
    yield { ...head, count: 1 };
  }
}

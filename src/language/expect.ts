import {
  Alternation,
  Alternative,
  EOF,
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

/** A place in the grammar: before `definition[index]`, and behind it the place where the rule was called. */
interface Place {
  readonly definition: readonly IProduction[];
  readonly index: number;
  readonly outer: Place | null;
}

/**
 * The token types that the grammar accepts right behind `prefix`, `EOF` among them where the sentence may end. Worked
 * out from the parser's own grammar by walking all its ways at once, so it can never disagree with the parser. Empty
 * where the prefix is itself no beginning of a sentence.
 */
export function expectedAfter(start: Rule, prefix: readonly IToken[]): readonly TokenType[] {
  let places: (Place | null)[] = [{ definition: start.definition, index: 0, outer: null }];
  for (const token of prefix)
    places = places.flatMap((place) =>
      [...steps(place)].filter(([type]) => tokenMatcher(token, type)).map(([, next]) => next),
    );
  return [...new Set(places.flatMap((place) => [...steps(place)].map(([type]) => type)))];
}

/** How many of the tokens the grammar accepts, from the first one on. */
export function acceptedCount(start: Rule, tokens: readonly IToken[]): number {
  let places: (Place | null)[] = [{ definition: start.definition, index: 0, outer: null }];
  for (const [count, token] of tokens.entries()) {
    places = places.flatMap((place) =>
      [...steps(place)].filter(([type]) => tokenMatcher(token, type)).map(([, next]) => next),
    );
    if (places.length === 0) return count;
  }
  return tokens.length;
}

/** Each token type that may come at a place, and the place behind it. */
function* steps(from: Place | null): Generator<[TokenType, Place | null]> {
  let place = from;
  while (place && place.index >= place.definition.length) place = place.outer;
  if (!place) {
    yield [EOF, null];
    return;
  }
  const production = place.definition[place.index]!;
  const after: Place = { ...place, index: place.index + 1 };
  if (production instanceof Terminal) yield [production.terminalType, after];
  else if (production instanceof NonTerminal) yield* inside(production.referencedRule.definition, after);
  else if (production instanceof Alternation)
    for (const alternative of production.definition) yield* inside([alternative], after);
  else if (production instanceof Option) {
    yield* inside(production.definition, after);
    yield* steps(after);
  } else if (production instanceof Repetition) {
    yield* inside(production.definition, place);
    yield* steps(after);
  } else if (production instanceof RepetitionMandatory)
    yield* inside(production.definition, again(production.definition, after));
  else if (production instanceof RepetitionMandatoryWithSeparator)
    yield* inside(production.definition, again(separated(production), after));
  else if (production instanceof RepetitionWithSeparator) {
    yield* inside(production.definition, again(separated(production), after));
    yield* steps(after);
  } else if (production instanceof Alternative) yield* inside(production.definition, after);
}

function inside(definition: readonly IProduction[], outer: Place): Generator<[TokenType, Place | null]> {
  return steps({ definition, index: 0, outer });
}

/** The place before any number of further repetitions. */
function again(definition: IProduction[], outer: Place): Place {
  return { definition: [new Repetition({ definition })], index: 0, outer };
}

function separated(production: RepetitionWithSeparator | RepetitionMandatoryWithSeparator): IProduction[] {
  return [new Terminal({ terminalType: production.separator }), ...production.definition];
}

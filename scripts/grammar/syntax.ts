import type { ISerializedGast } from "chevrotain";
import { sentenceParser } from "../../src/language/sentence-parser.ts";

/** A piece of the grammar, as far as those who draw or print it need to know. */
export type Syntax =
  /** A word that stands there as it is. */
  | { readonly kind: "keyword"; readonly text: string }
  /** A word of some sort, or a rule of the grammar. */
  | { readonly kind: "reference"; readonly name: string }
  | { readonly kind: "sequence"; readonly items: readonly Syntax[] }
  | { readonly kind: "choice"; readonly items: readonly Syntax[] }
  | { readonly kind: "optional"; readonly item: Syntax }
  /** Once or more often. */
  | { readonly kind: "repeat"; readonly item: Syntax; readonly separator: Syntax | null };

export interface SyntaxRule {
  readonly name: string;
  readonly syntax: Syntax;
}

/** What the parser tells of itself; its own type leaves out all but `type`. */
interface Production extends Omit<ISerializedGast, "definition"> {
  readonly name?: string;
  readonly label?: string;
  readonly definition?: readonly Production[];
  readonly separator?: Production;
}

/** Every rule of the live parser, in the parser's order. */
export function syntaxRules(): readonly SyntaxRule[] {
  const productions = sentenceParser.getSerializedGastProductions() as readonly Production[];
  return productions.map((rule) => ({ name: kebab(rule.name!), syntax: sequence(rule) }));
}

function sequence(parent: Production): Syntax {
  const items = (parent.definition ?? []).map(syntaxOf);
  return items.length === 1 ? items[0]! : { kind: "sequence", items };
}

function syntaxOf(production: Production): Syntax {
  switch (production.type) {
    case "Terminal":
      return terminal(production);
    case "NonTerminal":
      return { kind: "reference", name: kebab(production.name!) };
    case "Alternation":
      return { kind: "choice", items: production.definition!.map(sequence) };
    case "Option":
      return { kind: "optional", item: sequence(production) };
    case "Repetition":
      return { kind: "optional", item: { kind: "repeat", item: sequence(production), separator: null } };
    case "RepetitionMandatory":
      return { kind: "repeat", item: sequence(production), separator: null };
    case "RepetitionMandatoryWithSeparator":
      return { kind: "repeat", item: sequence(production), separator: terminal(production.separator!) };
    default:
      throw new Error(`the grammar uses ${production.type}, which nobody has drawn yet`);
  }
}

/** The labels of fixed words are the words in backquotes; see `tokens.ts`. */
function terminal({ name, label }: Production): Syntax {
  const fixed = /^`(.*)`$/.exec(label!);
  return fixed && name !== "icmp-protocol"
    ? { kind: "keyword", text: fixed[1]! }
    : { kind: "reference", name: kebab(name!) };
}

function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

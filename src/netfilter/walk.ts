import type { MappedChain, MappedRule, MappedRuleset } from "./grouped.ts";
import type { Statement } from "./ruleset.ts";

/** A statement that ends the way of a packet through a base chain. */
export type Ending = Exclude<Statement, { kind: "jump" | "goto" | "return" }>;

/** The rule that ended a walk, and how. */
export interface Walked {
  readonly ending: Ending;
  readonly rule: MappedRule;
}

/**
 * Walks a chain and those that its rules lead to, asking of each rule in turn what it does to the packet, until one ends the
 * walk; null when the packet comes out at the end. `goto` is a jump that comes back where the present chain would have.
 */
export function walkChain(
  ruleset: MappedRuleset,
  start: MappedChain,
  statementOf: (rule: MappedRule) => Statement | null,
): Walked | null {
  const chains = new Map(
    ruleset.chains.filter(({ table }) => table === start.table).map((chain) => [chain.name, chain]),
  );
  const walk = (chain: MappedChain): Walked | null => {
    for (const rule of chain.rules) {
      const statement = statementOf(rule);
      if (!statement) continue;
      switch (statement.kind) {
        case "return":
          return null;
        case "goto":
          return walk(named(statement.chain));
        case "jump": {
          const walked = walk(named(statement.chain));
          if (walked) return walked;
          break;
        }
        default:
          return { ending: statement, rule };
      }
    }
    return null;
  };
  const named = (name: string): MappedChain => {
    const chain = chains.get(name);
    if (!chain) throw new Error(`no chain ${JSON.stringify(name)} in table ${start.table}`);
    return chain;
  };
  return walk(start);
}

import type { GroupedMatch } from "../netfilter/grouped.ts";

/** The matches of a kind. */
export function ofKind<K extends GroupedMatch["kind"]>(
  matches: readonly GroupedMatch[],
  kind: K,
): readonly (GroupedMatch & { kind: K })[] {
  return matches.filter((match): match is GroupedMatch & { kind: K } => match.kind === kind);
}

/** What negates the option behind it. */
export function not(negated: boolean): string {
  return negated ? "! " : "";
}

/** Ends the printing of a ruleset that was not made legal for iptables. */
export function unsayable(what: string): never {
  throw new Error(`one iptables rule cannot say ${what}`);
}

/** The only element, where a second one would replace the first without a word. */
export function atMostOne<T>(found: readonly T[], what: string): T | undefined {
  return found.length > 1 ? unsayable(`two tests of the ${what}`) : found[0];
}

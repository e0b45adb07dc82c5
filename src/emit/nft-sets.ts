import type { AddressRanges, Family } from "../address/ranges.ts";
import type { AddressMatch, Ruleset } from "../netfilter/ruleset.ts";
import { identifier } from "./text.ts";

/** Up to so many elements stand in the rule itself. */
const INLINE_ELEMENTS = 8;

export interface NamedSet {
  readonly name: string;
  readonly family: Family;
  readonly ranges: AddressRanges;
}

/** Names of the sets that are declared, by the array that they share. */
export type SetNames = ReadonlyMap<AddressRanges, string>;

/** The address lists that are too long to stand in a rule, each once however many rules use it, in order of use. */
export function collectSets(ruleset: Ruleset): {
  readonly declared: readonly NamedSet[];
  readonly names: SetNames;
} {
  const declared: NamedSet[] = [];
  const names = new Map<AddressRanges, string>();
  const taken = new Set<string>();
  for (const match of addressMatches(ruleset)) {
    if (match.ranges.length <= INLINE_ELEMENTS || names.has(match.ranges)) continue;
    const name = setName(match, taken);
    taken.add(name);
    names.set(match.ranges, name);
    declared.push({ name, family: match.family, ranges: match.ranges });
  }
  return { declared, names };
}

function* addressMatches(ruleset: Ruleset): Generator<AddressMatch> {
  for (const chain of ruleset.chains) {
    for (const rule of chain.rules) {
      for (const match of rule.matches) if (match.kind === "address") yield match;
    }
  }
}

/** No word of nft's language ends in `-v4` or `-v6`, so such a name is never mistaken for one. */
function setName({ name, family }: AddressMatch, taken: ReadonlySet<string>): string {
  const base = identifier(name ?? "", "addresses", 60);
  let unique = `${base}-v${family}`;
  for (let n = 2; taken.has(unique); n++) unique = `${base}-${n}-v${family}`;
  return unique;
}

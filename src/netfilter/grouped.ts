import type { Family, Range } from "../address/ranges.ts";
import type { Chain, Match, RulesetRule, Side, Statement } from "./ruleset.ts";

/**
 * A ruleset that may ask for several fields at once, which nft can and iptables cannot. Every `Ruleset` is one.
 */
export interface GroupedRuleset {
  readonly chains: readonly GroupedChain[];
}

export interface GroupedChain extends Omit<Chain, "rules"> {
  readonly rules: readonly GroupedRule[];
}

export interface GroupedRule extends Omit<RulesetRule, "matches"> {
  readonly matches: readonly GroupedMatch[];
}

/** A ruleset that may also ask once for what several rules would do, which only nft can. Every `GroupedRuleset` is one. */
export interface MappedRuleset {
  readonly chains: readonly MappedChain[];
}

export interface MappedChain extends Omit<GroupedChain, "rules"> {
  readonly rules: readonly MappedRule[];
}

export interface MappedRule extends Omit<GroupedRule, "statement"> {
  readonly statement: MappedStatement;
}

export type MappedStatement = Statement | VerdictMap;

/**
 * One lookup in the place of several rules: what happens to a packet is what the box says that its fields lie in. A packet
 * in none of the boxes walks on to the next rule. Not in a rule that logs.
 */
export interface VerdictMap {
  readonly kind: "map";
  /** As those of a `TupleMatch`. */
  readonly fields: readonly Field[];
  /** Not empty. No two boxes overlap. */
  readonly cases: readonly Case[];
  /** What the map may be called. It may hold anything a policy name may hold. */
  readonly name: string;
}

export interface Case {
  readonly box: Box;
  readonly verdict: Verdict;
}

/** What the element of a map can do. Anything else stands in a chain that it leads to. */
export type Verdict = Extract<Statement, { kind: "accept" | "drop" | "goto" }>;

export type GroupedMatch = Match | TupleMatch;

/** Matches a packet whose fields lie in one of the boxes. A packet without one of the fields never matches. */
export interface TupleMatch {
  readonly kind: "tuple";
  /** One or more, each once. All addresses are of one family; a port stands only beside a protocol, here or in the rule. */
  readonly fields: readonly Field[];
  /** Not empty. No two of them overlap: the kernel refuses or confuses elements that do. */
  readonly boxes: readonly Box[];
  /** What a set of these may be called. It may hold anything a policy name may hold. */
  readonly name: string;
}

export type Field =
  | { readonly kind: "address"; readonly side: Side; readonly family: Family }
  | { readonly kind: "protocol" }
  | { readonly kind: "port"; readonly side: Side };

/** A range for each field, in the order of the fields. */
export type Box = readonly Range<bigint>[];

/**
 * How many values the boxes hold in each field, where all hold as many, a power of two, and begin at a multiple of it: such
 * boxes are single values once a packet's fields are cut to so many. Null where they differ.
 */
export function commonSize(boxes: readonly Box[]): readonly bigint[] | null {
  const sizes = boxes[0]?.map(({ first, last }) => last - first + 1n) ?? [];
  if (sizes.some((size) => (size & (size - 1n)) !== 0n)) return null;
  const isCommon = boxes.every((box) =>
    box.every(({ first, last }, at) => {
      const size = sizes[at]!;
      return last - first + 1n === size && (first & (size - 1n)) === 0n;
    }),
  );
  return isCommon ? sizes : null;
}

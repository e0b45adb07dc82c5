import type { GroupedChain } from "../../netfilter/grouped.ts";

/** Chains that may lead into each other, the base chain counted: NFT_JUMP_STACK_SIZE, to which iptables-nft is bound. */
export const MOST_DEEP = 16;

/**
 * How many chains, one leading into the next, there are at most. None leads back to itself. Takes time linear in the number
 * of rules.
 */
export function depthOf(chains: readonly GroupedChain[]): number {
  const byName = new Map(chains.map((chain) => [keyOf(chain.table, chain.name), chain]));
  const known = new Map<GroupedChain, number>();
  let most = 0;
  // A stack of our own: chains may lead deeper than the one of this program.
  const open = [...chains];
  for (let chain = open.at(-1); chain; chain = open.at(-1)) {
    const below = known.has(chain) ? [] : calledBy(chain, byName);
    const missing = below.filter((one) => !known.has(one));
    if (missing.length > 0) {
      open.push(...missing);
      continue;
    }
    open.pop();
    if (known.has(chain)) continue;
    const depth = below.reduce((deepest, one) => Math.max(deepest, known.get(one)!), 0) + 1;
    known.set(chain, depth);
    most = Math.max(most, depth);
  }
  return most;
}

function calledBy(
  { table, rules }: GroupedChain,
  byName: ReadonlyMap<string, GroupedChain>,
): readonly GroupedChain[] {
  return rules.flatMap(({ statement }) => {
    if (statement.kind !== "jump" && statement.kind !== "goto") return [];
    return byName.get(keyOf(table, statement.chain)) ?? [];
  });
}

function keyOf(table: string, name: string): string {
  return `${table} ${name}`;
}

import type { Chain } from "../../netfilter/ruleset.ts";

/** Takes out jumps to chains without rules, which do nothing, and then the chains that nothing leads to. */
export function prune(chains: readonly Chain[]): readonly Chain[] {
  const empty = new Set(chains.filter(({ base, rules }) => !base && rules.length === 0).map(key));
  let left = chains;
  for (let before = -1; before !== empty.size; ) {
    before = empty.size;
    if (before === 0) break;
    left = left.map((chain) => withoutJumpsTo(empty, chain));
    for (const chain of left) if (!chain.base && chain.rules.length === 0) empty.add(key(chain));
  }
  const reached = reachable(left);
  return left.filter((chain) => chain.base || reached.has(key(chain)));
}

/** What is logged or counted by a limit still must be, and a `goto` leaves its own chain even when it leads nowhere. */
function withoutJumpsTo(empty: ReadonlySet<string>, chain: Chain): Chain {
  const rules = chain.rules.filter(
    ({ log, matches, statement }) =>
      log ||
      matches.some(({ kind }) => kind === "limit") ||
      statement.kind !== "jump" ||
      !empty.has(key({ table: chain.table, name: statement.chain })),
  );
  return rules.length === chain.rules.length ? chain : { ...chain, rules };
}

function reachable(chains: readonly Chain[]): ReadonlySet<string> {
  const byKey = new Map(chains.map((chain) => [key(chain), chain]));
  const reached = new Set<string>();
  const open = chains.filter(({ base }) => base);
  for (let chain = open.pop(); chain; chain = open.pop()) {
    for (const { statement } of chain.rules) {
      if (statement.kind !== "jump" && statement.kind !== "goto") continue;
      const name = key({ table: chain.table, name: statement.chain });
      const next = byKey.get(name);
      if (!next || reached.has(name)) continue;
      reached.add(name);
      open.push(next);
    }
  }
  return reached;
}

function key({ table, name }: Pick<Chain, "table" | "name">): string {
  return `${table} ${name}`;
}

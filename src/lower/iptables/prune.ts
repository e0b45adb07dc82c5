import type { GroupedChain, GroupedMatch, GroupedRule } from "../../netfilter/grouped.ts";

/**
 * Leaves out what does nothing: jumps to chains without rules, chains of a single line that one line calls, base chains
 * that can only accept what they accept anyway, and then the chains that nothing leads to. The other family's half of a
 * ruleset often leaves such things behind.
 */
export function prune(chains: readonly GroupedChain[]): readonly GroupedChain[] {
  const left = withoutIdle(inlined(withoutEmpty(chains)));
  const reached = reachable(left);
  return left.filter((chain) => chain.base || reached.has(key(chain)));
}

function withoutEmpty(chains: readonly GroupedChain[]): readonly GroupedChain[] {
  const empty = new Set(chains.filter(({ base, rules }) => !base && rules.length === 0).map(key));
  let left = chains;
  for (let before = -1; before !== empty.size; ) {
    before = empty.size;
    if (before === 0) break;
    left = left.map((chain) => withoutJumpsTo(empty, chain));
    for (const chain of left) if (!chain.base && chain.rules.length === 0) empty.add(key(chain));
  }
  return left;
}

/** What is logged or counted by a limit still must be, and a `goto` leaves its own chain even when it leads nowhere. */
function withoutJumpsTo(empty: ReadonlySet<string>, chain: GroupedChain): GroupedChain {
  const rules = chain.rules.filter(
    ({ log, matches, statement }) =>
      log ||
      matches.some(isLimitMatch) ||
      statement.kind !== "jump" ||
      !empty.has(key({ table: chain.table, name: statement.chain })),
  );
  return rules.length === chain.rules.length ? chain : { ...chain, rules };
}

/** Puts a limit that has a chain of its own into the line that jumps there, where that is the only one. */
function inlined(chains: readonly GroupedChain[]): readonly GroupedChain[] {
  const calls = new Map<string, number>();
  for (const { table, rules } of chains)
    for (const { statement } of rules)
      if (statement.kind === "jump" || statement.kind === "goto") {
        const name = key({ table, name: statement.chain });
        calls.set(name, (calls.get(name) ?? 0) + 1);
      }
  const lines = new Map<string, GroupedRule>();
  for (const chain of chains) {
    const [only, ...more] = chain.rules;
    const isLimit = only && more.length === 0 && only.matches.length > 0 && only.matches.every(isLimitMatch);
    if (!chain.base && isLimit && calls.get(key(chain)) === 1 && isFinal(only)) lines.set(key(chain), only);
  }
  if (lines.size === 0) return chains;
  return chains.map((chain) => ({
    ...chain,
    rules: chain.rules.map((rule) => {
      const { statement, matches, log } = rule;
      const line =
        statement.kind === "jump" && !log
          ? lines.get(key({ table: chain.table, name: statement.chain }))
          : undefined;
      // A line has room for one limit.
      const fits = line && !matches.some(isLimitMatch);
      return fits ? { ...line, matches: [...matches, ...line.matches] } : rule;
    }),
  }));
}

function isLimitMatch({ kind }: GroupedMatch): boolean {
  return kind === "limit";
}

/** What ends the walk of a packet in the same way from wherever it is said, in one line of iptables. */
function isFinal({ statement, log }: GroupedRule): boolean {
  return log === null && ["accept", "drop", "reject"].includes(statement.kind);
}

/** Takes the rules from base chains that accept, where nothing they lead to does anything else, nor logs or counts. */
function withoutIdle(chains: readonly GroupedChain[]): readonly GroupedChain[] {
  const byKey = new Map(chains.map((chain) => [key(chain), chain]));
  const seen = new Map<GroupedChain, boolean>();
  const matters = (chain: GroupedChain): boolean => {
    const known = seen.get(chain);
    if (known !== undefined) return known;
    seen.set(chain, false);
    const does = chain.rules.some(({ log, matches, statement }) => {
      if (log || matches.some(isLimitMatch)) return true;
      if (statement.kind === "accept" || statement.kind === "return") return false;
      if (statement.kind !== "jump" && statement.kind !== "goto") return true;
      const called = byKey.get(key({ table: chain.table, name: statement.chain }));
      return called === undefined || matters(called);
    });
    seen.set(chain, does);
    return does;
  };
  return chains.map((chain) =>
    chain.base?.policy === "accept" && !matters(chain) ? { ...chain, rules: [] } : chain,
  );
}

function reachable(chains: readonly GroupedChain[]): ReadonlySet<string> {
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

function key({ table, name }: Pick<GroupedChain, "table" | "name">): string {
  return `${table} ${name}`;
}

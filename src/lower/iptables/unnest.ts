import type { Chain, Ruleset, RulesetRule } from "../../netfilter/ruleset.ts";
import { OWN_GROUP } from "../build.ts";

/**
 * The same ruleset without chains that packets leave by `return`, where a base chain leads all packets through one. A line of
 * iptables that leaves its chain and asks for many things takes everything behind it into further chains, one in the other;
 * a line that leads to what comes next does not. So what stands behind the jump becomes a chain, which ends with the base
 * chain's policy: no packet comes back from it, and a jump is as good as a return.
 */
export function withoutReturns({ chains }: Ruleset): Ruleset {
  const called = new Map(chains.map((chain) => [keyOf(chain.table, chain.name), chain]));
  const replaced = new Map<Chain, readonly Chain[]>();
  for (const chain of chains) {
    if (!chain.base) continue;
    const at = chain.rules.findIndex(({ matches, log, statement }) => {
      if (matches.length > 0 || log || statement.kind !== "jump") return false;
      return called.get(keyOf(chain.table, statement.chain))!.rules.some(isReturn);
    });
    const { statement } = chain.rules[at] ?? {};
    if (statement?.kind !== "jump") continue;
    const through = called.get(keyOf(chain.table, statement.chain))!;
    const rest: Chain = {
      table: chain.table,
      name: `${chain.name}-rest`,
      base: null,
      rules: [
        ...chain.rules.slice(at + 1),
        { ...own(`the default for ${chain.name}`), statement: { kind: chain.base.policy } },
      ],
    };
    const onward = { kind: "jump", chain: rest.name } as const;
    replaced.set(chain, [{ ...chain, rules: chain.rules.slice(0, at + 1) }]);
    replaced.set(through, [
      {
        ...through,
        rules: [
          ...through.rules.map((rule) => (isReturn(rule) ? { ...rule, statement: onward } : rule)),
          { ...own("what nothing above decides"), statement: onward },
        ],
      },
      rest,
    ]);
  }
  return { chains: chains.flatMap((chain) => replaced.get(chain) ?? [chain]) };
}

function isReturn({ statement }: RulesetRule): boolean {
  return statement.kind === "return";
}

function own(origin: string): Omit<RulesetRule, "statement"> {
  return { matches: [], log: null, origin, group: OWN_GROUP };
}

function keyOf(table: string, name: string): string {
  return `${table} ${name}`;
}

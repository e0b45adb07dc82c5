import type { Family } from "../address/ranges.ts";
import type { GroupedChain, GroupedRule, GroupedRuleset } from "../netfilter/grouped.ts";
import type { Ruleset, RulesetRule, TableName } from "../netfilter/ruleset.ts";
import { carryOut } from "./dispatch/plan.ts";
import { dispatch, MOST_LINES } from "./dispatch.ts";
import { bringTogether } from "./group/together.ts";
import type { SetCosts } from "./ipset/cost.ts";
import { groupIntoSets } from "./ipset/group.ts";
import { conjunctionOf } from "./iptables/conjunction.ts";
import { depthOf, MOST_DEEP } from "./iptables/depth.ts";
import { type ChainMaker, layOut, layOutBefore, needsContinuation } from "./iptables/layout.ts";
import { type ChainNames, chainNames } from "./iptables/names.ts";
import { prune } from "./iptables/prune.ts";
import { splitConjunction } from "./iptables/split.ts";
import { withoutReturns } from "./iptables/unnest.ts";

/** Holds the rule that leaves a packet untracked, which takes iptables two lines. */
const UNTRACKED = "UNTRACKED";

/**
 * The same ruleset for the packets of one family, every rule of it sayable in one line of iptables (two where it logs or
 * untracks), and long chains as trees. Verdicts and limits stay: a limit is still asked at most once for a packet. Takes time linear in the
 * number of addresses and rules. Only the sharing of a limit between the families is lost, because iptables and
 * ip6tables know nothing of each other. `sets`: when rules that differ in addresses and ports only, or addresses or ports
 * that are named together, become one rule that asks a list of them, as `ipset` holds it; null: never.
 */
export function legalise(ruleset: Ruleset, family: Family, sets: SetCosts | null = null): GroupedRuleset {
  const chains = legalChains(ruleset, family, sets);
  return {
    chains: depthOf(chains) > MOST_DEEP ? legalChains(withoutReturns(ruleset), family, sets) : chains,
  };
}

function legalChains(ruleset: Ruleset, family: Family, sets: SetCosts | null): readonly GroupedChain[] {
  const base: GroupedChain[] = [];
  const made: GroupedChain[] = [];
  const tables = new Map<TableName, Table>();
  for (const { table, base: hook, name } of ruleset.chains) {
    if (!tables.has(table)) tables.set(table, newTable(table, made));
    const { names, renamed } = tables.get(table)!;
    renamed.set(name, hook ? name : names.keep(name));
  }
  const together = sets ? groupIntoSets(ruleset, sets) : bringTogether(ruleset, MOST_LINES);
  for (const chain of together.chains) {
    const table = tables.get(chain.table)!;
    const name = table.renamed.get(chain.name)!;
    const slot = { ...chain, name, rules: [] as readonly GroupedRule[] };
    (chain.base ? base : made).push(slot);
    slot.rules = legalRules(chain, table, family, sets);
  }
  return dispatched(prune([...base, ...made]), tables, family);
}

/** Lets no packet walk through a long chain from end to end. */
function dispatched(
  chains: readonly GroupedChain[],
  tables: ReadonlyMap<TableName, Table>,
  family: Family,
): readonly GroupedChain[] {
  const branches: GroupedChain[] = [];
  const shorter = chains.map((chain) => {
    const { table } = chain;
    const rules = carryOut(dispatch(chain.rules, family), (group, lines) => {
      const name = tables.get(table)!.names.make(group);
      branches.push({ table, name, base: null, rules: lines });
      return name;
    });
    return { ...chain, rules };
  });
  const all = [...shorter, ...branches];
  // Slow rules are better than none: of a script that leads too deep, iptables-nft loads nothing.
  return depthOf(all) > MOST_DEEP ? chains : all;
}

/** What the chains of one table share while they are made legal. */
interface Table {
  readonly names: ChainNames;
  /** Names of the given chains, by the names that they had. */
  readonly renamed: Map<string, string>;
  readonly maker: ChainMaker;
}

function newTable(table: TableName, made: GroupedChain[]): Table {
  const names = chainNames();
  let untracked = false;
  const add = (name: string, rules: () => readonly GroupedRule[]) => {
    const chain = { table, name, base: null, rules: [] as readonly GroupedRule[] };
    made.push(chain);
    chain.rules = rules();
    return name;
  };
  return {
    names,
    renamed: new Map(),
    maker: {
      chain: (group, rules) => add(names.make(group), rules),
      untracked() {
        if (!untracked) add(UNTRACKED, () => [notrack]);
        untracked = true;
        return UNTRACKED;
      },
    },
  };
}

const notrack: RulesetRule = {
  matches: [],
  log: null,
  statement: { kind: "notrack" },
  origin: "",
  group: "",
};

function legalRules(
  { base, rules }: GroupedChain,
  table: Table,
  family: Family,
  sets: SetCosts | null,
): readonly GroupedRule[] {
  const first: GroupedRule[] = [];
  let legal = first;
  for (const written of rules) {
    const rule = renameTarget(written, table);
    const conjunction = conjunctionOf(rule, family, base?.hook ?? null);
    if (conjunction === null) continue;
    const split = splitConjunction(conjunction, family, sets);
    if (needsContinuation(rule, split)) {
      // What follows goes into a chain of its own, to which this rule sends what it does not match.
      const following: GroupedRule[] = [];
      const onward = table.maker.chain(rule.group, () => following);
      legal.push(...layOutBefore(rule, split, onward, table.maker));
      legal = following;
    } else legal.push(...layOut(rule, split, table.maker));
  }
  return first;
}

function renameTarget(rule: GroupedRule, { renamed }: Table): GroupedRule {
  const { statement } = rule;
  if (statement.kind !== "jump" && statement.kind !== "goto") return rule;
  const chain = renamed.get(statement.chain);
  if (chain === undefined) throw new Error(`no chain ${JSON.stringify(statement.chain)}`);
  return { ...rule, statement: { kind: statement.kind, chain } };
}

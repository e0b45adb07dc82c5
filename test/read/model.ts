import { expect } from "vitest";
import type { Chain, Ruleset, RulesetRule, Statement, TableName } from "../../src/netfilter/ruleset.ts";
import type { ScriptChain, ScriptMatch, ScriptRule, ScriptRuleset } from "../../src/netfilter/script.ts";
import { type SimulatedPacket, simulate } from "../../src/netfilter/simulate.ts";
import type { Reading } from "../../src/read/reading.ts";

/** What a reading says, for tests of scripts in which everything is understood and nothing refused. */
export function understood({ ruleset, unknowns, findings }: Reading): ScriptRuleset {
  const complaints = [...unknowns.map(({ text }) => text), ...findings.map(({ message }) => message)];
  if (complaints.length > 0) throw new Error(complaints.join("; "));
  return ruleset;
}

const EMPTY = "(empty)";

/** The same ruleset for those who know no unknowns and no rules that walk on; throws where it cannot be said so. */
export function strict({ chains }: ScriptRuleset): Ruleset {
  const tables: readonly TableName[] = ["raw", "nat", "filter"];
  return {
    chains: [
      ...chains.map(strictChain),
      ...tables.map((table): Chain => ({ table, name: EMPTY, base: null, rules: [] })),
    ],
  };
}

function strictChain(chain: ScriptChain): Chain {
  const { table, name, base } = chain;
  const rules: RulesetRule[] = [];
  for (const [at, rule] of chain.rules.entries()) {
    const marked = chain.rules[at - 1];
    // A rule that accepts what the one before it marked is the second half of that one.
    if (marked?.statement.kind === "mark-untracked" && isSameTests(marked, rule)) continue;
    rules.push(strictRule(rule, chain.rules[at + 1]));
  }
  return { table, name, base: base && { hook: base.hook, policy: base.policy }, rules };
}

function isSameTests(a: ScriptRule, b: ScriptRule): boolean {
  return print(a.matches) === print(b.matches) && b.statement.kind === "accept";
}

function print(matches: readonly ScriptMatch[]): string {
  return JSON.stringify(matches, (_, value) => (typeof value === "bigint" ? `${value}` : value));
}

function strictRule(rule: ScriptRule, next: ScriptRule | undefined): RulesetRule {
  const { log, origin, group } = rule;
  const matches = rule.matches.map((match) => {
    if (match.kind === "unknown") throw new Error(`unknown test ${match.text}`);
    return match;
  });
  return { matches, log, origin, group, statement: strictStatement(rule, next) };
}

function strictStatement({ statement, ...rule }: ScriptRule, next: ScriptRule | undefined): Statement {
  switch (statement.kind) {
    case "continue":
      return { kind: "jump", chain: EMPTY };
    case "mark-untracked":
      if (!next || !isSameTests({ statement, ...rule }, next))
        throw new Error("nothing accepts what is marked");
      return { kind: "notrack" };
    case "unknown":
      throw new Error(`unknown statement ${statement.text}`);
    case "reject":
      if (statement.with === "other") throw new Error(`rejects with ${statement.text}`);
      return { kind: "reject", with: statement.with };
    default:
      return statement;
  }
}

/** What becomes of a packet, in words that do not depend on which rules say so. Limits of odd bursts have run dry. */
function fateOf(ruleset: Ruleset, packet: SimulatedPacket) {
  const asked: number[] = [];
  // Which rule decided may change: a last rule that says what the policy says need not be printed.
  const { decidedBy: _, ...fate } = simulate(ruleset, packet, {
    // The tools print a rate in the unit that suits them (72 a day as 3 an hour), so the burst tells limits apart.
    limit: ({ burst }) => {
      asked.push(burst);
      return burst % 2 === 0;
    },
    route: ({ destination, ...rest }) =>
      destination % 3n === 0n ? { ...rest, path: "input", out: null } : rest,
  });
  return { ...fate, asked };
}

/** A log prefix is printed with a blank behind it. */
function trimmed(fate: ReturnType<typeof fateOf>) {
  return { ...fate, logged: fate.logged.map((prefix) => prefix.trim()) };
}

/** Both rulesets do the same to each of some packets, and ask the same limits. `a` was read from a script. */
export function expectSameFates(a: Ruleset, b: Ruleset, packets: readonly SimulatedPacket[]): void {
  expect(packets.map((packet) => trimmed(fateOf(a, packet)))).toEqual(
    packets.map((packet) => fateOf(b, packet)),
  );
}

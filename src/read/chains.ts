import type { Hook, TableName } from "../netfilter/ruleset.ts";
import type { ScriptChain, ScriptRule } from "../netfilter/script.ts";
import type { Span } from "../source/source.ts";
import { type ReadLog, reportSyntax } from "./reading.ts";

const HOOKS: readonly Hook[] = ["prerouting", "input", "forward", "output", "postrouting"];

/** The priority of connection tracking: what runs later at a hook sees its state. */
const CONNTRACK = -200;

/**
 * What a base chain is to the model. `notrack` works in chains up to the priority of connection tracking, and only where
 * that begins: before routing, and for what this host sends.
 */
export function tableAt(hook: Hook, priority: number, isNat: boolean): TableName {
  if (isNat) return "nat";
  return (hook === "prerouting" || hook === "output") && priority <= CONNTRACK ? "raw" : "filter";
}

/** Base chains first, hook by hook and by priority, chains of one priority in the order of the script. */
export function ordered(chains: readonly ScriptChain[]): readonly ScriptChain[] {
  const rank = ({ base }: ScriptChain): number => (base ? HOOKS.indexOf(base.hook) : HOOKS.length);
  return [...chains].sort((a, b) => rank(a) - rank(b) || (a.base?.priority ?? 0) - (b.base?.priority ?? 0));
}

/** Reports chains from which rules lead back to themselves: the kernel refuses them, and a walk would never end. */
export function reportLoops(chains: readonly ScriptChain[], log: ReadLog): void {
  const keys = new Map(chains.map((chain) => [`${chain.table} ${chain.name}`, chain]));
  const finished = new Set<ScriptChain>();
  const open = new Set<ScriptChain>();
  for (const start of chains) {
    if (finished.has(start)) continue;
    // The way down is a list, since a script may lead deeper than the stack of this program is.
    const way: { chain: ScriptChain; at: number }[] = [{ chain: start, at: 0 }];
    open.add(start);
    for (let step = way.at(-1); step; step = way.at(-1)) {
      const rule = step.chain.rules[step.at++];
      if (!rule) {
        open.delete(step.chain);
        finished.add(step.chain);
        way.pop();
        continue;
      }
      const next = target(rule, step.chain, keys);
      if (!next || finished.has(next)) continue;
      if (open.has(next)) {
        report(rule, next, log);
        continue;
      }
      open.add(next);
      way.push({ chain: next, at: 0 });
    }
  }
}

function target(
  { statement }: ScriptRule,
  { table }: ScriptChain,
  keys: ReadonlyMap<string, ScriptChain>,
): ScriptChain | undefined {
  return statement.kind === "jump" || statement.kind === "goto"
    ? keys.get(`${table} ${statement.chain}`)
    : undefined;
}

function report(rule: ScriptRule, chain: ScriptChain, log: ReadLog): void {
  const span: Span = rule.span ?? { source: log.source, start: 0, end: 0 };
  reportSyntax(log, span, `chain \`${chain.name}\` leads back to itself`);
}

/** A name that is not taken yet, the wanted one if it can be. */
export function freeName(wanted: string, isTaken: (name: string) => boolean): string {
  let name = wanted;
  for (let n = 2; isTaken(name); n++) name = `${wanted}#${n}`;
  return name;
}

/**
 * Something that is not understood and may do anything to any packet, such as a table of a kind of its own: before all
 * else, and on every way that a packet can take.
 */
export function unknownChains(log: ReadLog, spans: readonly Span[]): readonly ScriptChain[] {
  return spans.flatMap((span, at) =>
    (["prerouting", "output"] as const).map((hook): ScriptChain => {
      const text = log.source.text.slice(span.start, Math.min(span.end, span.start + 80));
      const statement = { kind: "unknown", text, continues: false } as const;
      const rule: ScriptRule = { matches: [], log: null, statement, origin: "", group: "", span };
      const base = { hook, policy: "accept", priority: FIRST } as const;
      return { table: "raw", name: `unknown#${at + 1}/${hook}`, base, rules: [rule] };
    }),
  );
}

/** The lowest priority that there is. */
const FIRST = -(2 ** 31);

import type { Family } from "../address/ranges.ts";
import type { Hook } from "../netfilter/ruleset.ts";
import type { ScriptChain, ScriptRule } from "../netfilter/script.ts";
import type { Source, Span } from "../source/source.ts";
import { freeName, ordered, reportLoops, unknownChains } from "./chains.ts";
import { readIpsets } from "./iptables/ipset.ts";
import type { LineContext } from "./iptables/line.ts";
import { readRule } from "./iptables/rule-line.ts";
import { cutWords, type Word } from "./iptables/words.ts";
import { noteUnknown, type Reading, type ReadLog, readLog, reportSyntax } from "./reading.ts";
import { assemble } from "./rule.ts";

/** The tables of the kernel: at which hooks each has a chain, and with which priority. */
const TABLES: { readonly [table: string]: Readonly<Partial<Record<Hook, number>>> } = {
  raw: { prerouting: -300, output: -300 },
  mangle: { prerouting: -150, input: -150, forward: -150, output: -150, postrouting: -150 },
  nat: { prerouting: -100, input: 100, output: -100, postrouting: 100 },
  filter: { input: 0, forward: 0, output: 0 },
  security: { input: 50, forward: 50, output: 50 },
};

interface ReadChain {
  readonly name: string;
  readonly hook: Hook | null;
  policy: "accept" | "drop";
  rules: ScriptRule[];
}

interface ReadTable {
  readonly name: string;
  readonly chains: Map<string, ReadChain>;
  /** Where it begins, until its COMMIT is read. */
  open: Span | null;
}

/** Where the reading of a script stands. */
interface State {
  readonly log: ReadLog;
  readonly family: Family;
  readonly tables: Map<string, ReadTable>;
  /** Null outside of tables, and in those that are not understood. */
  table: ReadTable | null;
  context: LineContext | null;
  readonly sets: LineContext["sets"];
  /** What may happen that is not understood, outside of all chains. */
  readonly foreign: Span[];
}

/**
 * Reads what `iptables-save` prints and `iptables-restore` takes, legacy or nf_tables, for one family. The ruleset speaks
 * of packets of that family only; its rules carry no test of it. The chains of table filter keep their names, those of
 * the other tables of the same kind are called after the table (`mangle/PREROUTING`). Sets are what `ipsets`, the output
 * of `ipset save` or the input of `ipset restore`, says; without it nobody knows what they hold. Takes time linear in the text, and never throws.
 */
export function readIptables(source: Source, family: Family, ipsets: Source | null = null): Reading {
  const log = readLog(source);
  const setLog: ReadLog | null = ipsets ? { ...log, source: ipsets } : null;
  const state: State = {
    log,
    family,
    tables: new Map(),
    table: null,
    context: null,
    sets: setLog ? readIpsets(setLog) : new Map(),
    foreign: [],
  };
  const { text } = source;
  for (let start = 0; start < text.length; ) {
    const feed = text.indexOf("\n", start);
    const end = feed < 0 ? text.length : feed;
    readLine(state, start, end);
    start = end + 1;
  }
  closeTable(state);
  const chains = ordered([
    ...unknownChains(log, state.foreign),
    ...[...state.tables.values()].flatMap(chainsOf),
  ]);
  reportLoops(chains, log);
  return { ruleset: { chains }, unknowns: log.unknowns, findings: log.findings.all };
}

function readLine(state: State, start: number, end: number): void {
  const { log } = state;
  const { text } = log.source;
  if (text.charCodeAt(start) === HASH) return;
  const words = cutWords(text, start, end);
  const [first] = words;
  if (!first) return;
  const span: Span = { source: log.source, start: first.start, end: words.at(-1)!.end };
  if (first.text.startsWith("*")) openTable(state, first.text.slice(1), span);
  else if (first.text === "COMMIT") {
    if (state.table) state.table.open = null;
    state.table = null;
    state.context = null;
  } else if (!state.table || !state.context) {
    // The lines of a table that is not understood were noted with its head.
    if (state.foreign.length === 0) reportSyntax(log, span, "a rule stands in a table: first comes `*TABLE`");
  } else {
    const refusal = first.text.startsWith(":")
      ? declareChain(state.table, words)
      : readCommand(state.table, state.context, words, span);
    if (refusal !== null) reportSyntax(log, span, refusal);
  }
}

const HASH = 0x23;

function openTable(state: State, name: string, span: Span): void {
  closeTable(state);
  const { log, tables, family, sets } = state;
  const hooks = Object.hasOwn(TABLES, name) ? TABLES[name] : undefined;
  if (!hooks) {
    noteUnknown(log, "table", span);
    state.foreign.push(span);
    state.table = null;
    state.context = null;
    return;
  }
  const earlier = tables.get(name);
  const chains = new Map<string, ReadChain>();
  for (const hook of Object.keys(hooks) as Hook[]) {
    const chain = hook.toUpperCase();
    // Restoring a table again empties it, but leaves the policies that the new text does not set.
    chains.set(chain, {
      name: chain,
      hook,
      policy: earlier?.chains.get(chain)?.policy ?? "accept",
      rules: [],
    });
  }
  const table: ReadTable = { name, chains, open: span };
  tables.set(name, table);
  state.table = table;
  state.context = { log, family, table: name, sets, isChain: (chain) => chains.get(chain)?.hook === null };
}

function closeTable({ table, log }: State): void {
  if (table?.open)
    reportSyntax(log, table.open, `table \`${table.name}\` is never loaded: \`COMMIT\` is missing behind it`);
}

/** `:NAME POLICY [packets:bytes]`. Like all below, a sentence where the tool would refuse it. */
function declareChain(table: ReadTable, words: readonly Word[]): string | null {
  const name = words[0]!.text.slice(1);
  const policy = words[1]?.text ?? "-";
  if (table.chains.get(name)?.hook) return setPolicy(table, name, policy);
  if (policy !== "-") return "only chains that the kernel calls have a policy";
  if (name === "") return "a chain has a name";
  table.chains.set(name, { name, hook: null, policy: "accept", rules: [] });
  return null;
}

function setPolicy(table: ReadTable, name: string, policy: string): string | null {
  const chain = table.chains.get(name);
  if (!chain?.hook) return `there is no chain \`${name}\` with a policy in table \`${table.name}\``;
  if (policy === "ACCEPT" || policy === "DROP") chain.policy = policy === "ACCEPT" ? "accept" : "drop";
  else if (policy !== "-") return `\`${policy}\` is no policy: a chain accepts or drops`;
  return null;
}

/** A line that says what to do with a chain, behind the counters that it may start with. */
function readCommand(
  table: ReadTable,
  context: LineContext,
  words: readonly Word[],
  span: Span,
): string | null {
  const at = /^\[[0-9]+:[0-9]+\]$/.test(words[0]!.text) ? 1 : 0;
  const command = words[at]?.text ?? "";
  const name = words[at + 1]?.text;
  const chain = name === undefined ? undefined : table.chains.get(name);
  const missing =
    name === undefined ? "no chain is named" : `there is no chain \`${name}\` in table \`${table.name}\``;
  switch (command) {
    case "-A":
    case "--append":
      if (!chain) return missing;
      for (const rule of rulesOf(table, chain, words, at + 2, context)) chain.rules.push(rule);
      return null;
    case "-I":
    case "--insert":
      return chain ? insertRule(table, chain, words, at + 2, context) : missing;
    case "-N":
    case "--new-chain":
      if (name === undefined || chain) return "a new chain needs a new name";
      table.chains.set(name, { name, hook: null, policy: "accept", rules: [] });
      return null;
    case "-P":
    case "--policy":
      return name === undefined ? missing : setPolicy(table, name, words[at + 2]?.text ?? "");
    case "-F":
    case "--flush":
      if (name !== undefined && !chain) return missing;
      for (const one of chain ? [chain] : table.chains.values()) one.rules = [];
      return null;
    case "-Z":
    case "--zero":
      return null;
    default:
      if (!EDITS.has(command)) return `\`${command}\` is no command`;
      // Which rule goes would have to be found out by comparing it with all the others.
      addUnknown(chain ? [chain] : [...table.chains.values()], context.log, span);
      return null;
  }
}

/** Commands that change what is there already; no file that was saved has them. */
const EDITS: ReadonlySet<string> = new Set([
  "-D",
  "--delete",
  "-R",
  "--replace",
  "-X",
  "--delete-chain",
  "-E",
  "--rename-chain",
]);

function addUnknown(chains: readonly ReadChain[], log: ReadLog, span: Span): void {
  const statement = { kind: "unknown", text: noteUnknown(log, "statement", span), continues: false } as const;
  for (const { rules } of chains)
    rules.unshift({ matches: [], log: null, statement, origin: "", group: "", span });
}

/** `-I CHAIN [NUMBER] …`: one rule of the script may be several here, so places count the rules of the script. */
function insertRule(
  table: ReadTable,
  chain: ReadChain,
  words: readonly Word[],
  at: number,
  context: LineContext,
): string | null {
  const number = /^[0-9]{1,9}$/.test(words[at]?.text ?? "") ? Number(words[at]!.text) : null;
  const place = placeOf(chain, number ?? 1);
  if (place === null) return `chain \`${chain.name}\` has no place ${number}`;
  const rules = rulesOf(table, chain, words, number === null ? at : at + 1, context);
  chain.rules = [...chain.rules.slice(0, place), ...rules, ...chain.rules.slice(place)];
  return null;
}

/** Where the rule that is the `number`th of the script now begins; null where there is none. */
function placeOf(chain: ReadChain, number: number): number | null {
  let seen = 0;
  let last: Span | undefined;
  for (const [index, { span }] of chain.rules.entries()) {
    if (span !== last) seen++;
    last = span;
    if (seen === number) return index;
  }
  return number === seen + 1 ? chain.rules.length : null;
}

function rulesOf(
  table: ReadTable,
  { name }: ReadChain,
  words: readonly Word[],
  start: number,
  context: LineContext,
): readonly ScriptRule[] {
  const plan = readRule(words, start, context);
  if (!plan) return [];
  return assemble(plan, (rules) => {
    const chain = freeName(`${name}#`, (taken) => table.chains.has(taken));
    table.chains.set(chain, { name: chain, hook: null, policy: "accept", rules: [...rules] });
    return chain;
  });
}

/** The chains of a table, those that the kernel calls together with the chains that they lead to. */
function chainsOf(table: ReadTable): readonly ScriptChain[] {
  const isPlain = table.name === "raw" || table.name === "nat" || table.name === "filter";
  const nameOf = (name: string): string => (isPlain ? name : `${table.name}/${name}`);
  return [...table.chains.values()].map(({ name, hook, policy, rules }) => {
    const priority = hook ? TABLES[table.name]![hook]! : 0;
    return {
      table: isPlain ? (table.name as ScriptChain["table"]) : "filter",
      name: nameOf(name),
      base: hook ? { hook, policy, priority } : null,
      rules: isPlain ? rules : rules.map((rule) => renamed(rule, nameOf)),
    };
  });
}

function renamed(rule: ScriptRule, nameOf: (name: string) => string): ScriptRule {
  const { statement } = rule;
  if (statement.kind !== "jump" && statement.kind !== "goto") return rule;
  return { ...rule, statement: { ...statement, chain: nameOf(statement.chain) } };
}

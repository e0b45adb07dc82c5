import type { TableName } from "../netfilter/ruleset.ts";
import type { ScriptChain, ScriptRule, ScriptStatement } from "../netfilter/script.ts";
import type { Source } from "../source/source.ts";
import { freeName, ordered, reportLoops, tableAt, unknownChains } from "./chains.ts";
import { readRule } from "./nft/rule.ts";
import { readScript } from "./nft/script.ts";
import { type ChainDraft, type Table, type Tables, warnOfListing } from "./nft/tables.ts";
import { type Cursor, cutTokens } from "./nft/tokens.ts";
import { expandVariables } from "./nft/variables.ts";
import { noteUnknown, type Reading, type ReadLog, readLog, reportSyntax, reportWarning } from "./reading.ts";
import { assemble, type Plan } from "./rule.ts";

/**
 * Reads what `nft list ruleset` prints and `nft -f` takes, as if it were loaded on a host without rules: tables of the
 * families inet, ip and ip6. Other tables, files that are included, and tables that iptables keeps in nf_tables, which nft
 * prints with losses, are unknown. Chains keep their names as far as the model can tell them apart; a chain that rules
 * of several kinds of base chains jump to stands in the ruleset once for each. Takes time linear in the text, and never
 * throws.
 *
 * A listing is only as true as nft makes it. What nft 1.0.6 leaves out, so that nobody can tell, is a test of the family
 * before `reject with tcp reset`, of IPv4 before `meta l4proto icmp`, and of IPv6 before `meta l4proto ipv6-icmp`.
 */
export function readNft(source: Source): Reading {
  const log = readLog(source);
  const script = cutTokens(log);
  const tokens = expandVariables(script.tokens, log);
  const tables = readScript({ log, tokens, at: 0 });
  for (const [key, table] of tables.tables) {
    if (!isManaged(table, script.managed, source.text)) continue;
    warnOfListing(log, table);
    noteUnknown(log, "table", table.span);
    tables.foreign.push(table.span);
    tables.tables.delete(key);
  }
  const cursor: Cursor = { log, tokens, at: 0 };
  const chains = ordered([...unknownChains(log, tables.foreign), ...chainsOf(tables, cursor)]);
  reportLoops(chains, log);
  return { ruleset: { chains }, unknowns: log.unknowns, findings: log.findings.all };
}

const IPTABLES_TABLES: ReadonlySet<string> = new Set(["raw", "mangle", "nat", "filter", "security"]);

/**
 * Whether a table is one of iptables-nft's. nft says so beside its output, which may be lost; then they show by their
 * names, and by the counters that every rule of iptables has.
 */
function isManaged(table: Table, managed: ReadonlySet<string>, text: string): boolean {
  if (managed.has(`${table.family} ${table.name}`)) return true;
  if (table.family === "inet" || !IPTABLES_TABLES.has(table.name)) return false;
  const bases = [...table.chains.values()].filter(({ base }) => base);
  if (bases.length === 0 || !bases.every(({ name, base }) => name === base!.hook.toUpperCase())) return false;
  return /\bcounter packets [0-9]+ bytes [0-9]+\b|\bxt (?:match|target)\b/.test(text);
}

/** One chain of the script as the model has it, of which there may be several. */
interface Copy {
  readonly table: Table;
  readonly chain: ChainDraft;
  readonly as: TableName;
  readonly name: string;
  /** Whether some base chain leads to it. */
  readonly isReached: boolean;
}

/** What building the chains shares. */
interface Builder {
  readonly log: ReadLog;
  readonly cursor: Cursor;
  readonly plans: Map<ChainDraft, readonly Plan[]>;
  readonly copies: Map<ChainDraft, Map<TableName, Copy>>;
  readonly taken: Map<TableName, Set<string>>;
  readonly queue: Copy[];
  readonly built: ScriptChain[];
}

function chainsOf({ tables, log }: Tables, cursor: Cursor): readonly ScriptChain[] {
  const builder: Builder = {
    log,
    cursor,
    plans: new Map(),
    copies: new Map(),
    taken: new Map(),
    queue: [],
    built: [],
  };
  for (const table of tables.values()) {
    if (table.dormant) {
      reportWarning(
        log,
        table.span,
        `table \`${table.family} ${table.name}\` is dormant: the kernel calls none of its chains`,
      );
      continue;
    }
    for (const chain of table.chains.values()) {
      const { base } = chain;
      if (base) copyOf(builder, table, chain, tableAt(base.hook, base.priority, base.type === "nat"));
    }
  }
  for (let copy = builder.queue.shift(); copy; copy = builder.queue.shift()) build(builder, copy);
  // What nothing leads to is read too, for the sake of its errors.
  for (const table of tables.values()) {
    for (const chain of table.chains.values()) {
      if (builder.copies.has(chain) || table.dormant) continue;
      copyOf(builder, table, chain, "filter", false);
      for (let copy = builder.queue.shift(); copy; copy = builder.queue.shift()) build(builder, copy);
    }
  }
  return builder.built;
}

/** The chain as one that is called from chains of one kind, built when its turn comes. */
function copyOf(builder: Builder, table: Table, chain: ChainDraft, as: TableName, isReached = true): Copy {
  const copies = builder.copies.get(chain) ?? new Map<TableName, Copy>();
  builder.copies.set(chain, copies);
  const known = copies.get(as);
  if (known) return known;
  const taken = takenOf(builder, as);
  const name = taken.has(chain.name)
    ? freeName(`${table.family} ${table.name}/${chain.name}`, (wanted) => taken.has(wanted))
    : chain.name;
  taken.add(name);
  const copy: Copy = { table, chain, as, name, isReached };
  copies.set(as, copy);
  builder.queue.push(copy);
  return copy;
}

function takenOf({ taken }: Builder, as: TableName): Set<string> {
  const names = taken.get(as) ?? new Set<string>();
  taken.set(as, names);
  return names;
}

function build(builder: Builder, copy: Copy): void {
  const { chain, as, name, table } = copy;
  const added: ScriptChain[] = [];
  const addChain = (rules: readonly ScriptRule[]): string => {
    const taken = takenOf(builder, as);
    const inner = freeName(`${name}#${added.length + 1}`, (wanted) => taken.has(wanted));
    taken.add(inner);
    added.push({ table: as, name: inner, base: null, rules });
    return inner;
  };
  const rules: ScriptRule[] = chain.base ? [...familyGuard(table)] : [];
  for (const plan of plansOf(builder, table, chain)) {
    const placed = { ...plan, steps: plan.steps.map((step) => placedStep(builder, copy, plan, step)) };
    for (const rule of assemble(placed, addChain)) rules.push(rule);
  }
  const { base } = chain;
  builder.built.push({
    table: as,
    name,
    base: base && { hook: base.hook, policy: base.policy, priority: base.priority },
    rules,
  });
  for (const inner of added) builder.built.push(inner);
}

/** Tables of one family never see packets of the other. */
function familyGuard({ family }: Table): readonly ScriptRule[] {
  if (family === "inet") return [];
  const other = family === "ip" ? 6 : 4;
  return [
    {
      matches: [{ kind: "family", family: other }],
      log: null,
      statement: { kind: "accept" },
      origin: "",
      group: "",
    },
  ];
}

function plansOf({ plans, cursor, log }: Builder, table: Table, chain: ChainDraft): readonly Plan[] {
  const known = plans.get(chain);
  if (known) return known;
  const findSet = (name: string) => table.sets.get(name);
  const read = chain.rules.map((rule): Plan => {
    if ("unknown" in rule) {
      const text = log.source.text.slice(rule.unknown.start, rule.unknown.end);
      const statement: ScriptStatement = { kind: "unknown", text, continues: false };
      return { steps: [{ kind: "act", statement }], comment: "", span: rule.unknown };
    }
    cursor.at = rule.at;
    return readRule({ cursor, findSet });
  });
  plans.set(chain, read);
  return read;
}

/** A step as it acts in a chain of this kind: chains by the names that they have there, and no `notrack` where it is dead. */
function placedStep(
  builder: Builder,
  copy: Copy,
  plan: Plan,
  step: Plan["steps"][number],
): Plan["steps"][number] {
  switch (step.kind) {
    case "act":
      return { ...step, statement: placed(builder, copy, plan, step.statement) };
    case "branch":
      return {
        ...step,
        cases: step.cases.map((one) => ({ ...one, statement: placed(builder, copy, plan, one.statement) })),
      };
    default:
      return step;
  }
}

function placed(
  builder: Builder,
  { table, as, isReached }: Copy,
  plan: Plan,
  statement: ScriptStatement,
): ScriptStatement {
  const { log } = builder;
  switch (statement.kind) {
    case "jump":
    case "goto": {
      const chain = table.chains.get(statement.chain);
      if (chain && !chain.base)
        return { ...statement, chain: copyOf(builder, table, chain, as, isReached).name };
      const what = chain ? "is called by the kernel, not by rules" : "is nowhere to be found";
      reportSyntax(log, plan.span, `chain \`${statement.chain}\` ${what}`);
      return { kind: "unknown", text: `${statement.kind} ${statement.chain}`, continues: false };
    }
    case "mark-untracked":
      if (as === "raw" || !isReached) return statement;
      reportWarning(
        log,
        plan.span,
        "`notrack` does nothing here: connection tracking has seen the packet already",
        "put it into a chain at prerouting or output with a priority of at most -200",
      );
      return { kind: "continue" };
    case "masquerade":
    case "snat":
    case "dnat":
    case "redirect":
      if (as !== "nat" && isReached)
        reportSyntax(log, plan.span, `\`${statement.kind}\` works in chains of type nat only`);
      return statement;
    default:
      return statement;
  }
}

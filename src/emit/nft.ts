import { printAddress } from "../address/print.ts";
import type {
  MappedChain,
  MappedRule,
  MappedRuleset,
  MappedStatement,
  Verdict,
} from "../netfilter/grouped.ts";
import type { Hook, Statement, TableName } from "../netfilter/ruleset.ts";
import { matchText } from "./nft-match.ts";
import { collectSets, type NamedSet, type SetNames, tupleKey } from "./nft-sets.ts";
import { printPorts } from "./protocols.ts";
import { type Header, harmless, headerLines, headingLines, identifier, logPrefix } from "./text.ts";

/** Bytes that nft accepts in a comment. */
const COMMENT_LENGTH = 128;
/** Bytes that the kernel keeps of a log prefix, the closing NUL not counted. */
const LOG_PREFIX_LENGTH = 127;

/**
 * Prints a ruleset as one nft script. Loading it replaces the table `inet ctc` atomically and touches no other; it works
 * from nft 1.0.2 on, where device wildcards may stand in sets. Equal rulesets give equal bytes.
 */
export function emitNft(ruleset: MappedRuleset, header: Header): string {
  const chains = chainNames(ruleset);
  const sets = collectSets(ruleset, (table, verdict) => verdictText(table, verdict, chains));
  const blocks = [
    ...sets.declared.map(setLines),
    ...ruleset.chains.map((chain) => chainLines(chain, { sets: sets.names, chains })),
  ];
  return [
    "#!/usr/sbin/nft -f",
    ...headerLines(header),
    "",
    // Naming the table first lets the deletion succeed where there is none yet.
    "table inet ctc",
    "delete table inet ctc",
    "",
    "table inet ctc {",
    ...blocks.flatMap((block, index) => (index === 0 ? block : ["", ...block])),
    "}",
    "",
  ].join("\n");
}

/** What things of the ruleset are called in the script. */
interface Names {
  readonly sets: SetNames;
  readonly chains: ReadonlyMap<string, string>;
}

function setLines(set: NamedSet): readonly string[] {
  return [
    `\t${set.kind} ${set.name} {`,
    `\t\ttype ${set.type}`,
    ...(set.interval ? ["\t\tflags interval"] : []),
    "\t\telements = {",
    ...set.elements.map((element) => `\t\t\t${element},`),
    "\t\t}",
    "\t}",
  ];
}

function chainLines(chain: MappedChain, names: Names): readonly string[] {
  const lines = [`\tchain ${chainName(names.chains, chain.table, chain.name)} {`];
  if (chain.base) {
    const type = chain.table === "nat" ? "nat" : "filter";
    const { hook, policy } = chain.base;
    lines.push(`\t\ttype ${type} hook ${hook} priority ${priority(chain.table, hook)}; policy ${policy};`);
  }
  let group = "";
  for (const rule of chain.rules) {
    const line = ruleLine(chain.table, rule, names);
    if (line === null) continue;
    if (rule.group !== group) {
      if (lines.length > 1) lines.push("");
      lines.push(...headingLines(rule.group).map((heading) => `\t\t${heading}`));
      group = rule.group;
    }
    lines.push(`\t\t${line}`);
  }
  return [...lines, "\t}"];
}

/** nft knows the name `dstnat` at prerouting only, and `srcnat` at postrouting only. */
function priority(table: TableName, hook: Hook): string {
  if (table !== "nat") return table;
  switch (hook) {
    case "prerouting":
      return "dstnat";
    case "postrouting":
      return "srcnat";
    default:
      return hook === "output" ? "-100" : "100";
  }
}

/** A rule as one line; null for a rule that no packet can match. */
function ruleLine(table: TableName, rule: MappedRule, names: Names): string | null {
  const matches = matchText(rule, names.sets);
  if (matches === null) return null;
  const comment = harmless(rule.origin, COMMENT_LENGTH);
  return [
    ...matches,
    ...(rule.log ? [logText(rule.log.prefix)] : []),
    statementText(table, rule.statement, names),
    ...(comment === "" ? [] : [`comment "${comment}"`]),
  ].join(" ");
}

function logText(prefix: string): string {
  const text = logPrefix(prefix, LOG_PREFIX_LENGTH);
  return text === "" ? "log" : `log prefix "${text}"`;
}

function verdictText(table: TableName, verdict: Verdict, chains: Names["chains"]): string {
  return verdict.kind === "goto" ? `goto ${chainName(chains, table, verdict.chain)}` : verdict.kind;
}

function statementText(table: TableName, statement: MappedStatement, names: Names): string {
  switch (statement.kind) {
    case "map": {
      const { name, sizes } = names.sets.get(statement.cases)!;
      return `${tupleKey(statement.fields, sizes)} vmap @${name}`;
    }
    case "accept":
    case "drop":
    case "return":
      return statement.kind;
    case "notrack":
      // On its own it would let the packet walk on, and the next rule that matches would see it.
      return "notrack accept";
    case "reject":
      return statement.with === "tcp-reset" ? "reject with tcp reset" : "reject with icmpx port-unreachable";
    case "jump":
    case "goto":
      return `${statement.kind} ${chainName(names.chains, table, statement.chain)}`;
    case "masquerade": {
      const ports = statement.ports ? ` to :${printPorts(statement.ports, "-")}` : "";
      return `masquerade${ports}${statement.random ? " fully-random" : ""}`;
    }
    case "snat":
      return `snat ${target(statement)}${statement.random ? " fully-random" : ""}`;
    case "dnat":
      return `dnat ${target(statement)}`;
    case "redirect":
      return `redirect to :${printPorts(statement.ports, "-")}`;
  }
}

/** `ip to 192.0.2.1-192.0.2.4:80`, `ip6 to [2001:db8::1]:80`. */
function target({ family, addresses, ports }: Statement & { kind: "snat" | "dnat" }): string {
  const bracket = (address: bigint) => {
    const text = printAddress(family, address);
    return family === 6 && ports ? `[${text}]` : text;
  };
  const first = bracket(addresses.first);
  const range = addresses.first === addresses.last ? first : `${first}-${bracket(addresses.last)}`;
  return `${family === 4 ? "ip" : "ip6"} to ${range}${ports ? `:${printPorts(ports, "-")}` : ""}`;
}

/**
 * All tables are one table here, so chain names carry the table they come from. That prefix also keeps them apart from
 * the words of nft's own language, which are no names.
 */
function chainNames(ruleset: MappedRuleset): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const chain of ruleset.chains) {
    const wanted = chain.base ? baseName(chain.table, chain.base.hook) : userName(chain.table, chain.name);
    let name = wanted;
    for (let n = 2; taken.has(name); n++) name = `${wanted}-${n}`;
    taken.add(name);
    names.set(chainKey(chain.table, chain.name), name);
  }
  return names;
}

function baseName(table: TableName, hook: Hook): string {
  return table === "filter" ? hook : `${table}-${hook}`;
}

function userName(table: TableName, name: string): string {
  const safe = identifier(name, "chain", 60);
  return safe.startsWith(`${table}-`) ? safe : `${table}-${safe}`;
}

function chainKey(table: TableName, name: string): string {
  return `${table} ${name}`;
}

function chainName(chains: Names["chains"], table: TableName, name: string): string {
  const found = chains.get(chainKey(table, name));
  if (found === undefined) throw new Error(`no chain ${JSON.stringify(name)} in table ${table}`);
  return found;
}

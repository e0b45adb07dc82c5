import { printAddress } from "../address/print.ts";
import type { Family } from "../address/ranges.ts";
import type { GroupedChain, GroupedRule, GroupedRuleset } from "../netfilter/grouped.ts";
import type { Hook, Statement, TableName } from "../netfilter/ruleset.ts";
import type { IpsetNames } from "./ipset.ts";
import { matchOptions } from "./iptables-match.ts";
import { printPorts } from "./protocols.ts";
import { type Header, harmless, headerLines, headingLines, logPrefix } from "./text.ts";

/** Bytes of a comment, and of a log prefix, that the kernel keeps; the closing NUL not counted. */
const COMMENT_LENGTH = 255;
const LOG_PREFIX_LENGTH = 29;

/** The chains that the kernel has in each table, whether rules stand in them or not. */
const builtIn: { readonly [table in TableName]: readonly Hook[] } = {
  raw: ["prerouting", "output"],
  nat: ["prerouting", "input", "output", "postrouting"],
  filter: ["input", "forward", "output"],
};

/**
 * Prints a ruleset that is legal for iptables (see `lower/legalise.ts`) as the input of `iptables-restore` or
 * `ip6tables-restore`, legacy or nf_tables, 1.6.2 or newer. Loading it replaces the tables raw, nat and filter, each
 * atomically. `sets`: the names of those that rules ask, which must be loaded first (see `emitIpsets`). Throws where a rule
 * cannot be said in one line: that is a mistake of the caller.
 */
export function emitIptables(
  ruleset: GroupedRuleset,
  family: Family,
  header: Header,
  sets: IpsetNames = new Map(),
): string {
  return [
    ...headerLines(header),
    ...(["raw", "nat", "filter"] as const).flatMap((table) => tableLines(ruleset, table, family, sets)),
    "",
  ].join("\n");
}

function tableLines(
  ruleset: GroupedRuleset,
  table: TableName,
  family: Family,
  sets: IpsetNames,
): readonly string[] {
  const chains = ruleset.chains.filter((chain) => chain.table === table);
  const based = chains.flatMap(({ base }) => base ?? []);
  const policies = new Map(based.map(({ hook, policy }) => [hook, policy]));
  if (policies.size < based.length) throw new Error("iptables cannot have two chains at one hook");
  return [
    `*${table}`,
    ...builtIn[table].map(
      (hook) => `:${hook.toUpperCase()} ${policies.get(hook)?.toUpperCase() ?? "ACCEPT"} [0:0]`,
    ),
    ...chains.filter(({ base }) => !base).map(({ name }) => `:${checkedChain(name)} - [0:0]`),
    ...chains.flatMap((chain) => chainLines(chain, family, sets)),
    "COMMIT",
  ];
}

function chainLines(chain: GroupedChain, family: Family, sets: IpsetNames): readonly string[] {
  const name = chain.base ? chain.base.hook.toUpperCase() : checkedChain(chain.name);
  const lines: string[] = [];
  let group = "";
  for (const rule of chain.rules) {
    if (rule.group !== group) lines.push(...headingLines(rule.group));
    group = rule.group;
    for (const line of ruleLines(rule, family, sets)) lines.push(`-A ${name} ${line}`);
  }
  return lines;
}

/** Behind `-j` a chain is told from an extension by its name, which the kernel cuts at 28 bytes. */
function checkedChain(name: string): string {
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,27}$/.test(name))
    throw new Error(`no name for a chain: ${JSON.stringify(name)}`);
  return name;
}

/** Most rules are one line; logging and untracking are targets of their own, so such rules are several with the same tests. */
function ruleLines(rule: GroupedRule, family: Family, sets: IpsetNames): readonly string[] {
  const targets = [...(rule.log ? [logTarget(rule.log.prefix)] : []), ...statementTargets(rule, family)];
  if (targets.length > 1 && rule.matches.some(({ kind }) => kind === "limit" || kind === "state")) {
    throw new Error("tests whose answer changes between two lines of one rule");
  }
  const tests = matchOptions(rule.matches, family, sets);
  const comment = harmless(rule.origin, COMMENT_LENGTH);
  const comments = comment === "" ? [] : [`-m comment --comment "${comment}"`];
  return targets.map((target) => [...tests, ...comments, target].join(" "));
}

function logTarget(prefix: string): string {
  const text = logPrefix(prefix, LOG_PREFIX_LENGTH);
  return text === "" ? "-j LOG" : `-j LOG --log-prefix "${text}"`;
}

function statementTargets({ statement }: GroupedRule, family: Family): readonly string[] {
  if (statement.kind === "notrack") return ["-j CT --notrack", "-j ACCEPT"];
  return [statementTarget(statement, family)];
}

function statementTarget(statement: Exclude<Statement, { kind: "notrack" }>, family: Family): string {
  switch (statement.kind) {
    case "accept":
    case "drop":
    case "return":
      return `-j ${statement.kind.toUpperCase()}`;
    case "reject": {
      const unreachable = family === 4 ? "icmp-port-unreachable" : "icmp6-port-unreachable";
      return `-j REJECT --reject-with ${statement.with === "tcp-reset" ? "tcp-reset" : unreachable}`;
    }
    case "jump":
      return `-j ${checkedChain(statement.chain)}`;
    case "goto":
      return `-g ${checkedChain(statement.chain)}`;
    case "masquerade": {
      const ports = statement.ports ? ` --to-ports ${printPorts(statement.ports, "-")}` : "";
      return `-j MASQUERADE${ports}${statement.random ? " --random-fully" : ""}`;
    }
    case "snat":
      return `-j SNAT --to-source ${translated(statement)}${statement.random ? " --random-fully" : ""}`;
    case "dnat":
      return `-j DNAT --to-destination ${translated(statement)}`;
    case "redirect":
      return `-j REDIRECT --to-ports ${printPorts(statement.ports, "-")}`;
  }
}

/** `192.0.2.1-192.0.2.4:80-90`, `[2001:db8::1-2001:db8::4]:80`. */
function translated({ family, addresses, ports }: Statement & { kind: "snat" | "dnat" }): string {
  const first = printAddress(family, addresses.first);
  const last = printAddress(family, addresses.last);
  const range = first === last ? first : `${first}-${last}`;
  if (!ports) return range;
  return `${family === 6 ? `[${range}]` : range}:${printPorts(ports, "-")}`;
}

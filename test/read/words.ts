import type { Family } from "../../src/address/ranges.ts";
import type { Statement } from "../../src/netfilter/ruleset.ts";
import type { ScriptMatch, ScriptRule, ScriptStatement } from "../../src/netfilter/script.ts";
import { readIptables } from "../../src/read/iptables.ts";
import { readNft } from "../../src/read/nft.ts";
import type { Reading } from "../../src/read/reading.ts";

// Short words for tests of the readers. A rule is shown by its tests, its statement, and what it logs where it does.

export type Shown = readonly [...matches: ScriptMatch[], statement: ScriptStatement | Statement];

/** A rule without where it stands and what it is called. */
export function show({ matches, statement }: ScriptRule): Shown {
  return [...matches, statement];
}

/** The rules of one chain of a reading, by its name. */
export function chainOf({ ruleset }: Reading, name: string): readonly ScriptRule[] {
  const chain = ruleset.chains.find((candidate) => candidate.name === name);
  if (!chain) throw new Error(`no chain ${name}: ${ruleset.chains.map((one) => one.name).join(", ")}`);
  return chain.rules;
}

/** A whole iptables table around some lines. `u` is a chain that rules may jump to. */
export function iptables(table: string, lines: readonly string[], family: Family = 4, ipsets = ""): Reading {
  const text = [`*${table}`, ":u - [0:0]", ...lines, "COMMIT", ""].join("\n");
  return readIptables({ name: "rules", text }, family, ipsets ? { name: "ipsets", text: ipsets } : null);
}

/** What the words behind `-A INPUT` come to. */
export function line(words: string, family: Family = 4, ipsets = ""): readonly Shown[] {
  const reading = iptables("filter", [`-A INPUT ${words}`], family, ipsets);
  if (reading.findings.length > 0) throw new Error(reading.findings[0]!.message);
  return chainOf(reading, "INPUT").map(show);
}

/** A whole nft table of family inet, with a chain `input` of some lines; `u` is a chain that rules may jump to. */
export function nft(
  lines: readonly string[],
  before: readonly string[] = [],
  base = "filter hook input priority 0",
): Reading {
  const text = [
    "table inet t {",
    ...before,
    "chain u {",
    "}",
    "chain input {",
    `type ${base}; policy accept;`,
    ...lines,
    "}",
    "}",
    "",
  ].join("\n");
  return readNft({ name: "ruleset.nft", text });
}

/** What one line of a chain comes to. */
export function nftLine(words: string, before: readonly string[] = [], base?: string): readonly Shown[] {
  const reading = nft([words], before, base);
  if (reading.findings.length > 0) throw new Error(reading.findings[0]!.message);
  return chainOf(reading, "input").map(show);
}

export function unknown(text: string): ScriptMatch {
  return { kind: "unknown", text };
}

import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { emitIptables } from "../../src/emit/iptables.ts";
import { emitNft } from "../../src/emit/nft.ts";
import { harmless } from "../../src/emit/text.ts";
import { conjunctionOf } from "../../src/lower/iptables/conjunction.ts";
import { legalise } from "../../src/lower/legalise.ts";
import type { Chain, Ruleset, RulesetRule } from "../../src/netfilter/ruleset.ts";
import { arbitraryRuleset } from "../netfilter/arbitrary.ts";
import { addNamespace, deleteNamespace, freshName, sweepNamespaces } from "./namespaces.ts";
import { describeKernel } from "./requirements.ts";
import { run } from "./shell.ts";

/** Texts that try to leave their quotes, their line or their script, and texts that people write. */
const hostile = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    '"',
    '" drop\n\tflush ruleset\n#',
    '"; flush ruleset; add table inet evil; "',
    "a\nCOMMIT\n*filter\n-F\nCOMMIT\n",
    "\r\n-A INPUT -j ACCEPT",
    "\\",
    '\\" -j ACCEPT -m comment --comment "',
    "$(reboot) `reboot` $HOME $" + "{x}",
    "'; reboot; '",
    "# } ; { \u0000 \u0007 \u001b[2J",
    "\u202e\u2066right to left\u2069",
    "grün 漢字 🦆 \ud800",
    "-j ACCEPT",
    "@include /etc/shadow",
    "x".repeat(5000),
    "漢".repeat(5000),
    `${"y".repeat(127)}"`,
    "policy.yaml:23 memcached",
  ),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({ unit: "grapheme-ascii", maxLength: 300 }),
);

const netns = freshName();

const inNamespace = (command: readonly string[], input = "") =>
  run(["ip", "netns", "exec", netns, ...command], input);

/** How many random rulesets each test loads. */
const RUNS = 400;

describeKernel("scripts in the kernel", () => {
  beforeAll(sweepNamespaces);
  beforeEach(() => addNamespace(netns));
  afterEach(() => deleteNamespace(netns));
  afterAll(() => deleteNamespace(netns));

  test("nft loads every ruleset, rule for rule, and nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryRuleset(hostile), hostile, async (ruleset, source) => {
        const numbered = withNumberedOrigins(ruleset);
        await inNamespace(["nft", "-f", "-"], emitNft(numbered, { source }));
        const loaded = JSON.parse(await inNamespace(["nft", "-j", "list", "ruleset"])) as NftListing;
        expectSameRules(loaded, numbered);
      }),
      { numRuns: RUNS },
    );
  }, 300_000);

  for (const family of [4, 6] as const) {
    for (const backend of ["legacy", "nft"] as const) {
      const tool = `${family === 4 ? "ip" : "ip6"}tables-${backend}`;
      const wait = backend === "legacy" ? ["--wait", "20"] : [];
      test(`${tool} saves every line as it was printed`, async () => {
        await fc.assert(
          fc.asyncProperty(arbitraryRuleset(hostile), hostile, async (ruleset, source) => {
            const script = emitIptables(legalise(ruleset, family), family, { source });
            await inNamespace([`${tool}-restore`, ...wait], script);
            expect(canonical(await inNamespace([`${tool}-save`]))).toEqual(canonical(script));
          }),
          { numRuns: RUNS },
        );
      }, 300_000);
    }
  }
});

interface NftListing {
  readonly nftables: readonly {
    readonly table?: { readonly name: string };
    readonly chain?: { readonly name: string };
    readonly rule?: { readonly chain: string; readonly comment?: string };
  }[];
}

/** Comments that tell the rules apart. */
function withNumberedOrigins({ chains }: Ruleset): Ruleset {
  const number = (rule: RulesetRule, index: number) => ({ ...rule, origin: `${index} ${rule.origin}` });
  return { chains: chains.map((chain) => ({ ...chain, rules: chain.rules.map(number) })) };
}

/** Every rule is there, in order, but for those that no packet can match. */
function expectSameRules({ nftables }: NftListing, ruleset: Ruleset): void {
  const loaded = Map.groupBy(
    nftables.flatMap(({ rule }) => (rule ? [rule] : [])),
    ({ chain }) => chain,
  );
  for (const chain of ruleset.chains) {
    const comments = (loaded.get(nameInNft(chain)) ?? []).map(({ comment }) => comment ?? "");
    for (const rule of chain.rules) {
      if (comments[0] === harmless(rule.origin, 128)) comments.shift();
      else expect(isImpossible(rule)).toBe(true);
    }
    expect(comments).toEqual([]);
  }
  expect(nftables.flatMap(({ chain }) => (chain ? [chain.name] : []))).toEqual(ruleset.chains.map(nameInNft));
  expect(nftables.flatMap(({ table }) => (table ? [table.name] : []))).toEqual(["ctc"]);
}

function isImpossible(rule: RulesetRule): boolean {
  return conjunctionOf(rule, 4, null) === null && conjunctionOf(rule, 6, null) === null;
}

function nameInNft({ table, name, base }: Chain): string {
  return table === "filter" && base ? name : `${table}-${name}`;
}

/** The tables of a script or of what was saved, each as its chains with their lines, without differences of spelling. */
function canonical(script: string): Record<string, Record<string, readonly string[]>> {
  const tables: Record<string, Record<string, string[]>> = {};
  let chains: Record<string, string[]> = {};
  for (const line of script.split("\n")) {
    const [, table, declared, policy, appended, rest] =
      /^\*(\w+)$|^:(\S+) (\S+) \[\d+:\d+\]$|^-A (\S+) (.*)$/.exec(line) ?? [];
    if (table) {
      chains = {};
      tables[table] = chains;
    } else if (declared) chains[declared] = [policy!];
    else if (appended) chains[appended]!.push(canonicalRule(rest!));
    else expect(line).toMatch(/^(#.*|COMMIT|)$/);
  }
  return tables;
}

/** iptables-save names protocols, writes out prefix lengths, sorts lists, leaves out defaults and unneeded quotes. */
function canonicalRule(rule: string): string {
  return (
    (rule.match(/"[^"]*"|\S+/g) ?? [])
      .map((word) => word.replaceAll('"', "").trimEnd())
      .join(" ")
      .replace(
        /(-[sd]) ([\d.]+|[\da-f:.]*:[\da-f:.]*)(?= )/g,
        (_, option, address) => `${option} ${address}/${address.includes(":") ? 128 : 32}`,
      )
      .replace(
        /(--ctstate|--dst-type|--src-type) (\S+)/g,
        (_, option, list: string) => `${option} ${list.split(",").toSorted().join(",")}`,
      )
      .replace("-p 47", "-p gre")
      .replace(/ --limit-burst 5(?= )/g, "")
      // The kernel keeps a period, not a rate; a test below compares those.
      .replace(/--limit \S+/g, "--limit")
  );
}

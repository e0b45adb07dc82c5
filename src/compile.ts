import { emitIpsets } from "./emit/ipset.ts";
import { emitIptables } from "./emit/iptables.ts";
import { emitNft } from "./emit/nft.ts";
import type { AddressFiles } from "./language/address-files.ts";
import { parseDocument } from "./language/document.ts";
import { heedIgnores } from "./lint/ignore.ts";
import { lint } from "./lint/lint.ts";
import { group } from "./lower/group.ts";
import { MEASURED_COSTS } from "./lower/ipset/cost.ts";
import { legalise } from "./lower/legalise.ts";
import { lower } from "./lower/lower.ts";
import { type Vocabulary, vocabularyOf } from "./meaning/vocabulary.ts";
import type { Policy } from "./policy/policy.ts";
import { resolve } from "./policy/resolve.ts";
import { orderFindings } from "./report/order.ts";
import { collectFindings, type Finding } from "./source/finding.ts";
import { baseName, type Source } from "./source/source.ts";
import { ownScripts } from "./verify/scripts.ts";
import { type Verification, verify } from "./verify/verify.ts";

/** What is known about a policy file once every pass has looked at it. */
export interface Analysis {
  /** In the order in which they are shown. */
  readonly findings: readonly Finding[];
  /** The file is no YAML, so that nothing in it could be checked. */
  readonly unparsable: boolean;
  /** Null where there are errors. */
  readonly policy: Policy | null;
  /** The words that the policy has for what it speaks of; null where there are errors. */
  readonly words: (() => Vocabulary) | null;
}

/** The scripts, each made when it is asked for. The same policy gives the same bytes. */
export interface Outputs {
  /** For `nft -f`, both families. */
  readonly nft: () => string;
  /** For `iptables-restore`. */
  readonly iptables: () => string;
  /** For `ip6tables-restore`. */
  readonly ip6tables: () => string;
  /** For `ipset restore`, before those two: the sets that they ask. Nothing but comments where they ask none. */
  readonly ipset: () => string;
}

export interface Compilation {
  readonly findings: readonly Finding[];
  readonly unparsable: boolean;
  /** Null where there are errors: nothing is emitted for a policy that may not mean what it says. */
  readonly outputs: Outputs | null;
  /** Reads scripts back and says where they do not do what the policy means; null where there are errors. */
  readonly prove: ((texts: Partial<Readonly<Record<keyof Outputs, string>>>) => Verification) | null;
}

/** Reads and checks a policy. All findings of all passes are collected. */
export function analyse(source: Source, files: AddressFiles): Analysis {
  const log = collectFindings();
  const { document, unparsable } = parseDocument(source, files, log);
  const policy = document ? resolve(document, log) : null;
  // A proof about a rule that was left out would prove nothing.
  if (document && policy && !log.hasErrors) lint(document, policy, log);
  const proved = log.hasErrors ? null : policy;
  return {
    findings: orderFindings(heedIgnores(source, log.all), source.name),
    unparsable,
    policy: proved,
    words: document && proved ? () => vocabularyOf(document, proved) : null,
  };
}

/** Reads a policy without checking more than that every word of it means something. */
export function understand(source: Source, files: AddressFiles): Analysis {
  const log = collectFindings();
  const { document, unparsable } = parseDocument(source, files, log);
  const policy = document && resolve(document, log);
  const understood = log.hasErrors ? null : policy;
  return {
    findings: orderFindings(log.all, source.name),
    unparsable,
    policy: understood,
    words: document && understood ? () => vocabularyOf(document, understood) : null,
  };
}

/** The whole way from a policy to scripts, without touching a file. `withSets`: see `outputsOf`. */
export function compile(source: Source, files: AddressFiles, withSets = false): Compilation {
  const { findings, unparsable, policy, words } = analyse(source, files);
  return {
    findings,
    unparsable,
    outputs: policy && outputsOf(policy, withSets),
    prove: policy && words && ((texts) => verify(policy, ownScripts(texts), words)),
  };
}

/** The scripts that a policy is compiled to. `withSets`: those for iptables ask sets where lists are long. */
export function outputsOf(policy: Policy, withSets = false): Outputs {
  // The path would tell the scripts of two machines apart; the name of the file does not.
  const header = { source: baseName(policy.source) };
  const ruleset = lower(policy);
  const costs = withSets ? MEASURED_COSTS : null;
  const legal = { 4: once(() => legalise(ruleset, 4, costs)), 6: once(() => legalise(ruleset, 6, costs)) };
  const ipsets = once(() => {
    const families = withSets ? ([4, 6] as const) : [];
    return emitIpsets(
      families.map((family) => ({ family, ruleset: legal[family]() })),
      header,
    );
  });
  return {
    nft: () => emitNft(group(ruleset), header),
    iptables: () => emitIptables(legal[4](), 4, header, ipsets().names),
    ip6tables: () => emitIptables(legal[6](), 6, header, ipsets().names),
    ipset: () => ipsets().script,
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

import { outputsOf } from "../../src/compile.ts";
import { parseDocument } from "../../src/language/document.ts";
import { resolve } from "../../src/policy/resolve.ts";
import { collectFindings } from "../../src/source/finding.ts";
import { type List, printPrefix, type Sentence } from "./lists.ts";

/** What a ruleset is loaded with. */
export type Backend = "nft" | "iptables-nft" | "iptables-legacy";

export const BACKENDS: readonly Backend[] = ["nft", "iptables-nft", "iptables-legacy"];

export const LOADERS: Readonly<Record<Backend, readonly string[]>> = {
  nft: ["nft", "-f", "-"],
  "iptables-nft": ["iptables-nft-restore"],
  "iptables-legacy": ["iptables-legacy-restore"],
};

/** What is loaded, in this order. */
export type Load = readonly { readonly loader: readonly string[]; readonly script: string }[];

/** Loads one script. */
export function loadOf(backend: Backend, script: string): Load {
  return [{ loader: LOADERS[backend], script }];
}

/** A policy that says what a list says: untracked, with its mirror. */
export function policyText({ sentences }: List): string {
  return [
    "version: 1",
    "policies:",
    "  - name: list",
    "    doNotTrack: true",
    "    symmetricAllow: true",
    `    rules:${sentences.length > 0 ? "" : " []"}`,
    ...sentences.flatMap(({ action, client, port }) => {
      const peer = printPrefix(client);
      const sentence = `      - ${action} udp from ${peer} to self port ${port}`;
      // What is not let in is not answered either: the next packet of that flow would find no way.
      return action === "deny"
        ? [sentence, `      - deny udp from self port ${port} to ${peer}`]
        : [sentence];
    }),
    "",
  ].join("\n");
}

/** The scripts that ctc makes of a list; with sets, or without. They are proved elsewhere. */
export function compiled(list: List): (backend: Backend, withSets: boolean) => Load {
  const log = collectFindings();
  const source = { name: "list.yaml", text: policyText(list) };
  const { document } = parseDocument(source, { read: () => ({ error: "no files" }) }, log);
  const policy = document && resolve(document, log);
  if (!policy || log.hasErrors) throw new Error(`the policy is refused: ${log.all[0]?.message}`);
  return (backend, withSets) => {
    const outputs = outputsOf(policy, withSets);
    if (backend === "nft") return loadOf(backend, outputs.nft());
    const sets = { loader: ["ipset", "restore"], script: outputs.ipset() };
    return [...(withSets ? [sets] : []), ...loadOf(backend, outputs.iptables())];
  };
}

/** What a careful hand writes: a line for each sentence and each direction in raw, states first in the filter. */
export function byHand({ sentences }: List, backend: Backend): string {
  return backend === "nft" ? nftByHand(sentences) : iptablesByHand(sentences);
}

function nftByHand(sentences: readonly Sentence[]): string {
  const verdict = ({ action }: Sentence): string => (action === "allow" ? "notrack accept" : "drop");
  return [
    "table inet linear {",
    "chain prerouting { type filter hook prerouting priority raw; policy accept;",
    ...sentences.map(
      (one) =>
        `ip saddr ${printPrefix(one.client)} udp dport ${one.port} fib daddr type local ${verdict(one)}`,
    ),
    "}",
    "chain output { type filter hook output priority raw; policy accept;",
    ...sentences
      .filter(({ action }) => action === "allow")
      .map((one) => `ip daddr ${printPrefix(one.client)} udp sport ${one.port} notrack accept`),
    "}",
    "chain input { type filter hook input priority filter; policy drop;",
    "ct state established,related,untracked accept",
    "ct state invalid drop",
    "}",
    "}",
    "",
  ].join("\n");
}

function iptablesByHand(sentences: readonly Sentence[]): string {
  // The target that untracks goes on with the next line, so it stands in a chain with an end.
  return [
    "*raw",
    ":PREROUTING ACCEPT [0:0]",
    ":OUTPUT ACCEPT [0:0]",
    ":UNTRACKED - [0:0]",
    "-A UNTRACKED -j CT --notrack",
    "-A UNTRACKED -j ACCEPT",
    ...sentences.map((one) => {
      const goal = one.action === "allow" ? "UNTRACKED" : "DROP";
      return `-A PREROUTING -s ${printPrefix(one.client)} -p udp --dport ${one.port} -m addrtype --dst-type LOCAL -j ${goal}`;
    }),
    ...sentences
      .filter(({ action }) => action === "allow")
      .map((one) => `-A OUTPUT -d ${printPrefix(one.client)} -p udp --sport ${one.port} -j UNTRACKED`),
    "COMMIT",
    "*filter",
    ":INPUT DROP [0:0]",
    "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED,UNTRACKED -j ACCEPT",
    "-A INPUT -m conntrack --ctstate INVALID -j DROP",
    "COMMIT",
    "",
  ].join("\n");
}

/** No rules but a look at the state, which makes connection tracking follow every packet; in the words of each backend. */
export function stateful(backend: Backend): string {
  if (backend === "nft")
    return [
      "table inet stateful { chain input { type filter hook input priority filter; policy accept;",
      "ct state established,related accept",
      "ct state invalid drop",
      "}",
      "}",
      "",
    ].join("\n");
  return [
    "*filter",
    ":INPUT ACCEPT [0:0]",
    "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
    "-A INPUT -m conntrack --ctstate INVALID -j DROP",
    "COMMIT",
    "",
  ].join("\n");
}

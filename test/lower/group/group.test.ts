import { expect, test } from "vitest";
import { emitNft } from "../../../src/emit/nft.ts";
import { group, LEAST_GROUPED } from "../../../src/lower/group.ts";
import type { RulesetRule, Statement } from "../../../src/netfilter/ruleset.ts";
import { accept, addresses, base, drop, ip, ports, protocols, rule, ruleset } from "../../netfilter/build.ts";

/** The sets and rules that some rules come to, without what is the same in every script. */
function grouped(...rules: readonly RulesetRule[]): readonly string[] {
  const text = emitNft(group(ruleset(base("filter", "input", ...rules)), 4), { source: "policy.yaml" });
  const lines = text.split("\n").map((line) => line.trim());
  return lines
    .slice(lines.indexOf("table inet ctc {") + 1)
    .filter((line) => !/^(?:|\}|type filter.*)$/.test(line));
}

const client = (at: number, length: number): [bigint, bigint] => [
  ip(10, at, 0, 0),
  ip(10, at, 0, 0) + (1n << BigInt(32 - length)) - 1n,
];

const allow = (at: number, port: number, statement: Statement = accept): RulesetRule => ({
  ...rule([addresses("source", 4, client(at, 28)), protocols(6), ports("destination", port)], statement),
  origin: `policy.yaml:${at + 1} clients`,
  group: "clients",
});

test("clients of one prefix length, each with its port, become one lookup in a hash", () => {
  expect(grouped(allow(0, 80), allow(1, 81), allow(2, 82), allow(3, 83))).toEqual([
    "set clients-v4 {",
    "type ipv4_addr . inet_service",
    "elements = {",
    "10.0.0.0 . 80,",
    "10.1.0.0 . 81,",
    "10.2.0.0 . 82,",
    "10.3.0.0 . 83,",
    "chain input {",
    "# clients",
    'meta l4proto tcp ip saddr & 255.255.255.240 . th dport @clients-v4 accept comment "policy.yaml:1-4 clients"',
  ]);
});

test("a set that is asked for by both ends stands there once", () => {
  const answer = (at: number): RulesetRule => ({
    ...rule([addresses("destination", 4, client(at, 28)), protocols(6), ports("source", 80 + at)], accept),
    group: "clients",
  });
  const lines = grouped(...[0, 1, 2, 3].map((at) => allow(at, 80 + at)), ...[0, 1, 2, 3].map(answer));
  expect(lines.filter((line) => line.startsWith("set "))).toEqual(["set clients-v4 {"]);
  expect(lines.filter((line) => line.includes("@"))).toEqual([
    'meta l4proto tcp ip saddr & 255.255.255.240 . th dport @clients-v4 accept comment "policy.yaml:1-4 clients"',
    "meta l4proto tcp ip daddr & 255.255.255.240 . th sport @clients-v4 accept",
  ]);
});

test("what an earlier rule has is cut out of a later one that does something else", () => {
  const wide = rule([addresses("source", 4, client(0, 24)), protocols(6), ports("destination", 80)], drop);
  const lines = grouped(allow(0, 80), wide, allow(1, 80), allow(2, 80), allow(3, 80));
  expect(lines.filter((line) => line.includes("saddr"))).toEqual([
    'tcp dport 80 ip saddr { 10.0.0.0/28, 10.1.0.0/28, 10.2.0.0/28, 10.3.0.0/28 } accept comment "policy.yaml:1-4 clients"',
    "tcp dport 80 ip saddr 10.0.0.16-10.0.0.255 drop",
  ]);
});

test("what is let through meets its set first", () => {
  const denials = [0, 1, 2].map((at) => allow(at, 80, drop));
  const lines = grouped(...denials, ...[3, 4, 5].map((at) => allow(at, 80)));
  expect(lines.filter((line) => line.includes("saddr")).map((line) => line.split(" ").at(-4))).toEqual([
    "accept",
    "drop",
  ]);
});

test("a short list keeps a line for each rule, in its order", () => {
  const short = ruleset(
    base("filter", "input", ...Array.from({ length: LEAST_GROUPED - 1 }, (_, at) => allow(at, 80 + at))),
  );
  expect(group(short)).toEqual(short);
});

test("allows and denies that take a lookup each become one map", () => {
  const list = Array.from({ length: 40 }, (_, at) => allow(at, 80, at % 2 === 0 ? accept : drop));
  const lines = grouped(...list);
  expect(lines.slice(0, 5)).toEqual([
    "map clients-v4 {",
    "type ipv4_addr : verdict",
    "elements = {",
    "10.0.0.0 : accept,",
    "10.2.0.0 : accept,",
  ]);
  expect(lines).toContain("10.1.0.0 : drop,");
  expect(lines.slice(-2)).toEqual([
    "# clients",
    'tcp dport 80 ip saddr & 255.255.255.240 vmap @clients-v4 comment "policy.yaml:1-40 clients"',
  ]);
});

test("what no element of a map can say stands in a chain of its own", () => {
  const doing = [
    { ...accept, log: null },
    { ...accept, log: { prefix: "seen" } },
    { kind: "reject", with: "tcp-reset", log: null },
  ] as const;
  const list = Array.from({ length: 60 }, (_, at) => {
    const { log, ...statement } = doing[at % 3]!;
    return { ...allow(at, 8000 + (at % 7), statement), log };
  });
  const lines = grouped(...list);
  expect(lines.filter((line) => line.includes("vmap"))).toEqual([
    'meta l4proto tcp ip saddr & 255.255.255.240 . th dport vmap @clients-v4 comment "policy.yaml:1-60 clients"',
  ]);
  expect(lines).toContain("10.1.0.0 . 8001 : goto filter-input-verdict-1,");
  expect(lines.slice(-6)).toEqual([
    "chain filter-input-verdict-1 {",
    "# clients",
    'log prefix "seen " accept comment "policy.yaml:2-59 clients"',
    "chain filter-input-verdict-2 {",
    "# clients",
    'meta l4proto tcp reject with tcp reset comment "policy.yaml:3-60 clients"',
  ]);
});

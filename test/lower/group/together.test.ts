import { expect, test } from "vitest";
import { emitIptables } from "../../../src/emit/iptables.ts";
import { legalise } from "../../../src/lower/legalise.ts";
import type { RulesetRule, Statement } from "../../../src/netfilter/ruleset.ts";
import { accept, addresses, base, drop, ip, ports, protocols, rule, ruleset } from "../../netfilter/build.ts";

/** The lines that some rules come to in iptables. */
function lines(rules: readonly RulesetRule[]): readonly string[] {
  const legal = legalise(ruleset(base("filter", "input", ...rules)), 4);
  return emitIptables(legal, 4, { source: "policy.yaml" })
    .split("\n")
    .filter((line) => line.startsWith("-A"));
}

const service = (network: number, port: number, line: number, statement: Statement = drop): RulesetRule => ({
  ...rule(
    [
      addresses("source", 4, [ip(network, 0, 0, 0), ip(network, 255, 255, 255)]),
      protocols(6),
      ports("destination", port),
    ],
    statement,
  ),
  origin: `policy.yaml:${line} services`,
  group: "services",
});

const row = (count: number, make: (at: number) => RulesetRule) =>
  Array.from({ length: count }, (_, at) => make(at));

test("ports in a row that are opened to one network are one line", () => {
  expect(lines(row(40, (at) => service(10, 8000 + at, at + 1)))).toEqual([
    '-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 8000:8039 -m comment --comment "policy.yaml:1-40 services" -j DROP',
  ]);
});

test("each network has a line of its own", () => {
  expect(lines(row(40, (at) => service(10 + (at % 2), 8000 + (at >> 1), at + 1)))).toEqual([
    '-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 8000:8019 -m comment --comment "policy.yaml:1-39 services" -j DROP',
    '-A INPUT -s 11.0.0.0/8 -p tcp -m tcp --dport 8000:8019 -m comment --comment "policy.yaml:2-40 services" -j DROP',
  ]);
});

test("what lies between them and does something else parts them", () => {
  const everyone = addresses("source", 4, [0n, ip(255, 255, 255, 255)]);
  const wide = {
    ...rule([everyone, protocols(6), ports("destination", [8000, 9000])], accept),
    group: "services",
  };
  const rules = row(80, (at) => service(10, 8000 + at, at + 1));
  expect(lines([...rules.slice(0, 40), wide, ...rules.slice(40)])).toEqual([
    '-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 8000:8039 -m comment --comment "policy.yaml:1-40 services" -j DROP',
    "-A INPUT -p tcp -m tcp --dport 8000:9000 -j ACCEPT",
    '-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 8040:8079 -m comment --comment "policy.yaml:41-80 services" -j DROP',
  ]);
});

test("few rules stay a line each", () => {
  expect(lines(row(20, (at) => service(10, 8000 + at, at + 1)))).toHaveLength(20);
});

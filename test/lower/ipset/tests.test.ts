import { expect, test } from "vitest";
import { emitIpsets } from "../../../src/emit/ipset.ts";
import { emitIptables } from "../../../src/emit/iptables.ts";
import { legalise } from "../../../src/lower/legalise.ts";
import type { RulesetRule, Statement } from "../../../src/netfilter/ruleset.ts";
import {
  accept,
  addresses,
  base,
  drop,
  ip,
  limit,
  ports,
  protocols,
  rule,
  ruleset,
} from "../../netfilter/build.ts";

const HEADER = { source: "policy.yaml" };

/** The lines of the hook that some rules come to, and the first lines of their sets, without names. */
function compiled(...rules: readonly RulesetRule[]): {
  readonly lines: readonly string[];
  readonly sets: readonly string[];
} {
  const costs = { least: 4, asking: 0, length: 0, coldLength: 0 };
  const legal = legalise(
    ruleset({ ...base("filter", "input", ...rules), base: { hook: "input", policy: "drop" } }),
    4,
    costs,
  );
  const { script, names } = emitIpsets([{ family: 4, ruleset: legal }], HEADER);
  const text = emitIptables(legal, 4, HEADER, names);
  const plain = (line: string) => line.replace(/ctc-[\w-]+-[0-9a-z]{13}/g, "SET");
  return {
    lines: [...text.matchAll(/^-A INPUT (.*)$/gm)].map(([, line]) => plain(line!)),
    sets: [...script.matchAll(/^create (\S+) (\S+) .*\n((?:add .*\n)*)/gm)].map(
      ([, , type, elements]) => `${type}, ${elements!.trim().split("\n").length}`,
    ),
  };
}

const times = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));
const client = (at: number) => addresses("source", 4, [ip(10, at, 0, 0), ip(10, at, 0, 15)]);

test("clients with a port each ask an address, a protocol and a port at once", () => {
  const some = times(5, (at) =>
    rule([client(at), protocols(at % 2 ? 6 : 17), ports("destination", 80 + 2 * at)], accept),
  );
  expect(compiled(...some)).toEqual({
    lines: ["-m set --match-set SET src,dst -j ACCEPT"],
    sets: ["hash:net,port, 5"],
  });
});

test("short ranges of ports become elements, a long one stays a test of the rule", () => {
  const short = times(4, (at) =>
    rule([client(at), protocols(6), ports("destination", [10 * at, 10 * at + 2])], accept),
  );
  const long = times(4, (at) =>
    rule([client(2 * at + 10), protocols(6), ports("destination", [1000, 2000])], accept),
  );
  expect(compiled(...short, ...long)).toEqual({
    lines: [
      "-p tcp -m set --match-set SET src,dst -j ACCEPT",
      "-p tcp -m tcp --dport 1000:2000 -m set --match-set SET src -j ACCEPT",
    ],
    sets: ["hash:net,port, 12", "hash:net, 4"],
  });
});

test("ports of DCCP stay out of sets, which know none", () => {
  const some = times(5, (at) =>
    rule([client(at), protocols(at < 4 ? 6 : 33), ports("destination", 80 + 2 * at)], accept),
  );
  const { lines, sets } = compiled(...some);
  expect(sets).toEqual(["hash:net,port, 4"]);
  expect(lines).toContain("-s 10.4.0.0/28 -p dccp -m multiport --dports 88 -j ACCEPT");
  const dccp = rule([protocols(33), ports("destination", ...times(20, (at) => 2 * at))], accept);
  expect(compiled(dccp).sets).toEqual([]);
});

test("rules that differ at both ends are parted by the end with fewer values", () => {
  const server = (at: number) => addresses("destination", 4, ip(192, 0, 2, at));
  const some = times(9, (at) =>
    rule([client(2 * at), server(at % 2), protocols(6), ports("destination", 80)], accept),
  );
  expect(compiled(...some)).toEqual({
    lines: [0, 1].map(
      (at) => `-d 192.0.2.${at} -p tcp -m tcp --dport 80 -m set --match-set SET src -j ACCEPT`,
    ),
    sets: ["hash:net, 5", "hash:net, 4"],
  });
});

test("where both ports are asked for, each protocol has a set of its own beside the port that is a test", () => {
  const some = times(10, (at) =>
    rule(
      [client(at), protocols(at % 2 ? 6 : 17), ports("source", 1024), ports("destination", 80 + 2 * at)],
      accept,
    ),
  );
  expect(compiled(...some)).toEqual({
    lines: [17, 6].map((protocol) => {
      const name = protocol === 6 ? "tcp" : "udp";
      return `-p ${name} -m ${name} --sport 1024 -m set --match-set SET src,dst -j ACCEPT`;
    }),
    sets: ["hash:net,port, 5", "hash:net,port, 5"],
  });
});

test("every combination of some addresses and ports asks a list of each", () => {
  const some = times(8, (at) =>
    rule([client(2 * (at % 4)), protocols(6), ports("destination", at < 4 ? 80 : 443)], accept),
  );
  expect(compiled(...some)).toEqual({
    lines: ["-p tcp -m multiport --dports 80,443 -m set --match-set SET src -j ACCEPT"],
    sets: ["hash:net, 4"],
  });
});

test("what an earlier rule has is in no set of a later one that does something else", () => {
  const some = (statement: Statement, ...numbers: readonly number[]) =>
    numbers.map((at) => rule([client(at), protocols(17), ports("destination", 53 + at)], statement));
  const { lines, sets } = compiled(...some(drop, 0, 2, 4, 6), ...some(accept, 0, 2, 4, 6, 8, 10, 12, 14));
  expect(lines).toEqual([
    "-p udp -m set --match-set SET src,dst -j ACCEPT",
    "-p udp -m set --match-set SET src,dst -j DROP",
  ]);
  expect(sets).toEqual(["hash:net,port, 4", "hash:net,port, 4"]);
});

test("rules with a limit stay lines, each with its own", () => {
  const some = times(5, (at) => rule([client(at), limit(1 + at, "second", 5)], accept));
  expect(compiled(...some).sets).toEqual([]);
});

test("fewer rules than that stay a rule a line", () => {
  const some = times(3, (at) => rule([client(2 * at), protocols(6), ports("destination", 80 + at)], accept));
  const { lines, sets } = compiled(...some);
  expect(lines).toHaveLength(3);
  expect(sets).toEqual([]);
});

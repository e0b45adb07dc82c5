import { describe, expect, test } from "vitest";
import { emitIpsets } from "../../src/emit/ipset.ts";
import { emitIptables } from "../../src/emit/iptables.ts";
import type { Box, GroupedMatch, GroupedRule, TupleMatch } from "../../src/netfilter/grouped.ts";
import { accept, addresses, ip, ip6, not, ports, protocols } from "../netfilter/build.ts";

const HEADER = { source: "policy.yaml" };

/** Sets and lines of some rules, one for each list of tests. */
function emitted(
  family: 4 | 6,
  ...rules: readonly (readonly GroupedMatch[])[]
): { readonly sets: readonly string[]; readonly lines: readonly string[] } {
  const made = rules.map(
    (matches): GroupedRule => ({ matches, statement: accept, log: null, origin: "", group: "clients" }),
  );
  const base = { hook: "input", policy: "accept" } as const;
  const ruleset = { chains: [{ table: "filter" as const, name: "input", base, rules: made }] };
  const { script, names } = emitIpsets([{ family, ruleset }], HEADER);
  const text = emitIptables(ruleset, family, HEADER, names);
  return {
    sets: script.split("\n").filter((line) => line !== "" && !line.startsWith("#")),
    lines: [...text.matchAll(/^-A INPUT (.*) -j ACCEPT$/gm)].map(([, line]) => line!),
  };
}

/** Without the hash at the end of a name, which the other tests look at. */
function plain(lines: readonly string[]): readonly string[] {
  return lines.map((line) => line.replace(/(ctc-[\w-]*-)[0-9a-z]{13}\b/g, "$1#"));
}

const list = (...numbers: number[]) => addresses("source", 4, ...numbers.map((n) => ip(192, 0, 2, n)));

function clients(side: "source" | "destination", portSide: "source" | "destination"): TupleMatch {
  const box = (at: number, port: readonly [bigint, bigint]): Box => [
    { first: ip(10, at, 0, 0), last: ip(10, at, 0, 15) },
    { first: 17n, last: 17n },
    { first: port[0], last: port[1] },
  ];
  return {
    kind: "tuple",
    fields: [{ kind: "address", side, family: 4 }, { kind: "protocol" }, { kind: "port", side: portSide }],
    boxes: [box(1, [53n, 53n]), box(2, [80n, 81n])],
    name: "clients",
  };
}

describe("a test of a list", () => {
  test("of addresses asks a hash of prefixes", () => {
    const range = addresses("source", 4, [ip(192, 0, 2, 0), ip(192, 0, 2, 5)], ip(192, 0, 2, 9));
    const { sets, lines } = emitted(4, [{ ...range, name: "admins" }], [not(range)]);
    expect(plain(sets)).toEqual([
      "create ctc-admins-# hash:net family inet hashsize 64 maxelem 65536 -exist",
      "add ctc-admins-# 192.0.2.0/30 -exist",
      "add ctc-admins-# 192.0.2.4/31 -exist",
      "add ctc-admins-# 192.0.2.9 -exist",
    ]);
    expect(plain(lines)).toEqual([
      "-m set --match-set ctc-admins-# src",
      "-m set ! --match-set ctc-admins-# src",
    ]);
  });

  test("of addresses with protocols and ports asks all three at once, from either end", () => {
    const { sets, lines } = emitted(
      4,
      [protocols(17), clients("source", "destination")],
      [clients("destination", "source")],
    );
    expect(plain(sets)).toEqual([
      "create ctc-clients-# hash:net,port family inet hashsize 64 maxelem 65536 -exist",
      "add ctc-clients-# 10.1.0.0/28,udp:53 -exist",
      "add ctc-clients-# 10.2.0.0/28,udp:80 -exist",
      "add ctc-clients-# 10.2.0.0/28,udp:81 -exist",
    ]);
    expect(plain(lines)).toEqual([
      "-p udp -m set --match-set ctc-clients-# src,dst",
      "-m set --match-set ctc-clients-# dst,src",
    ]);
  });

  test("of more ports than a multiport takes asks a bitmap", () => {
    const many = ports(
      "destination",
      ...Array.from({ length: 9 }, (_, at) => [10 * at, 10 * at + 5] as const),
    );
    const { sets, lines } = emitted(6, [protocols(6), many], [protocols(6), ports("source", 1, 2, 3)]);
    expect(plain(sets).slice(0, 3)).toEqual([
      "create ctc-clients-# bitmap:port range 0-65535 -exist",
      "add ctc-clients-# 0-5 -exist",
      "add ctc-clients-# 10-15 -exist",
    ]);
    expect(plain(lines)).toEqual([
      "-p tcp -m set --match-set ctc-clients-# dst",
      "-p tcp -m multiport --sports 1,2,3",
    ]);
  });

  test("of IPv6 addresses asks a set of that family", () => {
    const { sets } = emitted(6, [addresses("source", 6, ip6(1), ip6(4))]);
    expect(plain(sets)[0]).toMatch(/ hash:net family inet6 /);
    expect(plain(sets)[1]).toBe("add ctc-clients-# 2001:db8::1 -exist");
  });
});

test("what no set of the kernel holds is refused, because a test that is left out opens the host", () => {
  const many = ports("destination", ...Array.from({ length: 20 }, (_, at) => 2 * at));
  expect(() => emitted(4, [protocols(132), many])).toThrow("many ports of another protocol");
  const { fields, boxes, ...rest } = clients("source", "destination");
  const dccp = boxes.map((box) => box.with(1, { first: 33n, last: 33n }));
  expect(() => emitted(4, [{ ...rest, fields, boxes: dccp }])).toThrow("no set holds ports of protocol 33");
  const two = boxes.map((box) => box.slice(0, 2));
  expect(() => emitted(4, [{ ...rest, fields: fields.slice(0, 2), boxes: two }])).toThrow(
    "no set of the kernel",
  );
  expect(() => emitted(6, [clients("source", "destination")])).toThrow("the other family");
});

describe("the name of a set", () => {
  const nameOf = (match: GroupedMatch): string => emitted(4, [match]).sets[0]!.split(" ")[1]!;

  test("is another one wherever the set holds something else", () => {
    const names = [list(1, 3), list(1, 5), list(1, 3, 5), clients("source", "destination")].map(nameOf);
    expect(new Set(names).size).toBe(names.length);
    expect(nameOf(list(1, 3))).toBe(names[0]);
  });

  test("is harmless, and short enough for the kernel, whatever the policy calls it", () => {
    for (const name of [
      '"; flush',
      "-exist",
      "a b\ncreate x",
      "漢字",
      "",
      "x".repeat(5000),
      "#",
      "--",
      "-1",
    ]) {
      const made = nameOf({ ...list(1, 3), name });
      expect(made).toMatch(/^ctc-[A-Za-z][A-Za-z0-9_-]{0,12}-[0-9a-z]{13}$/);
      expect(made.length).toBeLessThanOrEqual(31);
    }
  });
});

test("equal lists of one name are one set", () => {
  const { sets, lines } = emitted(4, [{ ...list(1, 3), name: "a" }], [{ ...list(1, 3), name: "a" }]);
  expect(sets.filter((line) => line.startsWith("create"))).toHaveLength(1);
  expect(new Set(lines).size).toBe(1);
});

test("a hash has room for its elements from the start", () => {
  const many = list(...Array.from({ length: 100 }, (_, at) => 2 * at));
  expect(emitted(4, [many]).sets[0]).toMatch(/ hashsize 128 maxelem 65536 -exist$/);
});

test("where no rule asks a set, there is nothing to load", () => {
  expect(emitIpsets([], HEADER).script).toBe("# Generated by ctc from policy.yaml. Do not edit.\n");
});

test("comments stay comments", () => {
  const rule: GroupedRule = {
    matches: [list(1, 3)],
    statement: accept,
    log: null,
    origin: "policy.yaml:1 a\nflush\r\ndestroy",
    group: "",
  };
  const base = { hook: "input", policy: "accept" } as const;
  const ruleset = { chains: [{ table: "filter" as const, name: "input", base, rules: [rule] }] };
  const { script } = emitIpsets([{ family: 4, ruleset }], { source: "x\nflush" });
  expect(script.split("\n").filter((line) => line !== "" && !/^(#|create |add )/.test(line))).toEqual([]);
  expect(script).toContain("# policy.yaml:1 a flush destroy\n");
});

import { describe, expect, test } from "vitest";
import type { Family } from "../../src/address/ranges.ts";
import { emitIptables } from "../../src/emit/iptables.ts";
import { legalise } from "../../src/lower/legalise.ts";
import type { Chain, Match } from "../../src/netfilter/ruleset.ts";
import {
  accept,
  base as accepting,
  addresses,
  called,
  devices,
  drop,
  icmp,
  ip,
  ip6,
  limit,
  not,
  ports,
  protocols,
  rule,
  ruleset,
  states,
  types,
} from "../netfilter/build.ts";

/** A base chain that drops, so that what it accepts matters. */
function base(...args: Parameters<typeof accepting>): Chain {
  const chain = accepting(...args);
  return { ...chain, base: { ...chain.base!, policy: "drop" } };
}

/** The rules of the legal ruleset as iptables would be told them. */
function legal(chains: readonly Chain[], family: Family = 4): string {
  const script = emitIptables(legalise(ruleset(...chains), family), family, { source: "" });
  return [...script.matchAll(/^-A (.*)$/gm)].map(([, line]) => line).join("\n");
}

/** The same for a single rule of the input chain. */
function legalRule(
  matches: readonly Match[],
  more: Partial<Parameters<typeof rule>[2]> = {},
  family: Family = 4,
): string {
  return legal([base("filter", "input", rule(matches, accept, { group: "ssh", ...more }))], family);
}

const hosts = (count: number) =>
  addresses("source", 4, ...Array.from({ length: count }, (_, n) => ip(10, 0, n, 1)));

describe("one line says", () => {
  test.each<[string, readonly Match[]]>([
    ["-j ACCEPT", []],
    ["-j ACCEPT", [{ kind: "family", family: 4 }]],
    ["-j ACCEPT", [addresses("source", 4, [0n, 0xffff_ffffn])]],
    ["-p tcp -j ACCEPT", [protocols(6), ports("source", [0, 65535])]],
    ["-p tcp -j ACCEPT", [protocols(6, 17), protocols(6, 47)]],
    ["-p udp -j ACCEPT", [protocols(6, 17), not(protocols(6))]],
    [
      "-p tcp -m tcp --dport 90:99 -j ACCEPT",
      [protocols(6), ports("destination", [80, 99]), not(ports("destination", [70, 89]))],
    ],
    ["-p tcp -m tcp ! --dport 80 -j ACCEPT", [protocols(6), ports("destination", [0, 79], [81, 65535])]],
    ["! -s 10.0.0.1 -j ACCEPT", [not(hosts(1))]],
    [
      "! -s 10.0.0.1 -j ACCEPT",
      [addresses("source", 4, [0n, ip(10, 0, 0, 0)], [ip(10, 0, 0, 2), 0xffff_ffffn])],
    ],
    ["-s 10.0.1.1 -j ACCEPT", [hosts(3), not(hosts(1)), addresses("source", 4, [0n, ip(10, 0, 1, 255)])]],
    ["-i eth10 -j ACCEPT", [devices("in", "eth1*", "br-a"), devices("in", "eth10", "eth2")]],
    ["! -i eth+ -j ACCEPT", [not(devices("in", "eth0", "eth*"))]],
    [
      "-m conntrack --ctstate NEW -j ACCEPT",
      [not(states("established", "related")), states("new", "related")],
    ],
    [
      "-m addrtype --dst-type LOCAL -j ACCEPT",
      [types("destination", "local", "broadcast"), not(types("destination", "broadcast"))],
    ],
    [
      "-m addrtype ! --dst-type BROADCAST,MULTICAST -j ACCEPT",
      [not(types("destination", "broadcast")), not(types("destination", "multicast"))],
    ],
    ["-p icmp -m icmp --icmp-type 3/4 -j ACCEPT", [protocols(1, 6), icmp(4, 3), icmp(4, [3, 4], 8)]],
  ])("%s", (expected, matches) => expect(legalRule(matches)).toBe(`INPUT ${expected}`));

  test("types that IPv6 does not have are not asked for", () => {
    expect(legalRule([types("destination", "local", "broadcast")], {}, 6)).toBe(
      "INPUT -m addrtype --dst-type LOCAL -j ACCEPT",
    );
    expect(legalRule([not(types("destination", "broadcast"))], {}, 6)).toBe("INPUT -j ACCEPT");
  });
});

test.each<[string, readonly Match[]]>([
  ["another family", [{ kind: "family", family: 6 }]],
  ["addresses of another family", [addresses("source", 6, 1n)]],
  ["not some addresses of another family", [not(addresses("source", 6, 1n))]],
  ["ICMP of another family", [icmp(6, 128)]],
  ["two addresses at once", [addresses("source", 4, 1n), addresses("source", 4, 2n)]],
  ["two protocols at once", [protocols(6), protocols(17)]],
  ["ICMP and TCP", [icmp(4, 8), protocols(6)]],
  ["no port", [protocols(6), not(ports("source", [0, 65535]))]],
  ["no state", [states("new"), states("invalid")]],
  ["no device", [not(devices("in", "*"))]],
  ["a device that no pattern leaves", [devices("in", "eth0"), not(devices("in", "eth*"))]],
  [
    "an opening that is none",
    [protocols(6), { kind: "opening", negated: true }, { kind: "opening", negated: false }],
  ],
  ["an output device on input", [devices("out", "eth0")]],
])("no rule is left of one that matches %s", (_, matches) => expect(legalRule(matches)).toBe(""));

test("a device that a hook does not know is no reason not to match", () => {
  expect(legalRule([not(devices("out", "eth0"))])).toBe("INPUT -j ACCEPT");
});

describe("lists", () => {
  test("become lines, up to four, or any number where nothing else is tested", () => {
    expect(legalRule([protocols(6, 17), ports("destination", 53), devices("in", "eth0", "eth1")])).toBe(
      [
        "INPUT -i eth0 -p tcp -m tcp --dport 53 -j ACCEPT",
        "INPUT -i eth0 -p udp -m udp --dport 53 -j ACCEPT",
        "INPUT -i eth1 -p tcp -m tcp --dport 53 -j ACCEPT",
        "INPUT -i eth1 -p udp -m udp --dport 53 -j ACCEPT",
      ].join("\n"),
    );
    expect(legalRule([hosts(20)]).split("\n")).toHaveLength(20);
  });

  test("become chains where there would be many lines, the short list first", () => {
    expect(legalRule([protocols(6), ports("destination", 22), hosts(5), devices("in", "eth0", "eth1")])).toBe(
      [
        "INPUT -i eth0 -p tcp -m tcp --dport 22 -j ssh-1",
        "INPUT -i eth1 -p tcp -m tcp --dport 22 -j ssh-1",
        "ssh-1 -s 10.0.0.1 -j ACCEPT",
        "ssh-1 -s 10.0.1.1 -j ACCEPT",
        "ssh-1 -s 10.0.2.1 -j ACCEPT",
        "ssh-1 -s 10.0.3.1 -j ACCEPT",
        "ssh-1 -s 10.0.4.1 -j ACCEPT",
      ].join("\n"),
    );
  });

  test("of ports fill multiports of fifteen slots, a range taking two", () => {
    const many = Array.from({ length: 10 }, (_, n): [number, number] => [10 * n, 10 * n + 5]);
    expect(legalRule([protocols(6), ports("destination", ...many)])).toBe(
      [
        "INPUT -p tcp -m multiport --dports 0:5,10:15,20:25,30:35,40:45,50:55,60:65 -j ACCEPT",
        "INPUT -p tcp -m multiport --dports 70:75,80:85,90:95 -j ACCEPT",
      ].join("\n"),
    );
  });

  test("of ports at both ends do not multiply", () => {
    const many = Array.from({ length: 40 }, (_, n) => 2 * n);
    const lines = legalRule([protocols(6), ports("source", ...many), ports("destination", ...many)]).split(
      "\n",
    );
    expect(lines.map((line) => line.replace(/ --([sd])ports .* -j/, " $1 -j"))).toEqual([
      ...Array(3).fill("INPUT -p tcp -m multiport s -j ssh-1"),
      ...Array(3).fill("ssh-1 -p tcp -m multiport d -j ACCEPT"),
    ]);
  });

  test("that are negated become chains that return", () => {
    expect(
      legalRule([not(hosts(2)), not(devices("in", "eth0", "br-*")), protocols(6), ports("destination", 22)]),
    ).toBe(
      [
        "INPUT -p tcp -m tcp --dport 22 -j ssh-1",
        "ssh-1 -i eth0 -j RETURN",
        "ssh-1 -i br-+ -j RETURN",
        "ssh-1 -s 10.0.0.1 -j RETURN",
        "ssh-1 -s 10.0.1.1 -j RETURN",
        "ssh-1 -j ACCEPT",
      ].join("\n"),
    );
    expect(legalRule([not(protocols(6, 17))])).toBe(
      ["INPUT -j ssh-1", "ssh-1 -p tcp -j RETURN", "ssh-1 -p udp -j RETURN", "ssh-1 -j ACCEPT"].join("\n"),
    );
  });

  test("of ten thousand prefixes take as many lines, and a tree that leads to them", () => {
    const many = Array.from({ length: 10_000 }, (_, n): [bigint, bigint] => [
      BigInt(n) << 12n,
      (BigInt(n) << 12n) + 255n,
    ]);
    const lines = legalRule([addresses("source", 4, ...many), protocols(6), ports("destination", 22)]).split(
      "\n",
    );
    expect(lines[0]).toBe("INPUT -p tcp -m tcp --dport 22 -j ssh-1");
    expect(lines.filter((line) => line.endsWith("-j ACCEPT"))).toHaveLength(10_000);
    expect(lines.filter((line) => line.startsWith("ssh-1 "))).toHaveLength(1);
    expect(lines.length).toBeLessThan(12_000);
  });
});

describe("limits", () => {
  test("stay in the line of a rule that is one", () => {
    expect(legalRule([protocols(6), limit(10, "minute", 20)])).toBe(
      "INPUT -p tcp -m limit --limit 10/minute --limit-burst 20 -j ACCEPT",
    );
  });

  test("are shared by the lines of a rule that is several, before its log", () => {
    expect(legalRule([protocols(6, 17), limit(10, "minute", 20)], { log: { prefix: "ssh" } })).toBe(
      [
        "INPUT -p tcp -j ssh-1",
        "INPUT -p udp -j ssh-1",
        "ssh-1 -m limit --limit 10/minute --limit-burst 20 -j ssh-2",
        'ssh-2 -j LOG --log-prefix "ssh "',
        "ssh-2 -j ACCEPT",
      ].join("\n"),
    );
  });
});

test("what is logged is logged in a chain, unless nothing is tested", () => {
  expect(legalRule([protocols(6)], { log: { prefix: "a" } })).toBe(
    ["INPUT -p tcp -j ssh-1", 'ssh-1 -j LOG --log-prefix "a "', "ssh-1 -j ACCEPT"].join("\n"),
  );
  expect(legalRule([], { log: { prefix: "a" } })).toBe(
    ['INPUT -j LOG --log-prefix "a "', "INPUT -j ACCEPT"].join("\n"),
  );
});

test("all rules that untrack share one chain", () => {
  const untrack = (protocol: number) => rule([protocols(protocol)], { kind: "notrack" });
  expect(
    legal([base("raw", "prerouting", untrack(6), untrack(17)), base("raw", "output", untrack(132))]),
  ).toBe(
    [
      "PREROUTING -p tcp -j UNTRACKED",
      "PREROUTING -p udp -j UNTRACKED",
      "OUTPUT -p sctp -j UNTRACKED",
      "UNTRACKED -j CT --notrack",
      "UNTRACKED -j ACCEPT",
    ].join("\n"),
  );
});

test("statements that need a protocol have it in their own line", () => {
  const to = { first: ip(10, 0, 0, 1), last: ip(10, 0, 0, 1) };
  const dnat = { kind: "dnat", family: 4, addresses: to, ports: { first: 80, last: 80 } } as const;
  const chain = (matches: readonly Match[]) =>
    legal([base("nat", "prerouting", rule(matches, dnat, { group: "nat" }))]);
  expect(chain([protocols(6, 17), not(hosts(2))])).toBe(
    [
      "PREROUTING -p tcp -j nat-1",
      "PREROUTING -p udp -j nat-1",
      "nat-1 -s 10.0.0.1 -j RETURN",
      "nat-1 -s 10.0.1.1 -j RETURN",
      "nat-1 -p tcp -j DNAT --to-destination 10.0.0.1:80",
      "nat-1 -p udp -j DNAT --to-destination 10.0.0.1:80",
    ].join("\n"),
  );
  expect(
    legal([
      base("filter", "input", rule([protocols(6), not(hosts(2))], { kind: "reject", with: "tcp-reset" })),
    ]),
  ).toBe(
    [
      "INPUT -p tcp -j chain-1",
      "chain-1 -s 10.0.0.1 -j RETURN",
      "chain-1 -s 10.0.1.1 -j RETURN",
      "chain-1 -p tcp -j REJECT --reject-with tcp-reset",
    ].join("\n"),
  );
});

describe("a rule that leaves its chain", () => {
  test("does so from each of its lines", () => {
    const chain = called("filter", "guard", rule([protocols(6, 17)], { kind: "return" }), rule([], drop));
    expect(legal([base("filter", "input", rule([], { kind: "jump", chain: "guard" })), chain])).toBe(
      ["INPUT -j guard", "guard -p tcp -j RETURN", "guard -p udp -j RETURN", "guard -j DROP"].join("\n"),
    );
  });

  test("has what follows it in a chain of its own where its tests take chains", () => {
    const guard = rule([not(devices("in", "eth0", "eth1"))], { kind: "return" }, { group: "guard" });
    const chain = called("filter", "guard", guard, rule([], drop, { group: "guard" }));
    expect(legal([base("filter", "input", rule([], { kind: "jump", chain: "guard" })), chain])).toBe(
      [
        "INPUT -j guard",
        "guard -g guard-2",
        "guard -g guard-1",
        "guard-1 -j DROP",
        "guard-2 -i eth0 -g guard-1",
        "guard-2 -i eth1 -g guard-1",
        "guard-2 -j RETURN",
        "guard-2 -g guard-1",
      ].join("\n"),
    );
  });
});

describe("chains", () => {
  test("keep their names as far as iptables takes them", () => {
    const names = ["memcached-1", "LOG", "a b", "a-b", "-x", "x".repeat(40), "漢"];
    const script = emitIptables(
      legalise(
        ruleset(
          base("filter", "input", ...names.map((chain) => rule([], { kind: "jump", chain }))),
          ...names.map((name) => called("filter", name, rule([], drop))),
        ),
        4,
      ),
      4,
      { source: "" },
    );
    expect(script.match(/(?<=^:)\S+(?= -)/gm)).toEqual([
      "memcached-1",
      "LOG-1",
      "a-b",
      "a-b-1",
      "x",
      `${"x".repeat(26)}-1`,
      "chain",
    ]);
    expect(script.match(/(?<=^-A INPUT -j )\S+/gm)).toEqual(script.match(/(?<=^:)\S+(?= -)/gm));
  });

  test("that say nothing in a family are gone, and the jumps to them", () => {
    const jump = rule([protocols(6)], { kind: "jump", chain: "outer" });
    const chains = [
      base("filter", "input", jump),
      called("filter", "outer", rule([], { kind: "jump", chain: "inner" })),
      called("filter", "inner", rule([addresses("source", 4, 1n)], drop)),
    ];
    expect(legal(chains, 6)).toBe("");
    expect(legal(chains, 4)).toBe("INPUT -p tcp -j outer\nouter -j inner\ninner -s 0.0.0.1 -j DROP");
  });

  test("that are not there cannot be jumped to", () => {
    expect(() => legal([base("filter", "input", rule([], { kind: "jump", chain: "x" }))])).toThrow(
      'no chain "x"',
    );
  });
});

test("every line keeps the origin and the group of its rule", () => {
  const origin = "policy.yaml:7 ssh";
  const { chains } = legalise(
    ruleset(
      base(
        "filter",
        "input",
        rule([not(hosts(3)), limit(1, "second", 5)], accept, { origin, group: "ssh", log: { prefix: "" } }),
      ),
    ),
    4,
  );
  const rules = chains.flatMap((chain) => chain.rules);
  expect(rules).toHaveLength(6);
  for (const one of rules) expect(one).toMatchObject({ origin, group: "ssh" });
});

test("IPv6 rules are laid out alike", () => {
  expect(legalRule([addresses("source", 6, ip6(1), [ip6(16), ip6(20)]), icmp(6, 128, [1, 4])], {}, 6)).toBe(
    [
      "INPUT -s 2001:db8::1 -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT",
      "INPUT -s 2001:db8::1 -p ipv6-icmp -m icmp6 --icmpv6-type 1/4 -j ACCEPT",
      "INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 128 -m iprange --src-range 2001:db8::10-2001:db8::14 -j ACCEPT",
      "INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 1/4 -m iprange --src-range 2001:db8::10-2001:db8::14 -j ACCEPT",
    ].join("\n"),
  );
});

describe("what routing says of an address", () => {
  const delivered = types("destination", "local", "broadcast", "anycast", "multicast");
  test("is one list on IPv4", () => {
    expect(legalRule([delivered])).toBe(
      "INPUT -m addrtype --dst-type LOCAL,BROADCAST,ANYCAST,MULTICAST -j ACCEPT",
    );
  });
  test("needs a list of its own for multicast on IPv6, where the kernel ands it with the rest", () => {
    expect(legalRule([delivered], {}, 6)).toBe(
      "INPUT -m addrtype --dst-type LOCAL,ANYCAST -j ACCEPT\nINPUT -m addrtype --dst-type MULTICAST -j ACCEPT",
    );
    expect(legalRule([not(delivered)], {}, 6)).toBe(
      "INPUT -m addrtype ! --dst-type LOCAL,ANYCAST -m addrtype ! --dst-type MULTICAST -j ACCEPT",
    );
  });
});

describe("what does nothing is left out", () => {
  test("chains that can only accept what they accept anyway", () => {
    expect(legal([accepting("filter", "output", rule([protocols(6)], accept))])).toBe("");
    expect(legal([accepting("filter", "output", rule([protocols(6)], accept), rule([], drop))])).not.toBe("");
  });
  test("a chain of one line that one line calls", () => {
    const jump = { kind: "jump", chain: "few" } as const;
    expect(
      legal([
        base("filter", "input", rule([protocols(6)], jump)),
        called("filter", "few", rule([limit(10, "minute", 20)], accept)),
      ]),
    ).toBe("INPUT -p tcp -m limit --limit 10/minute --limit-burst 20 -j ACCEPT");
  });
  test("but not where two lines share its limit", () => {
    const jump = { kind: "jump", chain: "few" } as const;
    expect(
      legal([
        base("filter", "input", rule([protocols(6)], jump), rule([protocols(17)], jump)),
        called("filter", "few", rule([limit(10, "minute", 20)], accept)),
      ]),
    ).toMatch(/^few -m limit/m);
  });
});

import { describe, expect, test } from "vitest";
import type { Match } from "../../src/netfilter/ruleset.ts";
import { readNft } from "../../src/read/nft.ts";
import { textOf } from "../../src/source/source.ts";
import {
  accept,
  addresses,
  devices,
  drop,
  icmp,
  ip,
  ip6,
  limit,
  not,
  ports,
  protocols,
  states,
  types,
} from "../netfilter/build.ts";
import { chainOf, nft, nftLine, type Shown, show, unknown } from "./words.ts";

const tcp = protocols(6);
const four: Match = { kind: "family", family: 4 };
const six: Match = { kind: "family", family: 6 };
const opening: Match = { kind: "opening", negated: false };
const noOpening: Match = { kind: "opening", negated: true };
const source = (...list: bigint[]) => addresses("source", 4, ...list);

describe("tests", () => {
  const cases: readonly (readonly [words: string, ...matches: Match[]])[] = [
    [""],
    ["ip saddr 10.0.0.1", source(ip(10, 0, 0, 1))],
    ["ip saddr 10.0.0.9/8", addresses("source", 4, [ip(10, 0, 0, 0), ip(10, 255, 255, 255)])],
    ["ip saddr & 255.0.0.0 == 10.0.0.0", addresses("source", 4, [ip(10, 0, 0, 0), ip(10, 255, 255, 255)])],
    [
      "ip saddr & 255.255.0.0 { 10.1.0.0, 10.3.0.0, 10.4.0.1 }",
      addresses("source", 4, [ip(10, 1, 0, 0), ip(10, 1, 255, 255)], [ip(10, 3, 0, 0), ip(10, 3, 255, 255)]),
    ],
    [
      "ip saddr & 255.255.0.0 != { 10.1.0.0, 10.3.0.0 }",
      not(
        addresses(
          "source",
          4,
          [ip(10, 1, 0, 0), ip(10, 1, 255, 255)],
          [ip(10, 3, 0, 0), ip(10, 3, 255, 255)],
        ),
      ),
    ],
    ["ip saddr != 10.0.0.1", not(source(ip(10, 0, 0, 1)))],
    ["ip saddr 10.0.0.1-10.0.0.9", addresses("source", 4, [ip(10, 0, 0, 1), ip(10, 0, 0, 9)])],
    ["ip saddr {10.0.0.1,10.0.0.3}", source(ip(10, 0, 0, 1), ip(10, 0, 0, 3))],
    ["ip saddr != { 10.0.0.1, 10.0.0.3 }", not(source(ip(10, 0, 0, 1), ip(10, 0, 0, 3)))],
    ["ip saddr > 255.255.255.253", addresses("source", 4, [0xffff_fffen, 0xffff_ffffn])],
    ["ip saddr 0.0.0.0/0", four],
    ["ip6 daddr 2001:db8::1-2001:db8::9", addresses("destination", 6, [ip6(1), ip6(9)])],
    ["ip6 saddr ::ffff:1.2.3.4", addresses("source", 6, 0xffff_0102_0304n)],
    ["tcp dport 80", tcp, ports("destination", 80)],
    ["tcp dport != 80", tcp, not(ports("destination", 80))],
    ["tcp dport ssh", tcp, ports("destination", 22)],
    ["udp sport { 53, 80-90 }", protocols(17), ports("source", 53, [80, 90])],
    ["tcp dport >= 1024", tcp, ports("destination", [1024, 65535])],
    ["tcp dport < 1024", tcp, ports("destination", [0, 1023])],
    ["tcp dport 1-5 tcp sport 7", tcp, ports("destination", [1, 5]), ports("source", 7)],
    ["meta l4proto { tcp, udp } th dport 53", protocols(6, 17), ports("destination", 53)],
    ["meta l4proto . th dport { tcp . 53 }", tcp, ports("destination", 53)],
    ["meta l4proto 6-8", protocols(6, 7, 8)],
    ["meta l4proto != ipv6-icmp", not(protocols(58))],
    ["ip protocol { tcp, 47 }", four, protocols(6, 47)],
    ["meta nfproto ipv6", six],
    ["meta nfproto != ipv6", four],
    ["meta protocol ip", four],
    ["meta protocol { ip, ip6 }"],
    ['iifname "eth0"', devices("in", "eth0")],
    ["oifname eth*", devices("out", "eth*")],
    ['meta iifname != { "br-*", "lo" }', not(devices("in", "br-*", "lo"))],
    ["iif lo oif != lo", devices("in", "lo"), not(devices("out", "lo"))],
    ["icmp type echo-request", icmp(4, 8)],
    ["icmp type { 0, 3-4 }", icmp(4, 0, 3, 4)],
    ["icmp type 3 icmp code frag-needed", icmp(4, [3, 4])],
    [
      "icmp type . icmp code { destination-unreachable . frag-needed, echo-request . 0-255 }",
      icmp(4, [3, 4], 8),
    ],
    ["icmpv6 type { nd-router-advert, 135 }", icmp(6, 134, 135)],
    ["icmp type 0-255", four, protocols(1)],
    ["ct state established,related", states("established", "related")],
    ["ct state new", states("new")],
    ["ct state { new, untracked }", states("new", "untracked")],
    ["ct state established | related", states("established", "related")],
    ["ct state != invalid", states("established", "related", "new", "untracked")],
    ["ct state ! established,related", states("invalid", "new", "untracked")],
    ["ct state != { established, related }", states("invalid", "new", "untracked")],
    ["ct state & (new | related) != 0", states("related", "new")],
    // Compared as a whole, and no packet has two states.
    ["ct state != established,related"],
    ["ct status dnat", { kind: "dnat-status" }],
    ["tcp flags & (syn | ack) == syn", tcp, opening],
    ["tcp flags & (syn|ack)==syn", tcp, opening],
    ["tcp flags syn / syn,ack", tcp, opening],
    ["tcp flags & (syn | ack) syn", tcp, opening],
    ["tcp flags != syn / syn,ack", tcp, noOpening],
    ["tcp flags & (syn | ack) != syn", tcp, noOpening],
    ["tcp flags & 0x12 == 0x2", tcp, opening],
    ["fib daddr type local", types("destination", "local")],
    ["fib saddr type != { local, multicast }", not(types("source", "local", "multicast"))],
    ["fib daddr type { 2, 5 }", types("destination", "local", "multicast")],
    ["ct status 32", { kind: "dnat-status" }],
    ["ct state 0x8", states("new")],
    ["limit rate 10/minute", limit(10, "minute", 5)],
    ["limit rate 10/minute burst 20 packets", limit(10, "minute", 20)],
    ["counter packets 5 bytes 6 tcp dport 1 counter", tcp, ports("destination", 1)],
    ["ip saddr 10.0.0.1 \\\n tcp dport 1", source(ip(10, 0, 0, 1)), tcp, ports("destination", 1)],
  ];
  test.each(cases)("%s", (words, ...matches) => {
    expect(nftLine(`${words} accept`)).toEqual([[...matches, accept]]);
  });

  test("tests that no packet passes leave no rule", () => {
    expect(nftLine("ct state == established,related accept")).toEqual([]);
    expect(nftLine("ip saddr != 0.0.0.0/0 accept")).toEqual([]);
    expect(nftLine("tcp dport < 0 accept")).toEqual([]);
  });

  test("flags that an opening may have or not are unknown beside it", () => {
    expect(nftLine("tcp flags syn accept")).toEqual([
      [tcp, opening, accept],
      [tcp, noOpening, unknown("tcp flags syn"), accept],
    ]);
    expect(nftLine("tcp flags & (fin|syn|rst|ack) == syn accept")).toEqual([
      [tcp, opening, unknown("tcp flags & (fin|syn|rst|ack) == syn"), accept],
    ]);
    expect(nftLine("tcp flags { syn, syn | ack } accept")).toEqual([
      [tcp, opening, unknown("tcp flags { syn, syn | ack }"), accept],
      [tcp, noOpening, unknown("tcp flags { syn, syn | ack }"), accept],
    ]);
  });

  test("the first next header is the protocol only without extension headers", () => {
    expect(nftLine("ip6 nexthdr tcp accept")).toEqual([
      [six, tcp, unknown("no IPv6 extension header"), accept],
    ]);
    expect(nftLine("ip6 nexthdr != tcp accept")).toEqual([[six, unknown("ip6 nexthdr != tcp"), accept]]);
    expect(nftLine("ip6 nexthdr 44 accept")).toEqual([[six, unknown("ip6 nexthdr 44"), accept]]);
  });

  test("two `!=` on neighbours of a header are what nobody knows, other two are not", () => {
    const text = "tcp sport != 61 ct state new tcp dport != 80";
    const reading = nft([`${text} accept`]);
    expect(chainOf(reading, "input").map(show)).toEqual([
      [tcp, unknown("tcp sport != 61"), states("new"), unknown("tcp dport != 80"), accept],
    ]);
    expect(reading.findings.map(({ level, span }) => [level, textOf(span)])).toEqual([
      ["warning", "tcp dport != 80"],
    ]);
    expect(nft(["icmp type != 3 icmp code != { 4 } accept"]).unknowns).toHaveLength(2);
    expect(nft(["tcp sport != 61 tcp dport != { 80, 81 } accept"]).unknowns).toEqual([]);
    expect(nft(["ip saddr != 10.0.0.1 ip daddr != 10.0.0.2 accept"]).unknowns).toEqual([]);
    expect(nft(["tcp sport 61 tcp dport != 80 accept"]).unknowns).toEqual([]);
    expect(nft(["tcp dport != 61 tcp dport != 80 accept"]).unknowns).toEqual([]);
  });

  test("two ports that nft prints as one number", () => {
    const both = protocols(6, 17);
    const one = (operator: string) =>
      nftLine(`meta l4proto { tcp, udp } @th,0,32 ${operator} 0x3d0050 accept`);
    expect(one("")).toEqual([[both, ports("source", 61), ports("destination", 80), accept]]);
    expect(one("!=")).toEqual([
      [both, not(ports("source", 61)), accept],
      [both, ports("source", 61), not(ports("destination", 80)), accept],
    ]);
    expect(nftLine("tcp dport 1 @th,0,16 7 accept")).toEqual([
      [tcp, ports("destination", 1), ports("source", 7), accept],
    ]);
    expect(nftLine("@th,0,32 0x3d0050 accept")).toEqual([[unknown("@th,0,32 0x3d0050"), accept]]);
  });

  test("where ports are is no port beside protocols without", () => {
    expect(nftLine("th dport 53 accept")).toEqual([[unknown("th dport 53"), accept]]);
    expect(nftLine("meta l4proto != tcp th dport 53 accept")).toEqual([
      [not(tcp), unknown("th dport 53"), accept],
    ]);
  });

  test("elements of several keys are a rule each", () => {
    expect(
      nftLine(
        "ip saddr & 255.255.255.0 . tcp dport . ip daddr & 255.0.0.0 { 10.0.1.0 . 80 . 11.0.0.0 } accept",
      ),
    ).toEqual([
      [
        addresses("source", 4, [ip(10, 0, 1, 0), ip(10, 0, 1, 255)]),
        tcp,
        ports("destination", 80),
        addresses("destination", 4, [ip(11, 0, 0, 0), ip(11, 255, 255, 255)]),
        accept,
      ],
    ]);
    expect(nftLine("ip saddr . tcp dport { 10.0.0.1 . 80, 10.0.0.2 . 90-91 } jump u")).toEqual([
      [source(ip(10, 0, 0, 1)), tcp, ports("destination", 80), { kind: "jump", chain: "u" }],
      [source(ip(10, 0, 0, 2)), tcp, ports("destination", [90, 91]), { kind: "jump", chain: "u" }],
    ]);
  });
});

describe("statements", () => {
  const cases: readonly (readonly [words: string, ...shown: Shown[number][]])[] = [
    ["counter", { kind: "continue" }],
    ["continue", { kind: "continue" }],
    ["drop", drop],
    ["return", { kind: "return" }],
    ["jump u", { kind: "jump", chain: "u" }],
    ["goto u", { kind: "goto", chain: "u" }],
    ["reject", { kind: "reject", with: "port-unreachable" }],
    ["reject with icmpx type port-unreachable", { kind: "reject", with: "port-unreachable" }],
    ["reject with icmpx port-unreachable", { kind: "reject", with: "port-unreachable" }],
    ["reject with icmp port-unreachable", four, { kind: "reject", with: "port-unreachable" }],
    ["reject with icmpv6 port-unreachable", six, { kind: "reject", with: "port-unreachable" }],
    ["reject with tcp reset", tcp, { kind: "reject", with: "tcp-reset" }],
    ["reject with icmpx admin-prohibited", { kind: "reject", with: "other", text: "icmpx admin-prohibited" }],
    ["queue num 3", { kind: "unknown", text: "queue num 3", continues: false }],
    ["meta mark set 0x1", { kind: "unknown", text: "meta mark set 0x1", continues: true }],
    ["meta mark set ct mark", { kind: "unknown", text: "meta mark set ct mark", continues: true }],
    [
      "frobnicate the packet accept",
      { kind: "unknown", text: "frobnicate the packet accept", continues: false },
    ],
    [
      "meta mark vmap { 1 : accept }",
      { kind: "unknown", text: "meta mark vmap { 1 : accept }", continues: false },
    ],
    ['xt target "FOO"', { kind: "unknown", text: 'xt target "FOO"', continues: false }],
  ];
  for (const [words, ...shown] of cases) {
    test(words, () => expect(nftLine(words)).toEqual([shown]));
  }

  const natCases: readonly (readonly [words: string, ...shown: Shown[number][]])[] = [
    ["masquerade", { kind: "masquerade", ports: null, random: false }],
    ["masquerade fully-random", { kind: "masquerade", ports: null, random: true }],
    [
      "meta l4proto tcp masquerade to :1024-2000 fully-random",
      tcp,
      { kind: "masquerade", ports: { first: 1024, last: 2000 }, random: true },
    ],
    [
      "masquerade random,persistent",
      { kind: "unknown", text: "masquerade random,persistent", continues: false },
    ],
    [
      "snat ip to 192.0.2.1-192.0.2.4:80-90 fully-random",
      {
        kind: "snat",
        family: 4,
        addresses: { first: ip(192, 0, 2, 1), last: ip(192, 0, 2, 4) },
        ports: { first: 80, last: 90 },
        random: true,
      },
    ],
    [
      "snat ip6 to [2001:db8::1]-[2001:db8::9]:80",
      {
        kind: "snat",
        family: 6,
        addresses: { first: ip6(1), last: ip6(9) },
        ports: { first: 80, last: 80 },
        random: false,
      },
    ],
    [
      "dnat to 192.0.2.1",
      {
        kind: "dnat",
        family: 4,
        addresses: { first: ip(192, 0, 2, 1), last: ip(192, 0, 2, 1) },
        ports: null,
      },
    ],
    [
      "dnat ip6 to [2001:db8::1]:80-81",
      { kind: "dnat", family: 6, addresses: { first: ip6(1), last: ip6(1) }, ports: { first: 80, last: 81 } },
    ],
    [
      "dnat ip to 192.0.2.0/31",
      {
        kind: "dnat",
        family: 4,
        addresses: { first: ip(192, 0, 2, 0), last: ip(192, 0, 2, 1) },
        ports: null,
      },
    ],
    ["redirect to :8080", { kind: "redirect", ports: { first: 8080, last: 8080 } }],
    ["redirect", { kind: "unknown", text: "redirect", continues: false }],
    ["dnat to :80", { kind: "unknown", text: "dnat to :80", continues: false }],
    [
      "snat ip prefix to 10.0.0.0/8",
      { kind: "unknown", text: "snat ip prefix to 10.0.0.0/8", continues: false },
    ],
  ];
  for (const [words, ...shown] of natCases) {
    test(words, () => expect(nftLine(words, [], "nat hook prerouting priority dstnat")).toEqual([shown]));
  }

  test("what a rule logs, and what it says of itself", () => {
    const [rule] = chainOf(
      nft(['log prefix "a b" level warn flags ip options,skuid drop comment "c # d"']),
      "input",
    );
    expect([rule?.log, rule?.statement, rule?.origin]).toEqual([{ prefix: "a b" }, drop, "c # d"]);
    expect(rule?.span && textOf(rule.span)).toBe(
      'log prefix "a b" level warn flags ip options,skuid drop comment "c # d"',
    );
    const [second] = chainOf(nft(['log group 3 prefix "x" accept # a comment']), "input");
    expect([second?.log, second?.statement]).toEqual([{ prefix: "x" }, accept]);
  });

  test("what happens before a rule is over moves the rest into a chain of its own", () => {
    const reading = nft(['log prefix "a" tcp dport 80 log prefix "b" meta mark set 1 accept']);
    const steps = ["input", "input#2", "input#1"].map((name) => chainOf(reading, name));
    expect(steps.map((rules) => rules.map(({ log }) => log?.prefix ?? null))).toEqual([
      ["a"],
      ["b"],
      [null, null],
    ]);
    expect(steps.map((rules) => rules.map(show))).toEqual([
      [[{ kind: "jump", chain: "input#2" }]],
      [[tcp, ports("destination", 80), { kind: "jump", chain: "input#1" }]],
      [[{ kind: "unknown", text: "meta mark set 1", continues: true }], [accept]],
    ]);
  });

  test("a return that would only leave such a chain is unknown", () => {
    expect(nftLine("meta mark set 1 return")).toEqual([
      [{ kind: "unknown", text: "a return or goto behind something else", continues: false }],
    ]);
  });
});

describe("tracking", () => {
  const raw = "filter hook prerouting priority raw";
  test("notrack walks on, and with accept it is one statement", () => {
    expect(nftLine("notrack", [], raw)).toEqual([[{ kind: "mark-untracked" }]]);
    expect(nftLine("tcp dport 80 notrack accept", [], raw)).toEqual([
      [tcp, ports("destination", 80), { kind: "notrack" }],
    ]);
  });

  test.each([
    ["prerouting", "-300", "raw"],
    ["prerouting", "raw + 100", "raw"],
    ["output", "-200", "raw"],
    ["prerouting", "-199", "filter"],
    ["input", "raw", "filter"],
    ["prerouting", "mangle", "filter"],
  ])("a chain at %s with priority %s is one of %s", (hook, priority, table) => {
    const reading = nft(["notrack"], [], `filter hook ${hook} priority ${priority}`);
    expect(reading.ruleset.chains.find(({ base }) => base)?.table).toBe(table);
    expect(chainOf(reading, "input").map(show)).toEqual([
      [{ kind: table === "raw" ? "mark-untracked" : "continue" }],
    ]);
    expect(reading.findings.map(({ level }) => level)).toEqual(table === "raw" ? [] : ["warning"]);
  });
});

describe("sets and maps", () => {
  const sets = [
    "set many { type ipv4_addr; flags interval; elements = { 10.0.0.0/30,",
    '   10.0.0.8-10.0.0.9 comment "x", }',
    "}",
    "set devices {",
    "\ttypeof iifname",
    '\telements = { "eth0", "br-*" }',
    "}",
    "set timed { type ipv4_addr; timeout 1h; elements = { 10.0.0.1 timeout 5m expires 4m59s } }",
    "set dynamic { type ipv4_addr; flags dynamic; }",
    "set empty { type ipv4_addr; }",
    "map verdicts { type inet_service : verdict; elements = { 80 : accept, 443 : jump u } }",
    "map targets { type inet_service : ipv4_addr . inet_service; elements = { 80 : 10.0.0.1 . 8080 } }",
  ];
  const many = [
    { first: ip(10, 0, 0, 0), last: ip(10, 0, 0, 3) },
    { first: ip(10, 0, 0, 8), last: ip(10, 0, 0, 9) },
  ];

  test("a named set is its elements, one array for all rules", () => {
    const reading = nft(["ip saddr @many accept", "ip saddr != @many drop"], sets);
    const [first, second] = chainOf(reading, "input").map(({ matches: [match] }) => match);
    expect(first).toEqual({
      kind: "address",
      side: "source",
      family: 4,
      ranges: many,
      name: "many",
      negated: false,
    });
    expect(second).toMatchObject({ ranges: many, negated: true });
    expect(first?.kind === "address" && second?.kind === "address" && first.ranges === second.ranges).toBe(
      true,
    );
    expect(nftLine("iifname @devices accept", sets)).toEqual([[devices("in", "eth0", "br-*"), accept]]);
  });

  test("elements that are added later count too", () => {
    const text = [
      "add table inet t",
      "add set inet t s { type inet_service; }",
      "add chain inet t c { type filter hook input priority 0; policy drop; }",
      "add rule inet t c tcp dport @s accept",
      "insert rule inet t c drop",
      "inet t c reject",
      "add element inet t s { 80, 90 }",
    ].join("\n");
    const reading = readNft({ name: "ruleset.nft", text });
    expect([reading.findings, reading.unknowns]).toEqual([[], []]);
    expect(chainOf(reading, "c").map(show)).toEqual([
      [drop],
      [tcp, ports("destination", 80, 90), accept],
      [{ kind: "reject", with: "port-unreachable" }],
    ]);
    expect(reading.ruleset.chains[0]?.base?.policy).toBe("drop");
  });

  test("nobody knows what a set holds whose elements come and go", () => {
    for (const name of ["timed", "dynamic"]) {
      const reading = nft([`ip saddr @${name} accept`], sets);
      expect(chainOf(reading, "input").map(show)).toEqual([[four, unknown(`ip saddr @${name}`), accept]]);
      expect(reading.unknowns.map(({ kind }) => kind)).toEqual(["set", "set", "test"]);
    }
    expect(nftLine("ip saddr @nowhere accept", sets)).toEqual([[four, unknown("ip saddr @nowhere"), accept]]);
  });

  test("an empty set holds nothing", () => {
    expect(nftLine("ip saddr @empty accept", sets)).toEqual([]);
    expect(nftLine("ip saddr != @empty accept", sets)).toEqual([[four, accept]]);
  });

  test("a map is a rule for each of its elements", () => {
    const shown = [
      [tcp, ports("destination", 80), accept],
      [tcp, ports("destination", 443), { kind: "jump", chain: "u" }],
    ];
    expect(nftLine("tcp dport vmap @verdicts", sets)).toEqual(shown);
    expect(nftLine("tcp dport vmap { 80 : accept, 443 : jump u }")).toEqual(shown);
    expect(nftLine("ct state vmap { invalid : drop, established : accept }")).toEqual([
      [states("invalid"), drop],
      [states("established"), accept],
    ]);
    expect(nftLine("dnat ip to tcp dport map @targets", sets, "nat hook prerouting priority dstnat")).toEqual(
      [
        [
          tcp,
          ports("destination", 80),
          {
            kind: "dnat",
            family: 4,
            addresses: { first: ip(10, 0, 0, 1), last: ip(10, 0, 0, 1) },
            ports: { first: 8080, last: 8080 },
          },
        ],
      ],
    );
  });

  test("elements of one verdict are read as one set, cut to a prefix like its packets", () => {
    const cut = "vmap { 10.0.0.0 : accept, 10.0.0.32 : drop, 10.0.0.16 : accept }";
    expect(nftLine(`ip saddr & 255.255.255.240 ${cut}`)).toEqual([
      [addresses("source", 4, [ip(10, 0, 0, 0), ip(10, 0, 0, 31)]), accept],
      [addresses("source", 4, [ip(10, 0, 0, 32), ip(10, 0, 0, 47)]), drop],
    ]);
    const several =
      "ip saddr & 255.255.255.240 . th dport vmap { 10.0.0.0 . 80 : accept, 10.0.0.16 . 81 : drop }";
    expect(nftLine(`meta l4proto tcp ${several}`).map((rule) => rule.at(-1))).toEqual([accept, drop]);
  });

  test("a limit before a map is asked once", () => {
    const reading = nft(["limit rate 1/second tcp dport vmap { 80 : accept, 81 : drop }"]);
    expect(chainOf(reading, "input").map(show)).toEqual([
      [limit(1, "second", 5), { kind: "jump", chain: "input#1" }],
    ]);
    expect(chainOf(reading, "input#1").map((rule) => rule.statement)).toEqual([accept, drop]);
  });

  test("what nft makes of wildcards in a set without a name is no device", () => {
    expect(nftLine('iifname { ""-"\u000f\u000fb" } accept')).toEqual([
      [unknown('iifname { ""-"\u000f\u000fb" }'), accept],
    ]);
  });
});

describe("unknown tests", () => {
  test.each([
    ["meta mark 0x1", "meta mark 0x1"],
    ["meta mark & 0xff == 0x1", "meta mark & 0xff == 0x1"],
    ["ct original ip saddr 10.0.0.1 tcp dport 22", "ct original ip saddr 10.0.0.1 tcp dport 22"],
    ["ct status != dnat", "ct status != dnat"],
    ["ct status snat,dnat", "ct status snat,dnat"],
    ["fib saddr . iif oif missing", "fib saddr . iif oif missing"],
    ["limit rate over 10/second", "limit rate over 10/second"],
    ["limit rate 10 kbytes/second", "limit rate 10 kbytes/second"],
    ["quota over 10 mbytes", "quota over 10 mbytes"],
    ["add @s { ip saddr limit rate 1/second }", "add @s { ip saddr limit rate 1/second }"],
    ['xt match "u32"', 'xt match "u32"'],
    ["fib daddr type unicast", "fib daddr type unicast"],
    ["ct count over 2", "ct count over 2"],
    ["iif 3", "iif 3"],
    ["@th,96,8 80", "@th,96,8 80"],
  ])("%s", (words, text) => {
    const reading = nft([`${words} accept`]);
    const head = words.startsWith("@");
    expect(reading.findings).toEqual([]);
    expect(reading.unknowns.map((one) => one.text)).toEqual([head ? `${text} accept` : text]);
    // What does not begin like a test might be anything.
    expect(chainOf(reading, "input").map(show)).toEqual([
      head ? [{ kind: "unknown", text: `${text} accept`, continues: false }] : [unknown(text), accept],
    ]);
  });
});

describe("scripts", () => {
  const read = (...lines: string[]) => readNft({ name: "ruleset.nft", text: `${lines.join("\n")}\n` });

  test("what our own scripts begin with", () => {
    const reading = read(
      "#!/usr/sbin/nft -f",
      "table inet ctc",
      "delete table inet ctc",
      "flush ruleset",
      "table inet ctc {",
      "\tchain input { # handle 1",
      "\t\ttype filter hook input priority filter - 5; policy drop;",
      "\t\taccept # handle 2",
      "\t}",
      "}",
    );
    expect([reading.findings, reading.unknowns]).toEqual([[], []]);
    expect(reading.ruleset.chains.map(({ table, name, base }) => ({ table, name, base }))).toEqual([
      { table: "filter", name: "input", base: { hook: "input", policy: "drop", priority: -5 } },
    ]);
  });

  test("a table that is deleted is gone, one that is flushed has no rules", () => {
    const table = ["table inet t {", "chain c { type filter hook input priority 0; accept; }", "}"];
    expect(read(...table, "delete table inet t").ruleset.chains).toEqual([]);
    expect(chainOf(read(...table, "flush table inet t"), "c")).toEqual([]);
    expect(chainOf(read(...table, "flush chain inet t c", "add rule inet t c drop"), "c").map(show)).toEqual([
      [drop],
    ]);
  });

  test("chains of one hook stand in the order of their priorities", () => {
    const chain = (name: string, hook: string, priority: string) =>
      `chain ${name} { type filter hook ${hook} priority ${priority}; }`;
    const reading = read(
      "table inet a {",
      chain("late", "input", "security"),
      chain("early", "input", "-1"),
      chain("output", "output", "0"),
      "}",
      "table inet b {",
      chain("early", "input", "filter - 2"),
      chain("before", "prerouting", "raw"),
      "}",
    );
    expect(reading.ruleset.chains.map(({ name }) => name)).toEqual([
      "before",
      "inet b/early",
      "early",
      "late",
      "output",
    ]);
  });

  test("a table of one family lets the other pass", () => {
    const reading = read("table ip t {", "chain c { type filter hook input priority 0; policy drop; }", "}");
    expect(chainOf(reading, "c").map(show)).toEqual([[six, accept]]);
  });

  test("a chain that chains of several kinds lead to stands once for each", () => {
    const reading = read(
      "table inet t {",
      "chain shared { notrack; }",
      "chain pre { type filter hook prerouting priority raw; jump shared; }",
      "chain in { type filter hook input priority 0; jump shared; }",
      "}",
    );
    const shared = reading.ruleset.chains.filter(({ name }) => name === "shared");
    expect(shared.map(({ table, rules }) => [table, rules[0]?.statement.kind])).toEqual([
      ["raw", "mark-untracked"],
      ["filter", "continue"],
    ]);
  });

  test("variables stand for values, sets and each other", () => {
    const reading = read(
      "define wan = eth0",
      "define one = 10.0.0.1",
      "define all = { $one, 10.0.0.3 }",
      "define priority = -5",
      "table inet t {",
      "chain c { type filter hook input priority $priority;",
      "iifname $wan ip saddr { $all, 10.0.0.5 } accept",
      "}",
      "}",
    );
    expect([reading.findings, reading.unknowns]).toEqual([[], []]);
    expect(chainOf(reading, "c").map(show)).toEqual([
      [devices("in", "eth0"), source(ip(10, 0, 0, 1), ip(10, 0, 0, 3), ip(10, 0, 0, 5)), accept],
    ]);
  });

  test("variables that stand for far too much are refused", () => {
    const lines = ["define v0 = { 1, 2 }"];
    for (let n = 1; n < 40; n++) lines.push(`define v${n} = { $v${n - 1}, $v${n - 1} }`);
    expect(read(...lines).findings.map(({ message }) => message)).toEqual([
      "the variables of this script stand for too much",
    ]);
  });

  test.each([
    ["table bridge b {\nchain c { type filter hook forward priority 0; drop; }\n}", "table bridge b"],
    [
      "table netdev n {\nchain c { type filter hook ingress device eth0 priority 0; drop; }\n}",
      "table netdev n",
    ],
    ['include "other.nft"', 'include "other.nft"'],
  ])("%s may do anything, before all else", (text, name) => {
    const reading = read(text);
    expect(reading.findings).toEqual([]);
    expect(reading.unknowns.map((one) => one.text)).toEqual([name]);
    expect(reading.ruleset.chains.map(({ base, rules }) => [base?.hook, rules[0]?.statement.kind])).toEqual([
      ["prerouting", "unknown"],
      ["output", "unknown"],
    ]);
  });

  test("a table of arp is named, but sees no packets of IP", () => {
    const reading = read("table arp a {", "chain c { type filter hook input priority 0; drop; }", "}");
    expect(reading.unknowns.map(({ text }) => text)).toEqual(["table arp a"]);
    expect(reading.ruleset.chains).toEqual([]);
  });

  test("what nft lists of iptables' tables is not believed", () => {
    const reading = read(
      "table ip filter {",
      "chain INPUT { type filter hook input priority filter; policy drop;",
      // It was `! --ctstate NEW,DNAT`, which nft 1.0.6 prints so.
      "ct status dnat counter packets 0 bytes 0 drop",
      "}",
      "}",
    );
    expect(reading.unknowns.map(({ kind }) => kind)).toEqual(["table"]);
    expect(reading.findings.map(({ level, help }) => [level, help])).toEqual([
      ["warning", "read the output of `iptables-nft-save` or `ip6tables-nft-save` instead"],
    ]);
    expect(reading.ruleset.chains.map(({ rules }) => rules.map(({ statement }) => statement.kind))).toEqual([
      ["unknown"],
      ["unknown"],
    ]);
    const warned = read(
      "# Warning: table ip mine is managed by iptables-nft, do not touch!",
      "table ip mine {",
      "}",
    );
    expect(warned.unknowns.map(({ text }) => text)).toEqual(["table ip mine"]);
  });

  test("a dormant table does nothing, and it is said", () => {
    const reading = read(
      "table inet t {",
      "flags dormant",
      "chain c { type filter hook input priority 0; drop; }",
      "}",
    );
    expect(reading.ruleset.chains).toEqual([]);
    expect(reading.findings.map(({ level }) => level)).toEqual(["warning"]);
  });

  test("a rule that goes where only a running kernel knows makes its chain unknown", () => {
    const table = ["table inet t {", "chain c { type filter hook input priority 0; accept; }", "}"];
    for (const command of ["add rule inet t c handle 3 drop", "delete rule inet t c handle 3"]) {
      const reading = read(...table, command);
      expect(chainOf(reading, "c").map(({ statement }) => statement.kind)).toEqual(["unknown", "accept"]);
      expect(reading.unknowns.map(({ text }) => text)).toEqual([command]);
    }
  });
});

describe("refusals underline what nft would refuse", () => {
  test.each([
    ["jump nowhere", "jump nowhere"],
    ["goto input", "goto input"],
    ['accept comment "open', '"open'],
    ["masquerade", "masquerade"],
    ["jump", "jump"],
  ])("%s", (words, underlined) => {
    expect(nft([words]).findings.map(({ level, span }) => [level, textOf(span)])).toContainEqual([
      "error",
      underlined,
    ]);
  });

  test.each([
    ["table inet t {\nchain c {\naccept\n", "the closing brace is missing"],
    ["add rule inet t c accept", "there is no table `inet t`"],
    ["table inet t\nadd rule inet t c accept", "there is no chain `c` in table `inet t`"],
    ["gibberish", "no command of nft begins like this"],
    ["table inet t {\nchain c { type filter hook input priority soon; }\n}", "this is no priority"],
    ["table inet t {\nchain a { jump b; }\nchain b { jump a; }\n}", "chain `a` leads back to itself"],
  ])("%s", (text, message) => {
    const { findings } = readNft({ name: "ruleset.nft", text });
    expect(findings.map((finding) => finding.message)).toContain(message);
  });
});

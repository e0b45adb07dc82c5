import { describe, expect, test } from "vitest";
import type { Match } from "../../src/netfilter/ruleset.ts";
import { readIptables } from "../../src/read/iptables.ts";
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
import { chainOf, iptables, line, type Shown, show, unknown } from "./words.ts";

const opening: Match = { kind: "opening", negated: false };
const noOpening: Match = { kind: "opening", negated: true };
const dnatStatus: Match = { kind: "dnat-status" };
const tcp = protocols(6);
const net = addresses("source", 4, [ip(10, 0, 0, 0), ip(10, 255, 255, 255)]);

describe("tests", () => {
  const cases: readonly (readonly [words: string, ...matches: Match[]])[] = [
    [""],
    ["-s 0.0.0.0/0"],
    ["-s 10.0.0.0/8", net],
    ["--source 10.0.0.0/255.0.0.0", net],
    ["--src 10.1.2.3/8", net],
    ["! -s 10.0.0.0/8", not(net)],
    ["-s ! 10.0.0.0/8", not(net)],
    ["-s10.0.0.0/8", net],
    ["--source=10.0.0.0/8", net],
    ["-d 192.0.2.1/32", addresses("destination", 4, ip(192, 0, 2, 1))],
    ["-d 192.0.2.1,192.0.2.2", addresses("destination", 4, [ip(192, 0, 2, 1), ip(192, 0, 2, 2)])],
    [
      "-m iprange --src-range 10.0.0.1-10.0.0.9 ! --dst-range 10.0.0.7-10.0.0.8",
      addresses("source", 4, [ip(10, 0, 0, 1), ip(10, 0, 0, 9)]),
      not(addresses("destination", 4, [ip(10, 0, 0, 7), ip(10, 0, 0, 8)])),
    ],
    ["-i eth0", devices("in", "eth0")],
    ["! -o eth+", not(devices("out", "eth*"))],
    ["-i +"],
    ["-p tcp", tcp],
    ["-p all"],
    ["-p 0"],
    ["! -p udp", not(protocols(17))],
    ["-p gre", protocols(47)],
    ["--protocol 200", protocols(200)],
    ["-p tcp -m tcp --dport 80", tcp, ports("destination", 80)],
    ["-p tcp --dport ssh", tcp, ports("destination", 22)],
    [
      "-p udp -m udp --sport :1023 ! --dport 80:",
      protocols(17),
      ports("source", [0, 1023]),
      not(ports("destination", [80, 65535])),
    ],
    ["-p udp --sport ! 53", protocols(17), not(ports("source", 53))],
    ["-p sctp -m multiport --dports 1:5,7,9", protocols(132), ports("destination", [1, 5], 7, 9)],
    ["-p tcp -m multiport ! --sports 80,81", tcp, not(ports("source", [80, 81]))],
    ["-p tcp -m multiport ! --ports 80", tcp, not(ports("source", 80)), not(ports("destination", 80))],
    ["-p tcp -m tcp --tcp-flags SYN,ACK SYN", tcp, opening],
    ["-p tcp -m tcp ! --tcp-flags ACK,SYN SYN", tcp, noOpening],
    ["-p tcp --tcp-flags NONE NONE", tcp],
    ["-p icmp -m icmp --icmp-type 8", protocols(1), icmp(4, 8)],
    ["-p icmp --icmp-type echo-request", protocols(1), icmp(4, 8)],
    ["-p icmp --icmp-type fragmentation-needed", protocols(1), icmp(4, [3, 4])],
    ["-p icmp --icmp-type 3/4", protocols(1), icmp(4, [3, 4])],
    ["-p icmp --icmp-type any", protocols(1), { kind: "family", family: 4 }],
    // The kernel takes type 255 for every type.
    ["-p icmp --icmp-type 255", protocols(1), { kind: "family", family: 4 }],
    ["-m addrtype --dst-type LOCAL,MULTICAST", types("destination", "local", "multicast")],
    ["-m addrtype ! --src-type LOCAL", not(types("source", "local"))],
    ["-m conntrack --ctstate NEW", states("new")],
    ["-m state --state RELATED,ESTABLISHED", states("established", "related")],
    ["-m conntrack ! --ctstate INVALID", states("established", "related", "new", "untracked")],
    ["-m conntrack --ctstate DNAT", dnatStatus],
    ["-m limit --limit 3/hour", limit(3, "hour", 5)],
    ["-m limit --limit 10/sec --limit-burst 20", limit(10, "second", 20)],
    ["-m limit --limit 7", limit(7, "second", 5)],
    ['-m u32 --u32 "0x6&0xff=0x0"', protocols(0)],
    ['-m u32 ! --u32 "6 & 0xFF = 1"', not(protocols(1))],
    ['-p icmp -m u32 --u32 "0x0>>0x16&0x3c@0x0>>0x18=0xff"', protocols(1), icmp(4, 255)],
    ['-p icmp -m u32 --u32 "0x0>>0x16&0x3c@0x0>>0x10=0xff03"', protocols(1), icmp(4, [255, 3])],
  ];
  test.each(cases)("%s", (words, ...matches) => {
    expect(line(`${words} -j ACCEPT`)).toEqual([[...matches, accept]]);
  });

  test("IPv6 has its own addresses and ICMP", () => {
    expect(line("-s 2001:db8::/32 -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j ACCEPT", 6)).toEqual([
      [
        addresses("source", 6, [0x20010db8n << 96n, (0x20010db9n << 96n) - 1n]),
        protocols(58),
        icmp(6, 128),
        accept,
      ],
    ]);
    expect(line("-p icmpv6 --icmpv6-type port-unreachable -j ACCEPT", 6)).toEqual([
      [protocols(58), icmp(6, [1, 4]), accept],
    ]);
    expect(line("-d 2001:db8::1 -j DROP", 6)).toEqual([[addresses("destination", 6, ip6(1)), drop]]);
  });

  test("what an ICMP type leaves out is everything else of ICMP", () => {
    const [[, match] = []] = line("-p icmp ! --icmp-type 3/4 -j DROP");
    const all = match?.kind === "icmp" ? match.types : [];
    expect(all).toHaveLength(255 + 255);
    expect(all.filter(({ type }) => type === 3)).not.toContainEqual({ type: 3, code: 4 });
    expect(all).toContainEqual({ type: 3, code: 5 });
    expect(all).toContainEqual({ type: 8, code: null });
  });

  test("either port is two rules that exclude each other", () => {
    expect(line("-p tcp -m multiport --ports 80 -j u")).toEqual([
      [tcp, ports("source", 80), { kind: "jump", chain: "u" }],
      [tcp, not(ports("source", 80)), ports("destination", 80), { kind: "jump", chain: "u" }],
    ]);
  });

  test("a state beside the translation of the destination is two rules that exclude each other", () => {
    expect(line("-m conntrack --ctstate NEW,DNAT -j ACCEPT")).toEqual([
      [states("new"), accept],
      [states("invalid", "established", "related", "untracked"), dnatStatus, accept],
    ]);
  });

  test("--syn asks for more than an opening, and `! --syn` for less than its opposite", () => {
    expect(line("-p tcp --syn -j ACCEPT")).toEqual([
      [tcp, tcp, opening, unknown("--tcp-flags FIN,SYN,RST,ACK SYN"), accept].slice(1),
    ]);
    expect(line("-p tcp ! --syn -j ACCEPT")).toEqual([
      [tcp, opening, unknown("--tcp-flags FIN,SYN,RST,ACK SYN"), accept],
      [tcp, noOpening, accept],
    ]);
  });

  test("a test that no packet passes leaves no rule", () => {
    expect(line("! -i + -j ACCEPT")).toEqual([]);
    expect(line("! -s 0.0.0.0/0 -j ACCEPT")).toEqual([]);
  });
});

describe("targets", () => {
  const cases: readonly (readonly [words: string, statement: Shown[number]])[] = [
    ["", { kind: "continue" }],
    ["-j ACCEPT", accept],
    ["-j DROP", drop],
    ["-j RETURN", { kind: "return" }],
    ["-j u", { kind: "jump", chain: "u" }],
    ["-g u", { kind: "goto", chain: "u" }],
    ["--goto u", { kind: "goto", chain: "u" }],
    ["-j REJECT", { kind: "reject", with: "port-unreachable" }],
    ["-j REJECT --reject-with icmp-port-unreachable", { kind: "reject", with: "port-unreachable" }],
    ["-p tcp -j REJECT --reject-with tcp-reset", { kind: "reject", with: "tcp-reset" }],
    [
      "-j REJECT --reject-with icmp-host-prohibited",
      { kind: "reject", with: "other", text: "REJECT --reject-with icmp-host-prohibited" },
    ],
    ["-j MARK --set-mark 1", { kind: "unknown", text: "MARK --set-mark 1", continues: true }],
    ["-j NFQUEUE --queue-num 3", { kind: "unknown", text: "NFQUEUE --queue-num 3", continues: false }],
    ["-j FANCY", { kind: "unknown", text: "FANCY", continues: false }],
  ];
  test.each(cases)("%s", (words, statement) => {
    expect(line(words).map((shown) => shown.at(-1))).toEqual([statement]);
  });

  test("what logs walks on", () => {
    const reading = iptables("filter", [
      '-A INPUT -j LOG --log-prefix "a \\"b\\" " --log-level 4',
      "-A INPUT -j NFLOG --nflog-prefix c --nflog-group 3",
      "-A INPUT -j LOG",
    ]);
    expect(chainOf(reading, "INPUT").map(({ log, statement }) => [log?.prefix, statement.kind])).toEqual([
      ['a "b" ', "continue"],
      ["c", "continue"],
      ["", "continue"],
    ]);
  });

  test("both words for not tracking are one, and neither decides", () => {
    const reading = iptables("raw", ["-A PREROUTING -p udp -j NOTRACK", "-A PREROUTING -j CT --notrack"]);
    expect(chainOf(reading, "PREROUTING").map(show)).toEqual([
      [protocols(17), { kind: "mark-untracked" }],
      [{ kind: "mark-untracked" }],
    ]);
  });

  const nat: readonly (readonly [words: string, statement: Shown[number]])[] = [
    ["MASQUERADE", { kind: "masquerade", ports: null, random: false }],
    ["MASQUERADE --random-fully", { kind: "masquerade", ports: null, random: true }],
    [
      "MASQUERADE --to-ports 1024-29999",
      { kind: "masquerade", ports: { first: 1024, last: 29999 }, random: false },
    ],
    ["MASQUERADE --random", { kind: "unknown", text: "MASQUERADE --random", continues: false }],
    [
      "SNAT --to-source 192.0.2.1-192.0.2.4:80-90 --random-fully",
      {
        kind: "snat",
        family: 4,
        addresses: { first: ip(192, 0, 2, 1), last: ip(192, 0, 2, 4) },
        ports: { first: 80, last: 90 },
        random: true,
      },
    ],
    [
      "SNAT --to-source 192.0.2.1 --persistent",
      { kind: "unknown", text: "SNAT --to-source 192.0.2.1 --persistent", continues: false },
    ],
    [
      "DNAT --to-destination 192.0.2.1:8080",
      {
        kind: "dnat",
        family: 4,
        addresses: { first: ip(192, 0, 2, 1), last: ip(192, 0, 2, 1) },
        ports: { first: 8080, last: 8080 },
      },
    ],
    [
      "DNAT --to-destination :8080",
      { kind: "unknown", text: "DNAT --to-destination :8080", continues: false },
    ],
    ["REDIRECT --to-ports 8080", { kind: "redirect", ports: { first: 8080, last: 8080 } }],
    ["REDIRECT", { kind: "unknown", text: "REDIRECT", continues: false }],
  ];
  test.each(nat)("%s", (words, statement) => {
    const reading = iptables("nat", [`-A PREROUTING -p tcp -j ${words}`]);
    expect(reading.findings).toEqual([]);
    expect(chainOf(reading, "PREROUTING").map((rule) => rule.statement)).toEqual([statement]);
  });

  test("IPv6 addresses stand in one pair of brackets where ports follow", () => {
    const read = (to: string) => iptables("nat", [`-A PREROUTING -p tcp -j DNAT --to-destination ${to}`], 6);
    const target = (first: number, last: number, ports: unknown) => ({
      kind: "dnat",
      family: 6,
      addresses: { first: ip6(first), last: ip6(last) },
      ports,
    });
    const statement = (to: string) => chainOf(read(to), "PREROUTING")[0]?.statement;
    expect(statement("2001:db8::1")).toEqual(target(1, 1, null));
    expect(statement("2001:db8::1-2001:db8::9")).toEqual(target(1, 9, null));
    expect(statement("[2001:db8::1]:80")).toEqual(target(1, 1, { first: 80, last: 80 }));
    expect(statement("[2001:db8::1-2001:db8::9]:80-81")).toEqual(target(1, 9, { first: 80, last: 81 }));
    // Which ip6tables refuses to load.
    expect(read("[2001:db8::1]-[2001:db8::9]:80").findings).toHaveLength(1);
  });
});

describe("words", () => {
  const comment = (words: string) => {
    const reading = iptables("filter", [`-A INPUT -m comment --comment ${words} -j ACCEPT`]);
    expect(reading.findings).toEqual([]);
    expect(chainOf(reading, "INPUT").map(show)).toEqual([[accept]]);
    return chainOf(reading, "INPUT")[0]!.origin;
  };
  test.each([
    ["plain", "plain"],
    ['"two words"', "two words"],
    ['"a \\" quote and a \\\\ backslash"', 'a " quote and a \\ backslash'],
    ["back\\slash", "back\\slash"],
    ["'single", "'single"],
    ['mid"dle quote"', "middle quote"],
    ['"-j DROP"', "-j DROP"],
    ['"# no comment"', "# no comment"],
    ['""', ""],
    ['"!"', "!"],
    ['"[1:2]"', "[1:2]"],
  ])("%s", (words, text) => {
    expect(comment(words)).toBe(text);
  });

  test("a closing quote ends the word", () => {
    const reading = iptables("filter", ['-A INPUT -m comment --comment "a"b -j ACCEPT']);
    expect(reading.findings.map(({ span }) => textOf(span))).toEqual(["b"]);
  });

  test("counters stand before a rule, behind it, or among its words", () => {
    const reading = iptables("filter", [
      "[12:345] -A INPUT -j ACCEPT",
      "-A INPUT -j ACCEPT [12:345]",
      "-A INPUT -c 12 345 -j ACCEPT",
    ]);
    expect(reading.findings).toEqual([]);
    expect(chainOf(reading, "INPUT").map(show)).toEqual([[accept], [accept], [accept]]);
  });

  test("the span of a rule is its line", () => {
    const reading = iptables("filter", ["-A INPUT -j ACCEPT  "]);
    expect(chainOf(reading, "INPUT").map(({ span }) => span && textOf(span))).toEqual(["-A INPUT -j ACCEPT"]);
  });
});

describe("unknown tests", () => {
  test.each([
    ["-m mark ! --mark 0x1/0xff", "-m mark ! --mark 0x1/0xff"],
    ["-m owner --uid-owner 0 --gid-owner 1", "-m owner --uid-owner 0 --gid-owner 1"],
    ["! -f", "! -f"],
    ["-m conntrack --ctdir ORIGINAL", "--ctdir ORIGINAL"],
    ["-m conntrack --ctstate SNAT", "--ctstate SNAT"],
    ["-m addrtype --src-type UNICAST", "--src-type UNICAST"],
    ["-m set --match-set blocked src", "--match-set blocked src"],
    ["-s host.example", "-s host.example"],
    // The protocol of an IPsec policy is not the packet's.
    ["-m policy --dir in --proto esp", "-m policy --dir in --proto esp"],
    ['-m u32 --u32 "0>>22&0x3C@12>>26&0x3C@0=0x1"', '--u32 "0>>22&0x3C@12>>26&0x3C@0=0x1"'],
  ])("%s", (words, text) => {
    const reading = iptables("filter", [`-A INPUT ${words} -i eth0 -j ACCEPT`]);
    expect(reading.findings).toEqual([]);
    expect(reading.unknowns.map((one) => [one.kind, one.text, textOf(one.span)])).toEqual([
      ["test", text, text],
    ]);
    const [rule] = chainOf(reading, "INPUT");
    expect(rule?.matches.map(({ kind }) => kind)).toEqual(["unknown", "interface"]);
    expect(rule?.statement).toEqual(accept);
  });
});

describe("tables and chains", () => {
  test("every chain of a table is there, by hook and priority, with its policy", () => {
    const text = [
      "# a comment",
      "*filter",
      ":INPUT DROP [1:2]",
      ":mine - [0:0]",
      "COMMIT",
      "*mangle",
      ":PREROUTING ACCEPT [0:0]",
      ":mine - [0:0]",
      "-A PREROUTING -j mine",
      "COMMIT",
      "*raw",
      "COMMIT",
    ].join("\n");
    const { ruleset, findings, unknowns } = readIptables({ name: "rules", text }, 4);
    expect([findings, unknowns]).toEqual([[], []]);
    expect(
      ruleset.chains.map(({ table, name, base }) =>
        [table, name, base?.hook, base?.priority, base?.policy]
          .filter((part) => part !== undefined)
          .join(" "),
      ),
    ).toEqual([
      "raw PREROUTING prerouting -300 accept",
      "filter mangle/PREROUTING prerouting -150 accept",
      "filter mangle/INPUT input -150 accept",
      "filter INPUT input 0 drop",
      "filter mangle/FORWARD forward -150 accept",
      "filter FORWARD forward 0 accept",
      "raw OUTPUT output -300 accept",
      "filter mangle/OUTPUT output -150 accept",
      "filter OUTPUT output 0 accept",
      "filter mangle/POSTROUTING postrouting -150 accept",
      "filter mine",
      "filter mangle/mine",
    ]);
    expect(chainOf({ ruleset, findings, unknowns }, "mangle/PREROUTING").map(show)).toEqual([
      [{ kind: "jump", chain: "mangle/mine" }],
    ]);
  });

  test("other commands than -A do what they say", () => {
    const reading = iptables("filter", [
      "-A INPUT -i a -j DROP",
      "-N new",
      "-A INPUT -i b -j new",
      "-P INPUT DROP",
      "-I INPUT -i c -j DROP",
      "-I INPUT 2 -i d -j DROP",
      "-I INPUT 5 -i e -j DROP",
      "-A OUTPUT -j DROP",
      "-F OUTPUT",
      "-Z INPUT",
    ]);
    expect(reading.findings).toEqual([]);
    const order = chainOf(reading, "INPUT").map(({ matches: [match] }) =>
      match?.kind === "interface" ? match.devices[0] : "",
    );
    expect(order).toEqual(["c", "d", "a", "b", "e"]);
    expect(reading.ruleset.chains.find(({ name }) => name === "INPUT")?.base?.policy).toBe("drop");
    expect(chainOf(reading, "OUTPUT")).toEqual([]);
  });

  test("a command that takes rules away makes the chain unknown", () => {
    const reading = iptables("filter", ["-A INPUT -j ACCEPT", "-D INPUT 1"]);
    expect(chainOf(reading, "INPUT").map((rule) => rule.statement.kind)).toEqual(["unknown", "accept"]);
    expect(reading.unknowns.map(({ text }) => text)).toEqual(["-D INPUT 1"]);
  });

  test("a table that is not known may do anything, before all else", () => {
    const text = "*broute\n:BROUTING ACCEPT\n-A BROUTING -j DROP\nCOMMIT\n";
    const { ruleset, unknowns, findings } = readIptables({ name: "rules", text }, 4);
    expect(findings).toEqual([]);
    expect(unknowns.map(({ kind, text: words }) => [kind, words])).toEqual([["table", "*broute"]]);
    expect(ruleset.chains.map(({ base, rules }) => [base?.hook, rules[0]?.statement.kind])).toEqual([
      ["prerouting", "unknown"],
      ["output", "unknown"],
    ]);
  });

  test("a table that is restored twice has the rules of the second time", () => {
    const text = "*filter\n:INPUT DROP\n-A INPUT -j ACCEPT\nCOMMIT\n*filter\n-A INPUT -j DROP\nCOMMIT\n";
    const reading = readIptables({ name: "rules", text }, 4);
    expect(chainOf(reading, "INPUT").map(show)).toEqual([[drop]]);
    expect(reading.ruleset.chains[0]?.base?.policy).toBe("drop");
  });
});

describe("refusals underline what the tool would refuse", () => {
  test.each([
    ["-A INPUT -p tcp --dport 99999 -j ACCEPT", "--dport 99999"],
    ["-A INPUT --dport 80 -j ACCEPT", "--dport 80"],
    ["-A INPUT ! -p tcp --dport 80 -j ACCEPT", "--dport 80"],
    ["-A INPUT -s 300.0.0.1 -j ACCEPT", null],
    ["-A INPUT -s 2001:db8::1 -j ACCEPT", "-s 2001:db8::1"],
    ["-A INPUT -p nonsense -j ACCEPT", "-p nonsense"],
    ["-A INPUT --jum ACCEPT", "--jum"],
    ["-A INPUT -j ACCEPT -j DROP", "-j DROP"],
    ["-A INPUT -g nowhere", "-A INPUT -g nowhere"],
    ["-A nowhere -j ACCEPT", "-A nowhere -j ACCEPT"],
    ["-A INPUT -j CT --notrack", "-A INPUT -j CT --notrack"],
    ["-A INPUT -j", "-j"],
    ["-A INPUT -p udp --syn -j ACCEPT", "--syn"],
    ["-A INPUT -p tcp --icmp-type 8 -j ACCEPT", "--icmp-type 8"],
    [":INPUT MAYBE", ":INPUT MAYBE"],
    ["frobnicate", "frobnicate"],
  ])("%s", (text, underlined) => {
    const { findings, unknowns } = iptables("filter", [text]);
    if (underlined === null) {
      // It might be the name of a host.
      expect(unknowns).toHaveLength(1);
      return;
    }
    expect(findings.map(({ span, level }) => [level, textOf(span)])).toEqual([["error", underlined]]);
  });

  test("a table without COMMIT is never loaded", () => {
    const { findings } = readIptables({ name: "rules", text: "*filter\n:INPUT DROP\n" }, 4);
    expect(findings.map(({ span }) => textOf(span))).toEqual(["*filter"]);
  });

  test("a chain that leads back to itself", () => {
    const { findings } = iptables("filter", [":v - [0:0]", "-A u -j v", "-A v -j u"]);
    expect(findings.map(({ message }) => message)).toEqual(["chain `u` leads back to itself"]);
  });
});

describe("sets", () => {
  const sets = [
    "create nets hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1",
    "add nets 10.0.0.0/8",
    "add nets 10.1.0.0/16 nomatch",
    "add nets 10.1.2.0/24",
    "create pairs hash:ip,port family inet",
    "add pairs 192.0.2.1,tcp:80",
    "add pairs 192.0.2.2,udp:53",
    "create timed hash:ip family inet timeout 60",
    "add timed 192.0.2.1 timeout 5",
    "create six hash:ip family inet6",
    "add six 2001:db8::1",
    "",
  ].join("\n");

  test("of addresses, the narrowest element deciding", () => {
    expect(line("-m set ! --match-set nets src -j DROP", 4, sets)).toEqual([
      [
        {
          kind: "address",
          side: "source",
          family: 4,
          name: "nets",
          negated: true,
          ranges: [
            { first: ip(10, 0, 0, 0), last: ip(10, 0, 255, 255) },
            { first: ip(10, 1, 2, 0), last: ip(10, 1, 2, 255) },
            { first: ip(10, 2, 0, 0), last: ip(10, 255, 255, 255) },
          ],
        },
        drop,
      ],
    ]);
  });

  test("of pairs, a rule for each", () => {
    expect(line("-m set --match-set pairs dst,dst -j ACCEPT", 4, sets)).toEqual([
      [addresses("destination", 4, ip(192, 0, 2, 1)), tcp, ports("destination", 80), accept],
      [addresses("destination", 4, ip(192, 0, 2, 2)), protocols(17), ports("destination", 53), accept],
    ]);
  });

  test("of prefixes with ports, a rule for each port, ports of equal addresses together", () => {
    const held = [
      "create held hash:net,port family inet",
      "add held 10.0.0.0/28,tcp:80",
      "add held 10.0.0.0/24,tcp:80",
      "add held 10.0.0.0/24,tcp:90-92",
      "add held 10.0.0.0/28,tcp:91 nomatch",
      "add held 10.0.1.0/24,udp:53",
    ].join("\n");
    const whole: [bigint, bigint] = [ip(10, 0, 0, 0), ip(10, 0, 0, 255)];
    expect(line("-m set --match-set held src,dst -j ACCEPT", 4, held)).toEqual([
      [addresses("source", 4, whole), tcp, ports("destination", 80, 90, 92), accept],
      [addresses("source", 4, [ip(10, 0, 0, 16), whole[1]]), tcp, ports("destination", 91), accept],
      [
        addresses("source", 4, [ip(10, 0, 1, 0), ip(10, 0, 1, 255)]),
        protocols(17),
        ports("destination", 53),
        accept,
      ],
    ]);
  });

  test("of ports, for TCP and UDP, which are all that the kernel looks up there", () => {
    const many = "create many bitmap:port range 0-1023\nadd many 80\nadd many 90-92";
    const held = ports("destination", 80, [90, 92]);
    const said = (words: string) => line(`${words} -j ACCEPT`, 4, many);
    expect(said("-p udp -m set --match-set many dst")).toEqual([[protocols(17), held, accept]]);
    expect(said("-p udp -m set ! --match-set many dst")).toEqual([[protocols(17), not(held), accept]]);
    expect(said("-m set --match-set many dst")).toEqual([
      [tcp, held, accept],
      [protocols(17), held, accept],
    ]);
    expect(said("-p sctp -m set --match-set many dst")).toEqual([]);
    expect(said("-p sctp -m set ! --match-set many dst")).toEqual([[protocols(132), accept]]);
    expect(said("-m set ! --match-set many dst")).toEqual([[unknown("many"), accept]]);
  });

  test.each([
    [
      "a port that a bitmap has no room for",
      "create many bitmap:port range 0-1023\nadd many 1024",
      "`1024` is no",
    ],
    ["a set that is there already", "create a hash:net\ncreate a hash:net", "there is a set `a` already"],
  ])("%s is refused", (_, ipsets, words) => {
    expect(iptables("filter", [], 4, ipsets).findings.map(({ message }) => message)).toEqual([
      expect.stringContaining(words),
    ]);
  });

  test("that is created again with -exist keeps what it has", () => {
    const twice =
      "create a hash:net -exist\nadd a 10.0.0.1 -exist\ncreate a hash:net -exist\nadd a 10.0.0.3 -exist";
    expect(line("-m set --match-set a src -j DROP", 4, twice)).toEqual([
      [{ ...addresses("source", 4, ip(10, 0, 0, 1), ip(10, 0, 0, 3)), name: "a" }, drop],
    ]);
  });

  test("whose elements come and go are unknown, those of the other family hold nothing", () => {
    expect(line("-m set --match-set timed src -j DROP", 4, sets)).toEqual([[unknown("timed"), drop]]);
    expect(line("-m set --match-set six src -j DROP", 4, sets)).toEqual([]);
    expect(line("-m set ! --match-set six src -j DROP", 4, sets)).toEqual([[drop]]);
  });
});

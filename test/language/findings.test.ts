import { describe, expect, test } from "vitest";
import { textOf } from "../../src/source/source.ts";
import {
  expectedOf,
  expectFinding,
  expectNatFinding,
  inWords,
  natWith,
  policyWith,
  read,
} from "./support.ts";

describe("misspelt keywords", () => {
  test.each([
    ["alow tcp from any to self", "alow", "allow"],
    ["allow tcp form any to self", "form", "from"],
    ["allow form any to self", "form", "from"],
    ["allow tcp from web too self", "too", "to"],
    ["allow tcp from any to self prot 22", "prot", "port"],
    ["allow tcp from any to self lmit 10/minute", "lmit", "limit"],
    ["allow tcp from any to self limit 10/minute brust 5", "brust", "burst"],
    ["allow tcp from any to self replys", "replys", "replies"],
    ["allow tcp FROM any to self", "FROM", "from"],
    ["Allow tcp from any to self", "Allow", "allow"],
  ])("%s", (rule, wrong, right) => {
    expectFinding(rule, "sentence-syntax")
      .underlines(wrong)
      .helps(`did you mean \`${right}\`?`)
      .fixes(rule.replace(wrong, right));
  });
});

test.each([
  ["self:22", "self port 22"],
  ["any:8000-8100", "any port 8000-8100"],
  ["web-1:80", "web-1 port 80"],
])("a port behind a colon: %s", (wrong, right) => {
  expectFinding(`allow tcp from any to ${wrong}`, "bad-address")
    .underlines(wrong)
    .says("joins an address and a port")
    .fixes(`allow tcp from any to ${right}`);
});

describe("a misspelt keyword hides nothing", () => {
  /** What is underlined in a file, from its top to its bottom. */
  const underlined = (text: string): readonly string[] => read(text).findings.map(({ span }) => textOf(span));

  test.each([
    ["alow tcp from 10.0.0.256 to self port 99999", ["alow", "10.0.0.256", "99999"]],
    [
      "alow tcp form any too self prot 22 lmit 10/minutes",
      ["alow", "form", "too", "prot", "lmit", "10/minutes"],
    ],
    ["accept tcp saddr any daddr self dport 22 in wlan0!", ["accept", "saddr", "daddr", "dport", "wlan0!"]],
    ["alow tcp from any to self from any", ["alow", "from"]],
    ["denny from any", ["denny", "denny from any"]],
    ["alow tcp from any to", ["alow", ""]],
    ["alow tcp from any to self (22)", ["alow", "(22)"]],
  ])("%s", (rule, words) => {
    expect(underlined(policyWith(rule))).toEqual(words);
  });

  test("in NAT either", () => {
    expect(underlined(natWith("masqerade form 10.1 out wan -> prots 1-2"))).toEqual([
      "masqerade",
      "form",
      "10.1",
      "prots",
    ]);
  });

  test("and its rule is read as it was meant", () => {
    const [rule] = read(policyWith("dney tcp form any to self prot 22")).document!.policies[0]!.rules;
    expect(inWords(rule)).toMatchObject({
      action: "deny",
      actionSpan: "dney",
      to: { ports: { ports: [{ first: 22 }], span: "prot 22" } },
    });
  });

  test("but nobody guesses on and on", () => {
    const rule = `alow from any${" ,any form any".repeat(20)}`;
    expect(underlined(policyWith(rule)).length).toBeLessThan(10);
  });
});

test("a word that would not help if it were a keyword is left alone", () => {
  expectFinding("allow form , to self", "sentence-syntax").underlines(",");
});

test("a # that no blank precedes is no comment", () => {
  expectFinding("allow from web,#x to self", "bad-address").underlines("#x");
});

describe("words of other tools", () => {
  test.each([
    ["accept tcp from any to self", "accept", "allow"],
    ["drop tcp from any to self", "drop", "deny"],
    ["block from any to self", "block", "deny"],
    ["allow tcp saddr any to self", "saddr", "from"],
    ["allow tcp from any to self dport 22", "dport", "port"],
    ["allow tcp from any to self iif eth0", "iif", "in"],
    ["allow from ! 10.0.0.0/8 to self", "!", "not"],
  ])("%s", (rule, wrong, right) => {
    expectFinding(rule, "sentence-syntax").underlines(wrong).helps(`did you mean \`${right}\`?`);
  });
});

describe("what may come next", () => {
  test("after an action", () => {
    expectFinding("allow 10.0.0.0/8", "sentence-syntax")
      .underlines("10.0.0.0/8")
      .labels(
        "expected `icmp`, a protocol, a number, a name, `from`, `to`, `in`, `out`, `limit`, `log`, `replies` or the end of the sentence",
      );
  });

  test("after from", () => {
    expectFinding("allow tcp from to self", "sentence-syntax")
      .underlines("to")
      .labels("expected `not`, `any`, `self` or an address");
  });

  test("no clause that is already there", () => {
    expectFinding("allow from any to self in wan 10.0.0.0/8", "sentence-syntax")
      .underlines("10.0.0.0/8")
      .labels("expected `,`, `out`, `limit`, `log`, `replies` or the end of the sentence");
  });

  test("after a comma", () => {
    expectFinding("allow from web, to self", "sentence-syntax")
      .underlines("to")
      .labels("expected `any`, `self` or an address");
    expectFinding("allow tcp from any to self port 80,", "sentence-syntax")
      .underlines("")
      .says("ends too soon")
      .labels("expected a port");
  });

  test("after limit and burst", () => {
    expectFinding("allow from any to self limit", "sentence-syntax")
      .underlines("")
      .labels("expected a rate like `10/minute`");
    expectFinding("allow from any to self limit 1/second burst many", "sentence-syntax")
      .underlines("many")
      .labels("expected a number");
  });

  test("nothing at all", () => {
    expectFinding('"', "sentence-syntax").underlines('"').says("no closing quote");
  });
});

describe("sentences in the wrong place or shape", () => {
  test("NAT among the rules", () => {
    expectFinding("masquerade out wan", "sentence-syntax").underlines("masquerade").helps("under `nat:`");
  });

  test("ports for port", () => {
    expectFinding("allow tcp from any to self ports 80, 443", "sentence-syntax")
      .underlines("ports")
      .helps("`port`");
  });

  test("a port behind the protocol", () => {
    expectFinding("allow tcp 22 from any to self", "sentence-syntax")
      .underlines("22")
      .helps("`to self port 22`");
    expectFinding("allow tcp 8000-8100 from any to self", "sentence-syntax").helps(
      "`to self port 8000-8100`",
    );
    expectFinding("allow tcp/22 from any to self", "sentence-syntax")
      .underlines("tcp/22")
      .helps("`to self port 22`");
    expectNatFinding("dnat udp 53 in wan -> 10.0.0.1", "sentence-syntax")
      .underlines("53")
      .helps("`to self port 53`");
    // A protocol without ports: the number is something else.
    expect(read(policyWith("allow esp 22 from any to self")).findings.map(({ help }) => help)).toEqual([
      undefined,
    ]);
  });

  test("masquerade to an address", () => {
    expectNatFinding("masquerade out wan -> 192.0.2.1", "sentence-syntax")
      .underlines("192.0.2.1")
      .helps("`snat`");
  });

  test("any port", () => {
    expectFinding("allow tcp from any to self port any", "sentence-syntax")
      .underlines("any")
      .helps("leave `port` out");
  });

  test("brackets around a list", () => {
    expectFinding("allow tcp from any to self port { 22, 80 }", "sentence-syntax")
      .underlines("{")
      .labels("expected `not` or a port")
      .helps("no brackets");
    expectFinding("allow tcp from any to self port [22]", "bad-port").underlines("[22]").helps("no brackets");
    expectFinding("allow tcp from (web) to self", "bad-address").underlines("(web)").helps("no brackets");
    expectFinding("allow tcp from any to self in {wan}", "bad-device")
      .underlines("{wan}")
      .helps("no brackets");
  });

  test("a negation in one word", () => {
    expectFinding("allow tcp from !web to self", "bad-address").underlines("!web").helps("`not`");
    expectFinding("allow tcp from any to self port !22", "bad-port").underlines("!22").helps("`not`");
    expectFinding("allow tcp from any to self in !wan", "bad-device").underlines("!wan").helps("`not`");
  });

  test("a rate with blanks", () => {
    expectFinding("allow from any to self limit 10 / minute", "sentence-syntax")
      .underlines("/")
      .helps("without blanks: `10/minute`");
  });

  test("a log prefix without quotes", () => {
    expectFinding("allow from any to self log ssh", "sentence-syntax").underlines("ssh").helps('`log "ssh"`');
  });

  test("an empty sentence", () => {
    expectedOf(read('version: 1\nnat:\n  - ""\n').findings[0]!).underlines("").says("is empty");
  });

  test("an unclosed text", () => {
    expectFinding('allow tcp from any to self log "ssh', "sentence-syntax")
      .underlines('"ssh')
      .says("no closing quote");
  });

  test("a range with blanks", () => {
    expectFinding("allow from 10.0.0.1 - 10.0.0.9 to self", "sentence-syntax")
      .underlines("-")
      .helps("without blanks");
  });

  test("typographic characters", () => {
    expectFinding("allow from any to self log “ssh”", "sentence-syntax")
      .underlines("“ssh”")
      .helps("plain ones");
    expectFinding("allow tcp from any to self port 80–90", "bad-port")
      .underlines("80–90")
      .fixes("port 80-90");
    expectFinding("allow tcp from\u00a0any to self", "sentence-syntax")
      .underlines("from\u00a0any")
      .helps("no-break space");
  });

  test("a clause twice", () => {
    expectFinding("allow from any to self from web", "duplicate-clause")
      .underlines("from")
      .says("`from` stands here twice")
      .relates("from");
    expectFinding("allow from any to self in wan in lan", "duplicate-clause").helps("a comma between them");
    expectFinding("allow from any to self log log", "duplicate-clause")
      .underlines("log")
      .helps("take one of them out");
  });

  test("an end that is missing", () => {
    expectFinding("allow tcp to any port 443", "missing-clause")
      .underlines("allow tcp to any port 443")
      .says("no `from`")
      .helps("`from self`")
      .fixes("allow tcp to any port 443 from any");
    expectFinding("allow tcp from any", "missing-clause").says("no `to`");
  });
});

describe("protocols", () => {
  test("numbers end at 255", () => {
    expectFinding("allow 256 from any to self", "bad-protocol").underlines("256").says("end at 255");
    expectFinding("allow 06 from any to self", "bad-protocol").underlines("06");
  });

  test("ports of protocols that have none", () => {
    expectFinding("allow icmp from any to self port 22", "port-without-protocol")
      .underlines("port 22")
      .says("`icmp` has no ports")
      .relates("icmp");
    expectFinding("allow 99 from any port 1 to self", "port-without-protocol").says(
      "`protocol 99` has no ports",
    );
  });

  test("ports of no protocol", () => {
    expectFinding("allow from any to self port ssh", "port-without-protocol")
      .underlines("port ssh")
      .helps("`tcp`");
  });
});

describe("ICMP types", () => {
  test("a misspelt one", () => {
    expectFinding("allow icmp echo-reqest from any to self", "bad-icmp-type")
      .underlines("echo-reqest")
      .helps("did you mean `echo-request`?")
      .fixes("allow icmp echo-request from any to self");
    expectFinding("allow icmp echo from any to self", "bad-icmp-type").helps("did you mean `echo-request`?");
  });

  test("a number means two things", () => {
    expectFinding("allow icmp 8 from any to self", "bad-icmp-type")
      .underlines("8")
      .helps("`icmp4 8` or `icmp6 8`");
  });

  test("a type that one family lacks", () => {
    expectFinding("allow icmp neighbour-solicitation from any to self", "bad-icmp-type")
      .underlines("neighbour-solicitation")
      .says("ICMP on IPv4 has no")
      .fixes("allow icmp6 neighbour-solicitation from any to self");
    expectFinding("allow icmp timestamp-request from any to self", "bad-icmp-type")
      .says("ICMPv6 has no")
      .helps("icmp4");
    expectFinding("allow icmp6 timestamp-request from any to self", "bad-icmp-type").fixes(
      "allow icmp4 timestamp-request",
    );
  });

  test("numbers out of range", () => {
    expectFinding("allow icmp4 256 from any to self", "bad-icmp-type").underlines("256").says("0 to 255");
    expectFinding("allow icmp4 3/256 from any to self", "bad-icmp-type").underlines("3/256");
  });
});

describe("addresses", () => {
  test.each([
    ["10.1.0.0/8", "host-bits", "10.0.0.0/8"],
    ["2001:db8::1/32", "host-bits", "2001:db8::/32"],
    ["010.0.0.1", "ambiguous-address", "10.0.0.1"],
    ["10.1/16", "ambiguous-address", "10.1.0.0/16"],
    ["192.0.2.10-20", "ambiguous-address", "192.0.2.10-192.0.2.20"],
    ["192.0.2.20-192.0.2.10", "bad-address", "192.0.2.10-192.0.2.20"],
    ["10.0.0.1:80", "bad-address", "10.0.0.1 port 80"],
    ["10.0.0.0/255.0.0.0", "bad-address", "10.0.0.0/8"],
    ["::ffff:192.0.2.1", "bad-address", "192.0.2.1"],
  ])("%s", (wrong, check, right) => {
    expectFinding(`allow tcp from ${wrong} to self`, check)
      .underlines(wrong)
      .helps(`write \`${right}\``)
      .fixes(`from ${right} to self`);
  });

  test.each([
    "10.1",
    "256.0.0.1",
    "example.com",
    "1.2.3.4.5",
    "2001:db8::g",
    "10.0.0.0/33",
    "10.0.0.1-2001:db8::1",
  ])("%s", (wrong) => {
    expectFinding(
      `allow from ${wrong} to self`,
      wrong === "10.1" ? "ambiguous-address" : "bad-address",
    ).underlines(wrong);
  });
});

describe("ports", () => {
  test.each([
    ["65536", "65536"],
    ["70000-80000", "70000-80000"],
    ["0x50", "0x50"],
    ["-80", "-80"],
    ["80-90-100", "80-90-100"],
  ])("%s", (wrong) => {
    expectFinding(`allow tcp from any to self port ${wrong}`, "bad-port").underlines(wrong);
  });

  test.each([
    ["90-80", "80-90"],
    ["80:90", "80-90"],
    ["080", "80"],
  ])("%s is to be %s", (wrong, right) => {
    expectFinding(`allow tcp from any to self port ${wrong}`, "bad-port")
      .underlines(wrong)
      .fixes(`port ${right}`);
  });
});

describe("devices", () => {
  test("of which there is no other", () => {
    expectFinding("allow from any to self in *", "bad-device").underlines("*").helps("leave the clause");
    expectFinding("allow from any to self in sixteen-letters0", "bad-device").says("at most 15");
    expectFinding("allow from any to self in a/b", "bad-device").underlines("a/b");
    expectFinding("allow from any to self in e*h0", "bad-device").underlines("e*h0");
    expectFinding("allow from any to self in ..", "bad-device").underlines("..");
  });

  test("written as for iptables", () => {
    expectFinding("allow from any to self in eth+", "bad-device").underlines("eth+").fixes("in eth*");
  });
});

describe("limits", () => {
  test.each([
    ["10", "10"],
    ["10/", "10/"],
    ["ten/minute", "ten/minute"],
  ])("%s is no rate", (wrong) => {
    expectFinding(`allow from any to self limit ${wrong}`, "bad-limit")
      .underlines(wrong)
      .helps("`10/minute`");
  });

  test.each([
    ["10/min", "10/minute"],
    ["10/s", "10/second"],
    ["10/hours", "10/hour"],
    ["10/dya", "10/day"],
  ])("%s is to be %s", (wrong, right) => {
    expectFinding(`allow from any to self limit ${wrong}`, "bad-limit")
      .underlines(wrong)
      .fixes(`limit ${right}`);
  });

  test("no packets at all", () => {
    expectFinding("allow from any to self limit 0/second", "bad-limit").underlines("0/second");
    expectFinding("allow from any to self limit 1/second burst 0", "bad-limit").underlines("0");
  });

  test("faster than iptables can count", () => {
    expectFinding("allow from any to self limit 10001/second", "bad-limit")
      .underlines("10001/second")
      .fixes("limit 10000/second");
    expectFinding("allow from any to self limit 600001/minute", "bad-limit").says("600000 packets a minute");
  });

  test("a burst that takes more than a day to fill again", () => {
    expectFinding("allow from any to self limit 1/day burst 2", "bad-limit")
      .underlines("2")
      .fixes("limit 1/day burst 1");
    expectFinding("allow from any to self limit 1/hour burst 25", "bad-limit")
      .underlines("25")
      .fixes("burst 24");
  });

  test("a burst that the iptables command does not take", () => {
    expectFinding("allow from any to self limit 100/second burst 10001", "bad-limit")
      .underlines("10001")
      .says("10000");
  });
});

describe("log prefixes", () => {
  test.each(["$", "`", "\\", "é"])("cannot hold %s", (character) => {
    expectFinding(`deny from any to self log "a${character}b"`, "bad-log-prefix").underlines(
      `"a${character}b"`,
    );
  });

  test("are told about in visible characters", () => {
    const { findings } = read(
      `version: 1\npolicies: [{name: x, rules: ["deny from any to self log \\"a\\eb\\""]}]\n`,
    );
    expectedOf(findings[0]!).says("`U+001B`");
  });

  test("are no longer than the kernel keeps", () => {
    expectFinding(`deny from any to self log "${"x".repeat(29)}"`, "bad-log-prefix")
      .says("29 characters")
      .fixes(`log "${"x".repeat(28)}"`);
  });
});

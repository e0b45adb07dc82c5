import { describe, expect, test } from "vitest";
import { declareNames } from "../../src/policy/names.ts";
import { collectFindings } from "../../src/source/finding.ts";
import { textOf } from "../../src/source/source.ts";
import { type Expected, expectedOf, readClean } from "../language/support.ts";
import { policyOf, readPolicy } from "../support/policy.ts";

const HEAD = `version: 1
interfaces: { wan: eth0, lan: [eth1, wg*] }
addresses:
  web: [10.0.0.1, "fd00::1"]
  v6only: ["fd00::/8"]
  all: [web, v6only]
services:
  ssh: tcp 22
  dns: [udp 53, tcp 53]
  mixed: [icmp echo-request, tcp 22]
`;

function rules(text: string, flags = ""): string {
  return `${HEAD}policies:\n  - name: test\n${flags}    rules:\n${text
    .split("\n")
    .map((line) => `      - ${line}\n`)
    .join("")}`;
}

function nat(sentence: string): string {
  return `${HEAD}nat:\n  - ${sentence}\n`;
}

/** The only finding of a policy, which must be of this check. */
function expectOnly(text: string, check: string): Expected {
  const { findings } = readPolicy(text);
  expect(findings.map((finding) => finding.check)).toEqual([check]);
  return expectedOf(findings[0]!);
}

describe("names", () => {
  test("of nothing are underlined, with what was probably meant", () => {
    expectOnly(rules("allow tcp from wbe to self"), "unknown-name")
      .underlines("wbe")
      .helps("did you mean `web`?");
    expectOnly(rules("allow shs from web to self"), "unknown-name")
      .underlines("shs")
      .helps("did you mean `ssh`?");
    expectOnly(rules("allow tpc from web to self"), "unknown-name")
      .underlines("tpc")
      .helps("did you mean `tcp`?");
    expectOnly(rules("allow tcp from web to self in wna"), "unknown-name").underlines("wna");
    expectOnly(rules("allow tcp from any to self port sssh"), "unknown-name").underlines("sssh");
    expectOnly(nat("snat out wan -> wbe"), "unknown-name").underlines("wbe");
  });
  test("that look like nothing declared are told where to go", () => {
    expectOnly(rules("allow tcp from printers to self"), "unknown-name").helps(
      "declare `printers` under `addresses:`",
    );
  });
  test("are told wherever they have to be mended, and once where a declaration mends all", () => {
    const places = (text: string) =>
      readPolicy(text).findings.map(({ check, span }) => `${check} ${textOf(span)} ${span.start}`);
    const slips = rules("allow tcp from wbe to self\nallow udp from wbe to self\nallow udp from any to wbe");
    expect(places(slips)).toEqual(
      [...slips.matchAll(/wbe/g)].map(({ index }) => `unknown-name wbe ${index}`),
    );
    const undeclared = "allow tcp from printers to self\nallow udp from printers to printers";
    expect(places(rules(undeclared))).toEqual([
      `unknown-name printers ${rules(undeclared).indexOf("printers")}`,
    ]);
    const services = rules("allow printing from any to self\nallow printing from self to any");
    expect(places(services)).toEqual([`unknown-name printing ${services.indexOf("printing")}`]);
  });
  test("of other tools are understood", () => {
    expectOnly(rules("allow tcp from any to localhost"), "unknown-name")
      .underlines("localhost")
      .helps("did you mean `self`?");
    expectOnly(rules("allow tcp from anywhere to self"), "unknown-name").helps("did you mean `any`?");
  });
  test("of devices need no declaration", () => {
    expect(readPolicy(rules("allow tcp from web to self in eth7")).findings).toEqual([]);
  });
  test("may refer to names, and not to themselves", () => {
    expectOnly("version: 1\naddresses:\n  a: [b]\n  b: [c, 10.0.0.1]\n  c: [a]\n", "cyclic-name").underlines(
      "a",
    );
    expectOnly("version: 1\naddresses:\n  a: [a]\n", "cyclic-name").underlines("a");
  });
  test("do not lead on without end", () => {
    const chain = (length: number, last: string) =>
      `version: 1\naddresses:\n${Array.from({ length }, (_, i) => `  a${i}: [a${i + 1}]\n`).join("")}  a${length}: ${last}\n`;
    expect(readPolicy(chain(31, "10.0.0.1")).findings.map(({ check }) => check)).toEqual([]);
    expectOnly(chain(32, "10.0.0.1"), "nested-too-deeply").underlines("a32").says("`a0` leads to `a32`");
    // More than the stack holds.
    expectOnly(chain(20_000, "10.0.0.1"), "nested-too-deeply");
    expectOnly(chain(20_000, "[a0]"), "nested-too-deeply");
  });
  test("do not hold more than memory does", () => {
    const list = Array.from({ length: 10 }, (_, i) => `10.0.${i}.1`).join(", ");
    const copies = Array.from({ length: 20 }, (_, i) => `  a${i}: [list, 11.0.${i}.1]\n`).join("");
    const document = readClean(`version: 1\naddresses:\n  list: [${list}]\n${copies}`);
    const found = (mostRanges: number) => {
      const log = collectFindings();
      declareNames(document, log, mostRanges);
      return log.all.map(({ check, span }) => `${check} ${textOf(span)}`);
    };
    expect(found(10 + 20 * 11)).toEqual([]);
    expect(found(10 + 20 * 11 - 1)).toEqual(["inconclusive a19"]);
    expect(found(30)).toEqual(["inconclusive a1"]);
  });
  test("used twice on the way are no circle", () => {
    const policy = policyOf(rules("allow from all, web to self"));
    expect(policy.rules[0]!.match.source.addresses.v4).toEqual([{ first: 0x0a000001n, last: 0x0a000001n }]);
  });
  test("in one place are one object, so that printers can share a set", () => {
    const policy = policyOf(rules("allow tcp from web to self\nallow udp from web to self"));
    expect(policy.rules[0]!.match.source.addresses).toBe(policy.rules[1]!.match.source.addresses);
  });
});

describe("host.addresses", () => {
  const host = (addresses: string) =>
    rules("allow tcp from web to self").replace(
      "version: 1\n",
      `version: 1\nhost: { addresses: ${addresses} }\n`,
    );

  test("cannot be any or self again", () => {
    expectOnly(host("any"), "host-addresses").underlines("any");
    expectOnly(host("[192.0.2.1, self]"), "host-addresses").underlines("self");
  });

  test("with a mistake make no rule about self wrong", () => {
    expectOnly(host("nosuch"), "unknown-name").underlines("nosuch");
    expectOnly(host("10.1"), "ambiguous-address").underlines("10.1");
    expectOnly(host("[192.0.2.1, 10.0.0.1/8]"), "host-bits").underlines("10.0.0.1/8");
  });
});

describe("what no packet can match is an error", () => {
  test("families that cannot meet", () => {
    expectOnly(rules("allow tcp from 10.0.0.0/8 to v6only"), "families-cannot-meet").underlines("v6only");
    expectOnly(rules("allow icmp4 8 from v6only to self"), "families-cannot-meet").underlines("v6only");
    expectOnly(nat("snat from 10.0.0.0/8 out wan -> fd00::1"), "families-cannot-meet").underlines("fd00::1");
  });
  test("ends and interfaces that never come together", () => {
    expectOnly(rules("allow tcp from self to web in wan"), "unmatchable-rule").underlines("in wan");
    expectOnly(rules("allow tcp from web to self out wan"), "unmatchable-rule").underlines("out wan");
  });
  test("not any", () => {
    expectOnly(rules("allow tcp from not any to self"), "unmatchable-rule").underlines("not any");
  });
  test("ports that leave none", () => {
    expectOnly(rules("allow ssh from any to self port 23"), "unmatchable-rule").underlines("port 23");
    expectOnly(rules("allow tcp from any to self port not 0-65535"), "unmatchable-rule");
  });
  test("ports of what has none", () => {
    expectOnly(rules("allow mixed from any to self port 22"), "port-without-protocol")
      .underlines("port 22")
      .relates("mixed", "icmp echo-request");
    expectOnly(rules("allow udp from any to self port ssh"), "port-without-protocol").underlines("ssh");
    expectOnly(nat("redirect mixed from any to any -> port 80"), "port-without-protocol").underlines("80");
  });
});

describe("flags that contradict each other", () => {
  test("symmetricAllow on a tracked policy", () => {
    expectOnly(
      rules("allow tcp from web to self", "    symmetricAllow: true\n"),
      "symmetric-tracked",
    ).underlines("symmetricAllow: true");
  });
  test("reject in a doNotTrack policy", () => {
    expectOnly(rules("reject tcp from web to self", "    doNotTrack: true\n"), "untracked-reject")
      .underlines("reject")
      .relates("doNotTrack: true");
  });
});

describe("NAT", () => {
  test("translates to one contiguous range", () => {
    expectOnly(nat("snat out wan -> 192.0.2.1, 192.0.2.3"), "nat-target").underlines("192.0.2.1, 192.0.2.3");
    expect(readPolicy(nat("snat out wan -> 192.0.2.1, 192.0.2.2")).findings).toEqual([]);
    expect(readPolicy(nat("dnat tcp from any to self -> web port 80")).findings).toEqual([]);
  });
  test("holds for the families that it has an address for", () => {
    const policy = policyOf(nat("snat out wan -> 192.0.2.1"));
    expect(policy.sourceNat[0]!.match.traffic.map(({ family }) => family)).toEqual([4]);
  });
});

describe("traffic", () => {
  test("of a service narrows to the ports of the sentence", () => {
    const policy = policyOf(rules("allow dns from any port 1024-65535 to self"));
    expect(policy.rules[0]!.match.traffic).toEqual([
      expect.objectContaining({ protocol: 17, destinationPorts: [{ first: 53, last: 53 }] }),
      expect.objectContaining({ protocol: 6, sourcePorts: [{ first: 1024, last: 65535 }] }),
    ]);
  });
  test("of one protocol with adjacent ports is one entry", () => {
    const policy = policyOf(`version: 1
services: { web: [tcp 80, tcp 81, "tcp 90"] }
policies: [{ name: test, rules: [allow web from any to self] }]
`);
    expect(policy.rules[0]!.match.traffic).toHaveLength(1);
    expect(policy.rules[0]!.match.traffic[0]!.destinationPorts).toEqual([
      { first: 80, last: 81 },
      { first: 90, last: 90 },
    ]);
  });
});

test("mirrors stand right behind their rule, and know their sentence", () => {
  const policy = policyOf(
    rules(
      "allow tcp from web to self port 80\nallow udp from web to self",
      "    doNotTrack: true\n    symmetricAllow: true\n",
    ),
  );
  expect(
    policy.rules.map(({ action, origin }) => `${action} ${origin.role}: ${textOf(origin.span)}`),
  ).toEqual([
    "allow written: allow tcp from web to self port 80",
    "allow replies: allow tcp from web to self port 80",
    "deny mirror-guard: allow tcp from web to self port 80",
    "allow written: allow udp from web to self",
    "allow replies: allow udp from web to self",
  ]);
});

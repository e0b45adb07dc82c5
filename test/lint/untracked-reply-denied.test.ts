import { describe, expect, test } from "vitest";
import {
  expectClean,
  expectFinding,
  expectFindingAt,
  expectFindings,
  head,
  host,
  lintText,
  symmetric,
  symmetricBoth,
  tracked,
  untracked,
} from "./support.ts";

const CHECK = "untracked-reply-denied";
const DENY_ALL = head("defaults: { input: deny, forward: deny, output: deny }");
const CLIENTS = head('addresses: { clients: [10.1.0.0/16, "2001:db8:1::/48"] }');
const ALLOW = "allow tcp from clients to self port 11211";

test("nothing lets the reply out", () => {
  expectFinding(host(DENY_ALL, CLIENTS, untracked(ALLOW)), CHECK)
    .underlines(ALLOW)
    .notes(
      /^packet: tcp 10\.1\.0\.1:40000 > 192\.0\.2\.2:11211 in eth0 flags syn\nreply: {2}tcp 192\.0\.2\.2:11211 > 10\.1\.0\.1:40000 out eth0$/m,
    )
    .notes(/^all of them: tcp clients → self port 11211$/m)
    .notes(/meets the default of output \(`deny`\).*SYN_RECV/)
    .helps(/symmetricAllow: true/)
    .fixedBy("    doNotTrack: true\n    symmetricAllow: true\n");
});

test("a rule kills the reply, and is underlined", () => {
  const killer = "deny from self to 10.1.2.0/24";
  expectFinding(host(CLIENTS, untracked(killer, ALLOW, "allow tcp from self port 11211 to clients")), CHECK)
    .underlines(ALLOW)
    .relates(killer, /denies the reply/)
    .notes(/10\.1\.2\.\d+/);
});

describe("coverage, not presence", () => {
  const BACK = "allow tcp from self port 11211 to clients";
  test.each([
    ["a narrower prefix", "allow tcp from self port 11211 to 10.1.0.0/17, 2001:db8:1::/48", /10\.1\.128\./],
    ["a narrower prefix of IPv6 alone", "allow tcp from self port 11211 to 10.1.0.0/16", /\[2001:db8:1::/],
    ["a typo in the port", "allow tcp from self port 11221 to clients", /:11211/],
    ["another interface", `${BACK} out eth1`, /out eth0|out eth2/],
    ["another protocol", "allow udp from self port 11211 to clients", /tcp/],
    ["the ports of the wrong end", "allow tcp from self to clients port 11211", /:11211 > /],
    [
      "a source that not every packet answers from",
      "allow tcp from 192.0.2.1 port 11211 to clients",
      /reply/,
    ],
    ["high client ports alone", `${BACK} port 1024-65535`, /:1 > |:\d{1,3} > /],
    ["a limit, which may have no room", `${BACK} limit 100/second`, /default of output/],
  ])("the way back has %s", (_, back, packet) => {
    expectFindingAt(host(DENY_ALL, CLIENTS, untracked(ALLOW, back)), CHECK, ALLOW).notes(packet);
  });

  test("the way back is right", () => {
    expectClean(host(DENY_ALL, CLIENTS, untracked(ALLOW, BACK)));
    expectClean(host(DENY_ALL, CLIENTS, untracked(ALLOW, `${BACK} replies`)));
    expectClean(host(DENY_ALL, CLIENTS, symmetric(ALLOW)));
    expectClean(host(DENY_ALL, CLIENTS, symmetricBoth(ALLOW)));
  });

  test("an earlier deny shadows the way back", () => {
    const deny = "deny tcp from self to 10.1.0.0/17";
    expectFinding(host(DENY_ALL, CLIENTS, tracked(deny), untracked(ALLOW, BACK)), CHECK).relates(deny);
  });

  test("a deny with a limit may match", () => {
    const deny = "deny tcp from self to 10.1.0.0/17 limit 1/second";
    expectFinding(host(DENY_ALL, CLIENTS, untracked(deny, ALLOW, BACK)), CHECK).relates(deny);
  });

  test("a shorter port range", () => {
    expectFinding(
      host(
        DENY_ALL,
        untracked("allow udp from any to self port 5000-5010", "allow udp from self port 5000-5009 to any"),
      ),
      CHECK,
    ).notes(/^packet: udp .*:5010 in eth0$/m);
  });

  test("the reply is taken by a sentence of the same policy further up", () => {
    const all = lintText(host(DENY_ALL, CLIENTS, symmetric("deny tcp from self to 10.1.0.0/24", ALLOW)));
    expect(all.map(({ check }) => check)).toEqual([CHECK]);
  });
});

describe("ICMP", () => {
  const PING = "allow icmp echo-request from any to self";
  test("an echo reply is another type", () => {
    expectFinding(host(DENY_ALL, untracked(PING)), CHECK)
      .notes(/^packet: icmp .* echo-request in eth0\nreply: {2}icmp .* echo-reply out eth0$/m)
      .notes(/every echo times out/);
    expectFindingAt(host(DENY_ALL, untracked(PING, "allow icmp echo-request from self to any")), CHECK, PING);
  });
  test("with its reverse it is clean, written out or mirrored", () => {
    expectClean(host(DENY_ALL, untracked(PING, "allow icmp echo-reply from self to any")));
    expectClean(host(DENY_ALL, symmetric(PING)));
  });
  test("types that nothing answers owe nothing", () => {
    expectClean(
      host(
        DENY_ALL,
        untracked("allow icmp4 redirect from any to self", "allow icmp6 redirect from any to self"),
      ),
    );
  });
  test("neighbour discovery is its own affair", () => {
    expectClean(host(DENY_ALL, untracked("allow icmp6 neighbour-solicitation from any to self")));
  });
});

describe("paths", () => {
  test("forwarded packets need their way back on the other interfaces", () => {
    const there = "allow udp from 10.0.0.0/8 to 192.0.2.0/24 in eth1 out eth0";
    expectFinding(host(untracked(there)), CHECK)
      .notes(/^packet: udp .* in eth1 out eth0\nreply: {2}udp .* in eth0 out eth1$/m)
      .notes(/default of forward/);
    expectFindingAt(
      host(untracked(there, "allow udp from 192.0.2.0/24 to 10.0.0.0/8 in eth1 out eth0")),
      CHECK,
      there,
    );
    expectClean(host(untracked(there, "allow udp from 192.0.2.0/24 to 10.0.0.0/8 in eth0 out eth1")));
    expectClean(host(symmetric(there)));
  });
  test("what this host sends is answered on input", () => {
    expectFinding(host(untracked("allow udp from self to any port 53")), CHECK)
      .notes(/^reply: {2}udp .*:53 > .* in eth0$/m)
      .notes(/default of input/);
  });
  test("an essential loopback passes in any case; one that is none does not", () => {
    const to = "allow udp from 127.0.0.1 to self port 53 in lo";
    expectClean(host(untracked(to)));
    expectFinding(host(head("essentials: false", "defaults: { output: deny }"), untracked(to)), CHECK).notes(
      /packet: udp 127\.0\.0\.1:40000 > .*:53 in lo/,
    );
  });
  test("groups answer nobody", () => {
    expectClean(host(untracked("allow udp from self to 224.0.0.0/4, 255.255.255.255, ff00::/8")));
    expectClean(
      host(DENY_ALL, untracked("allow udp from 10.0.0.0/8 to 224.0.0.251, ff02::fb port 5353 in eth0")),
    );
    expectClean(host(untracked("allow vrrp from self to 224.0.0.18")));
  });
});

describe("defaults", () => {
  test("an output that is allowed by default lets the reply pass, but tracks it", () => {
    expectFinding(host(CLIENTS, untracked(ALLOW)), "half-tracked-flow");
  });
});

test("host.addresses narrow self at both ends", () => {
  const HOST = head('host: { addresses: [192.0.2.1, "2001:db8::1"] }');
  expectClean(
    host(
      HOST,
      DENY_ALL,
      untracked("allow tcp from any to self port 80", "allow tcp from self port 80 to any"),
    ),
  );
  expectFindingAt(
    host(
      HOST,
      DENY_ALL,
      untracked("allow tcp from any to self port 80", "allow tcp from 192.0.2.1 port 80 to any"),
    ),
    CHECK,
    "allow tcp from any to self port 80",
  ).notes(/2001:db8::1/);
  // The prefix holds addresses that this host answers from although they are not listed: broadcast is one.
  expectFindingAt(
    host(
      HOST,
      DENY_ALL,
      untracked("allow tcp from any to 192.0.2.0/24 port 80 in eth0", "allow tcp from self port 80 to any"),
    ),
    CHECK,
    "allow tcp from any to 192.0.2.0/24 port 80 in eth0",
  ).notes(/reply: {2}tcp 192\.0\.2\.3:80/);
});

test("each rule is told once, whatever the IP version", () => {
  expectFindings(host(DENY_ALL, CLIENTS, untracked(ALLOW, "allow udp from any to self port 53")), [
    CHECK,
    CHECK,
  ]);
});

test("deny-only policies owe nothing", () => {
  expectClean(host(untracked("deny from 198.51.100.0/24 to any", "deny tcp from any to self port 23")));
});

import { describe, expect, test } from "vitest";
import {
  expectClean,
  expectFinding,
  expectFindingAt,
  file,
  head,
  host,
  lintText,
  symmetric,
  tracked,
  untracked,
} from "./support.ts";

const CHECK = "half-tracked-flow";

describe("untracked in one direction only", () => {
  test("requests untracked, replies tracked by a rule", () => {
    const back = "allow tcp from self port 11211 to 10.0.0.0/8";
    expectFinding(
      host(
        head("defaults: { output: deny }"),
        untracked("allow tcp from 10.0.0.0/8 to self port 11211"),
        tracked(back),
      ),
      CHECK,
    )
      .underlines("allow tcp from 10.0.0.0/8 to self port 11211")
      .relates(back, /allows the reply, and tracks it/)
      .notes(/all of them: tcp 10\.0\.0\.0\/8 → self port 11211/)
      .notes(/SYN-ACK is INVALID.*\[UNREPLIED\] entry/)
      .helps(/add `symmetricAllow: true` to `policy 1`, which leaves the way back untracked as well/);
  });

  test("requests untracked, replies tracked by a default", () => {
    expectFinding(host(untracked("allow udp from any to self port 53")), CHECK)
      .notes(/allowed by the default of output \(`allow`\), which tracks it/)
      .notes(/takes every reply for a new flow/)
      .fixedBy("symmetricAllow: true");
  });

  test("what this host asks, untracked: the answer is INVALID and dropped", () => {
    expectFinding(
      file(head("defaults: { input: allow }"), untracked("allow tcp from self to any port 443")),
      CHECK,
    ).notes(/SYN-ACK is INVALID and dropped: no connection ever opens/);
    expectFinding(
      file(head("defaults: { input: allow }"), untracked("allow icmp echo-request from self to any")),
      CHECK,
    ).notes(/answer is INVALID and dropped: every echo times out/);
  });

  test("a forwarder untracks one interface only", () => {
    const there = "allow tcp from 10.0.0.0/8 to any port 443 in eth1 out eth0";
    const back = "allow tcp from any port 443 to 10.0.0.0/8 in eth0 out eth1";
    expectFinding(host(untracked(there), tracked(back)), CHECK)
      .underlines(there)
      .relates(back)
      .notes(/^reply: {2}tcp .* in eth0 out eth1$/m);
  });

  test("the way back is untracked, but further down than a tracked rule that takes some of it", () => {
    const early = "allow tcp from self to 10.1.0.0/16";
    expectFinding(host(tracked(early), symmetric("allow tcp from any to self port 80")), CHECK)
      .relates(early)
      .notes(/all of them: tcp 10\.1\.0\.0\/16 → self port 80/);
  });

  test("a tracked rule keeps the reply tracked even when its limit has no room", () => {
    const early = "allow tcp from self to 10.1.0.0/16 limit 5/second";
    expectFinding(
      host(
        head("defaults: { output: deny }"),
        tracked(early),
        symmetric("allow tcp from any to self port 80"),
      ),
      CHECK,
    ).relates(early);
  });
});

describe("untracked replies of tracked flows", () => {
  test("an untracked allow-all inbound captures the replies of what the host opens", () => {
    const rule = "allow from any to self";
    const [, ...others] = lintText(file(untracked(rule))).filter(({ check }) => check === CHECK);
    expect(others).toEqual([]);
    expectFindingAt(file(untracked(rule)), CHECK, rule)
      .notes(/^The reply is allowed by the default of output/m)
      .notes(
        /^The rule also takes the replies of flows that are tracked: .*one entry leaks for each attempt\.\npacket: tcp .* out eth0 flags syn\nreply: {2}tcp .* in eth0$/m,
      );
  });

  test("a rule that lets replies in, of flows that are tracked", () => {
    const open = "allow udp from self to 10.0.0.0/8 port 53";
    const rule = "allow udp from 10.0.0.0/8 port 53 to self port 1024-65535";
    const ALL = head("defaults: { output: deny }");
    expectFindingAt(host(ALL, tracked(open), untracked(rule)), CHECK, rule)
      .relates(open)
      .notes(/also takes the replies/);
  });

  test("untracked DNS to clients that only a tracked rule admits", () => {
    const open = "allow udp from 10.0.0.0/8 to self port 53";
    const back = "allow udp from self port 53 to 10.0.0.0/8";
    expectFinding(host(tracked(open), untracked(back)), CHECK)
      .underlines(back)
      .relates(open, /allows the reply, and tracks it/)
      .notes(/also takes the replies .*its entry dies young/);
  });

  test("replies alone, where their own way back is untracked", () => {
    // The mirror closes the circle but for openings, which the default lets out and tracks.
    const rule = "allow tcp from any port 443 to self replies";
    expectFindingAt(file(untracked(rule, "allow tcp from self to any port 443 replies")), CHECK, rule)
      .notes(/^packet: tcp .*:443 out eth0 flags syn$/m)
      .notes(/allowed by the default of output \(`allow`\) and opens a tracked flow/)
      .notes(/stays \[UNREPLIED\] in SYN_SENT/)
      .helps(/narrow this rule/);
  });

  test("an untracked rule takes replies that leave elsewhere, because raw cannot ask where", () => {
    const rule = "allow udp from 10.0.0.1 port 53 to 10.0.0.2 out eth0";
    const text = host(
      symmetric(rule),
      tracked("allow udp from 10.0.0.2 to 10.0.0.1 port 53 in eth2 out eth2"),
    );
    expectFindingAt(text, CHECK, rule).notes(
      /^packet: udp 10\.0\.0\.2:\d+ > 10\.0\.0\.1:53 in eth2 out eth2$/m,
    );
  });

  test("a tracked deny that may have no room lets an untracked rule open a tracked flow", () => {
    const text = host(
      tracked("deny udp from any to self port 53 limit 1/second"),
      symmetric("allow udp from any to self port 53"),
    );
    expectFindingAt(text, CHECK, "allow udp from any to self port 53");
  });
});

describe("clean", () => {
  test("both directions untracked", () => {
    expectClean(host(symmetric("allow tcp from 10.0.0.0/8 to self port 11211")));
    expectClean(
      host(
        untracked("allow udp from 10.0.0.0/8 to self port 53", "allow udp from self port 53 to 10.0.0.0/8"),
      ),
    );
  });
  test("the forwarders of two hosts, symmetric on both", () => {
    const nodes = head("addresses: { pods: 10.1.0.0/16, others: 10.2.0.0/16 }");
    expectClean(host(nodes, symmetric("allow tcp from pods to others port 80 in eth1 out eth0")));
    expectClean(host(nodes, symmetric("allow tcp from pods to others port 80 in eth0 out eth1")));
  });
  test("both directions tracked", () => {
    expectClean(host(tracked("allow udp from any to self port 53")));
  });
  test("an untracked deny", () => {
    expectClean(host(untracked("deny from 198.51.100.0/24 to any")));
  });
  test("loopback, whatever is tracked there", () => {
    expectClean(host(untracked("allow udp from self to self port 53 in lo")));
  });
});

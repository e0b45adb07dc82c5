import { describe, expect, test } from "vitest";
import { differencesOf } from "./own.ts";

/** The text of a policy; `head` is what stands before its rules. */
function withRules(head: string, ...policies: readonly string[]): string {
  const named = policies.map((rules, index) => `  - name: p${index}\n${rules}`);
  return `version: 1\n${head}\npolicies:\n${named.join("")}`;
}

function tracked(...rules: readonly string[]): string {
  return `    rules:\n${rules.map((rule) => `      - ${rule}\n`).join("")}`;
}

function untracked(...rules: readonly string[]): string {
  return `    doNotTrack: true\n${tracked(...rules)}`;
}

const TRANSLATING = "nat: [dnat tcp from any to any -> 10.0.0.5 port 81]";

describe("what once was compiled to something else than it means", () => {
  test.each([
    [
      "a deny that waits for routing, above one that does not, and destination NAT",
      withRules(
        TRANSLATING,
        untracked("deny from any to any out not wg*", "deny tcp from any to any port 53"),
      ),
    ],
    [
      "the same with limits",
      withRules(
        TRANSLATING,
        untracked(
          "deny from any to any out not wg* limit 5/second",
          "deny tcp from any to any port 53 limit 5/second",
        ),
      ),
    ],
    [
      "a tracked rule that keeps some of these packets from the second deny",
      withRules(
        TRANSLATING,
        untracked("deny from any to any out wg0"),
        tracked("allow tcp from 10.0.0.0/8 to any out eth1"),
        untracked("deny tcp from any to any port 53"),
      ),
    ],
    [
      "a deny in doubt and destination NAT",
      withRules(
        TRANSLATING,
        tracked("allow tcp from 10.0.0.0/8 to any out eth1"),
        untracked("deny tcp from any to any port 53-90"),
      ),
    ],
    [
      "a limited deny in doubt and destination NAT",
      withRules(
        TRANSLATING,
        tracked("allow tcp from 10.0.0.0/8 to any out eth1"),
        untracked("deny tcp from any to any port 53-90 limit 5/second"),
      ),
    ],
    [
      "limited neighbour discovery above a limited deny",
      withRules(
        "essentials: false",
        untracked(
          "allow icmp6 neighbour-solicitation from 2001:db8::7 to fd00::/8 limit 5/second",
          "deny from not self to any limit 5/second",
        ),
      ),
    ],
    [
      "limited neighbour discovery among rules of every kind",
      withRules(
        "essentials: false\ndefaults: { input: allow, forward: allow, output: allow }",
        untracked("deny icmp6 neighbour-advertisement from fd00::/16 to any"),
        tracked("allow icmp6 from fd00::7 to any limit 7/second", "deny icmp6 137 from any to any"),
        untracked(
          "allow icmp6 from fd00::9 to fd00::10",
          "allow icmp6 from fd00::10 to fd00::9",
          'allow icmp6 135 from any to fd00::/8 limit 5/second log "ns"',
          "deny icmp6 135 from any to any",
          "deny icmp6 136 from any to any limit 3/second",
        ),
      ),
    ],
    [
      "limited neighbour discovery that is forwarded",
      withRules(
        "",
        untracked(
          "deny icmp6 135 from fd00::/16 to any limit 3/second",
          "allow icmp6 135 from fd00::/8 to any in eth0 limit 5/second",
          "deny icmp6 135 from any to any",
        ),
      ),
    ],
    [
      "ICMP errors that pass though a tracked rule with `out` denies them",
      withRules(
        "defaults: { forward: allow }",
        tracked("deny icmp from 10.0.0.1 to any out eth0, wg0"),
        `    symmetricAllow: both\n${untracked("allow icmp4 3/4 from 10.0.0.1 to not self in eth0")}`,
      ),
    ],
    [
      "a limited deny that waits, and packets that a limited rule above spills",
      withRules(
        "defaults: { forward: allow, input: allow }\nnat: [dnat from 10.0.0.0/8 to any -> 10.0.0.5]",
        tracked("allow from 10.0.0.5 to any limit 5/second"),
        untracked("deny from any to any out eth1, wg* limit 7/second"),
      ),
    ],
    [
      "a limited deny in doubt, and what is translated into it",
      withRules(
        "defaults: { forward: allow, input: allow }\nnat: [dnat from 10.0.0.0/8 to any -> 10.0.0.5]",
        tracked("allow from any to any out eth1, wg*", "allow from any to 192.0.2.0/24"),
        untracked("deny from any to any limit 5/second", "deny from any to any out eth0"),
      ),
    ],
    [
      "a limited deny in doubt for two reasons at once",
      withRules(
        "defaults: { forward: allow }",
        tracked("allow from 10.0.0.0/8 to any out eth1", "allow udp from any to any out eth2"),
        untracked("deny from any to any limit 5/second"),
      ),
    ],
    [
      "a deny that waits, and ICMP errors that no flow begins with",
      withRules(
        "defaults: { forward: allow, input: allow }\nnat: [dnat from 10.0.0.0/8 to any -> 10.0.0.5]",
        untracked("deny from any to any out eth1, wg*", "allow icmp4 3/4 from 192.0.2.0/24 to any"),
      ),
    ],
  ])("%s", (_, text) => {
    expect(differencesOf(text)).toEqual([]);
  });
});

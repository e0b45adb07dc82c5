import { describe, expect, test } from "vitest";
import { differencesOf } from "./own.ts";

/** A policy with these rules, all of which random policies came upon. */
function withRules(head: string, ...policies: readonly string[]): string {
  return `version: 1\n${head}\npolicies:\n${policies.join("\n")}\n`;
}

function tracked(...rules: readonly string[]): string {
  return `  - name: tracked ${rules[0]}\n    rules:\n${rules.map((rule) => `      - ${rule}\n`).join("")}`;
}

function untracked(...rules: readonly string[]): string {
  return `  - name: untracked ${rules[0]}\n    doNotTrack: true\n    rules:\n${rules.map((rule) => `      - ${rule}\n`).join("")}`;
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
  ])("%s", (_, text) => {
    expect(differencesOf(text)).toEqual([]);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { diff } from "../../src/diff/diff.ts";
import { entriesOf } from "../../src/diff/entries.ts";
import { type DiffFormat, formatDiff } from "../../src/diff/formats.ts";
import { parseDocument } from "../../src/language/document.ts";
import { eitherVocabulary, vocabularyOf } from "../../src/meaning/vocabulary.ts";
import { fieldsOf } from "../../src/meaning/world.ts";
import { describePacket } from "../../src/policy/describe.ts";
import { type Decision, evaluate, forwards } from "../../src/policy/evaluate.ts";
import { isNeighbourDiscovery, TCP } from "../../src/policy/packet.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { collectFindings } from "../../src/source/finding.ts";
import { policyOf, ruled } from "../support/policy.ts";
import { randomPacket, type Sample } from "../support/random-packet.ts";
import { randomPolicy } from "../support/random-policy.ts";

function named(
  text: string,
  name: string,
): { readonly policy: Policy; readonly words: ReturnType<typeof vocabularyOf> } {
  const policy = policyOf(text);
  const source = { name, text };
  const { document } = parseDocument(source, { read: () => ({ error: "no files" }) }, collectFindings());
  return { policy: { ...policy, source }, words: vocabularyOf(document!, policy) };
}

function compared(before: string, after: string) {
  const old = named(before, "old.yaml");
  const now = named(after, "new.yaml");
  const found = diff(old.policy, now.policy);
  return {
    changes: found.changes,
    report: {
      ...entriesOf(found, old.policy, now.policy, eitherVocabulary(now.words, old.words)),
      before: old.policy.source,
      after: now.policy.source,
      version: "1",
    },
  };
}

const printed = (before: string, after: string, format: DiffFormat): string =>
  formatDiff(compared(before, after).report, format);

const HEAD = ["addresses: { clients: 10.1.0.0/16 }", "services: { web: [tcp 80, tcp 443] }"];
/** Some rule must be there; this one matches nothing that the tests speak of. */
const OTHER = "allow gre from 203.0.113.1 to self";
const policy = (...rules: readonly string[]): string => ruled([...rules, OTHER], [], HEAD);

describe("what is listed", () => {
  test("a rule that is new, in the policy's own names, with what decided before", () => {
    expect(printed(policy(), policy("allow web from clients to self"), "pretty")).toMatchInlineSnapshot(`
      "newly allowed
        tcp clients → self port web
          - drops them: the default for input
          + lets them pass: allow web from clients to self (policy.yaml:7)
          for example: tcp 10.1.0.1:40000 > 192.0.2.2:443 in eth0 flags syn

      1 newly allowed, from old.yaml to new.yaml
      "
    `);
  });

  test("under a pull request", () => {
    expect(
      printed(
        policy("allow web from any to self", "reject tcp from any to self port 113"),
        policy("allow web from clients to self limit 10/second", "deny tcp from any to self port 113"),
        "markdown",
      ),
    ).toMatchInlineSnapshot(`
      "**new.yaml**: 2 newly denied, 1 denied otherwise

      #### Newly denied

      - \`tcp not clients → self port web\`, \`tcp any → self port web\`
        - the new policy drops them: the default for input
        - the old one lets them pass: \`allow web from any to self\` (policy.yaml:7)
      - \`tcp clients → self port web\`
        - the new policy lets them pass up to 10/second burst 5, else drops them: \`allow web from clients to self limit 10/second\` (policy.yaml:7)
        - the old one lets them pass: \`allow web from any to self\` (policy.yaml:7)

      #### Denied otherwise

      - \`tcp any → self port 113\`
        - the new policy drops them: \`deny tcp from any to self port 113\` (policy.yaml:8)
        - the old one rejects them (tcp-reset): \`reject tcp from any to self port 113\` (policy.yaml:8)
      "
    `);
  });

  test("a service that is no longer tracked", () => {
    const rule = "allow tcp from clients to self port 11211";
    expect(
      printed(policy(rule), ruled([rule], ["doNotTrack: true", "symmetricAllow: true"], HEAD), "pretty"),
    ).toMatchInlineSnapshot(`
      "newly allowed
        icmp 3, 11-12 any → self
        icmp 1-4 any → self
          - drops them: the default for input
          + lets them pass: errors about untracked flows are essential
          for example: icmp 10.0.0.2 > 192.0.2.2 destination-unreachable in eth0

        tcp clients → self port 11211
          packets that belong to no flow
          - drops them: packets that belong to no flow are dropped
          + lets them pass untracked: allow tcp from clients to self port 11211 (policy.yaml:9)
          for example: tcp 10.1.0.1:40000 > 192.0.2.2:11211 in eth0 flags syn

      newly denied
        gre 203.0.113.1 → self
          - lets them pass: allow gre from 203.0.113.1 to self (policy.yaml:8)
          + drops them: the default for input
          for example: gre 203.0.113.1 > 192.0.2.2 in eth0

        tcp self port 11211 → clients, openings
          - lets them pass: the default for output
          + drops them: allow tcp from clients to self port 11211 (policy.yaml:9, no openings back)
          for example: tcp 10.0.0.2:11211 > 10.1.0.1:443 out eth0 flags syn

      now untracked
        tcp clients → self port 11211
        tcp clients → self port 11211, loopback
          - lets them pass: allow tcp from clients to self port 11211 (policy.yaml:7)
          + lets them pass untracked: allow tcp from clients to self port 11211 (policy.yaml:9)
          for example: tcp 10.1.0.1:40000 > 192.0.2.2:11211 in eth0 flags syn

        tcp self port 11211 → clients, no openings
        tcp self port 11211 → clients port not 11211, loopback, no openings
        tcp not clients port 11211 → clients, loopback, no openings
          - lets them pass: the default for output
          + lets them pass untracked: allow tcp from clients to self port 11211 (policy.yaml:9, its replies)
          for example: tcp 10.0.0.2:11211 > 10.1.0.1:443 out eth0

      2 newly allowed, 2 newly denied, 2 now untracked, from old.yaml to new.yaml
      "
    `);
  });

  test("NAT", () => {
    const nat = (...sentences: string[]) =>
      ruled(["allow from any to any"], [], ["nat:", ...sentences.map((one) => `  - ${one}`)]);
    expect(
      printed(
        nat("masquerade from 10.0.0.0/8"),
        nat("masquerade from 10.0.0.0/8 keep-ports", "dnat tcp from any to self port 80 -> 10.0.0.5"),
        "pretty",
      ),
    ).toMatchInlineSnapshot(`
      "translated otherwise
        tcp any → self port 80
        tcp self → self port 80
          - lets them pass: allow from any to any (policy.yaml:7)
          + translates them (dnat to 10.0.0.5): dnat tcp from any to self port 80 -> 10.0.0.5 (policy.yaml:4)
          for example: tcp 10.0.0.2:40000 > 192.0.2.2:80 in eth0 flags syn

        10.0.0.0/8 → any, forwarded
        10.0.0.0/8 → any, output
          - translates them (masquerade, fully random): masquerade from 10.0.0.0/8 (policy.yaml:3)
          + translates them (masquerade, keeping ports): masquerade from 10.0.0.0/8 keep-ports (policy.yaml:3)
          for example: tcp 10.0.0.2:40000 > 192.0.2.2:443 in eth0 out eth0 flags syn

      2 translated otherwise, from old.yaml to new.yaml
      "
    `);
  });

  test.each<[string, string, string]>([
    [
      "order that does not matter",
      policy("allow tcp from any to self port 22", "allow tcp from any to self port 80"),
      policy("allow tcp from any to self port 80", "allow tcp from any to self port 22"),
    ],
    [
      "one sentence for two",
      policy("allow tcp from any to self port 80", "allow tcp from any to self port 443"),
      policy("allow web from any to self"),
    ],
    [
      "a rule that is never met",
      policy("deny from any to self"),
      policy("deny from any to self", "deny tcp from any to self port 22"),
    ],
  ])("nothing: %s", (_, before, after) => {
    expect(compared(before, after).changes).toEqual([]);
    expect(printed(before, after, "markdown")).toBe("");
  });
});

describe("new access", () => {
  const allows = (before: string, after: string): boolean =>
    compared(before, after).changes.some(({ kind }) => kind === "allowed");
  test.each<[string, string, string, boolean]>([
    ["a rule", policy(), policy("allow tcp from any to self port 80"), true],
    [
      "a deny that goes",
      policy("deny tcp from any to self port 80", "allow tcp from any to self"),
      policy("allow tcp from any to self"),
      true,
    ],
    [
      "a limit that goes",
      policy("allow tcp from any to self port 80 limit 1/second"),
      policy("allow tcp from any to self port 80"),
      true,
    ],
    [
      "a limit that grows",
      policy("allow tcp from any to self port 80 limit 1/second"),
      policy("allow tcp from any to self port 80 limit 2/second"),
      true,
    ],
    [
      "a limit that shrinks",
      policy("allow tcp from any to self port 80 limit 2/second"),
      policy("allow tcp from any to self port 80 limit 100/minute"),
      false,
    ],
    ["a rule that goes", policy("allow tcp from any to self port 80"), policy(), false],
    [
      "a reject for a deny",
      policy("deny tcp from any to self"),
      policy("reject tcp from any to self"),
      false,
    ],
    [
      "known flows that an early deny had cut",
      ruled(["deny tcp from any to self port 80"], ["doNotTrack: true"]),
      ruled(["deny tcp from any to self port 80"]),
      true,
    ],
  ])("%s", (_, before, after, expected) => expect(allows(before, after)).toBe(expected));

  test("a translation that leads somewhere", () => {
    const dnat = ["nat:", "  - dnat tcp from any to self port 8080 -> 10.8.0.5 port 80"];
    const rules = ["allow tcp from any to 10.8.0.5 port 80"];
    expect(allows(ruled(rules), ruled(rules, [], dnat))).toBe(true);
    expect(allows(ruled([OTHER]), ruled([OTHER], [], dnat))).toBe(false);
  });
});

/** What a packet meets, so far as a person could tell. */
function fate(decision: Decision, { packet }: Sample): string {
  const { verdict, tracked } = decision;
  if (verdict === "allow") return tracked ? "tracked" : "untracked";
  return verdict === "reject" ? (packet.protocol === TCP ? "reset" : "unreachable") : "drop";
}

test("no change is listed between a policy and itself", () => {
  fc.assert(
    fc.property(randomPolicy({ nat: true }), (text) => {
      const one = policyOf(text);
      expect(diff(one, policyOf(text)).changes.length, text).toBe(0);
    }),
    { numRuns: 50 },
  );
}, 60_000);

test("a packet is treated differently exactly where a change is listed", () => {
  let different = 0;
  fc.assert(
    fc.property(
      randomPolicy({ nat: false }),
      randomPolicy({ nat: false }),
      fc.noShrink(fc.array(randomPacket, { minLength: 40, maxLength: 40 })),
      (before, after, samples) => {
        const [old, now] = [policyOf(before), policyOf(after)];
        // Whose addresses are whose is another question than what is done with packets.
        if ((old.self === null) !== (now.self === null)) return;
        const { changes, world } = diff(old, now);
        for (const sample of samples) {
          const { packet, state } = sample;
          if (isNeighbourDiscovery(packet) || state === "related") continue;
          // What follows from forwarding nothing is not listed again for flows that were open before.
          if (state === "established" && packet.path === "forward" && forwards(old) !== forwards(now))
            continue;
          const circumstances = { state, withinLimit: () => true, translate: (same: typeof packet) => same };
          const was = fate(evaluate(old, packet, circumstances), sample);
          const is = fate(evaluate(now, packet, circumstances), sample);
          const fields = { ...fieldsOf(packet, world.devices), seen: 0, delivery: 0 };
          const listed = changes.some(
            ({ family, set }) =>
              family === packet.family && world.seenSpaces[family].verdict(set, fields) !== 0,
          );
          const where = `${before}\n${after}\n${describePacket(packet)} ${state}: ${was}, ${is}`;
          if (was !== is) {
            different++;
            expect(listed, where).toBe(true);
          }
          const own = changes.some(
            ({ family, state: of, set }) =>
              family === packet.family &&
              of === (state === "new" ? "opening" : state === "invalid" ? "invalid" : "known") &&
              world.seenSpaces[family].verdict(set, fields) !== 0,
          );
          if (own) expect(was === is, where).toBe(false);
        }
      },
    ),
    { numRuns: 100 },
  );
  expect(different).toBeGreaterThan(300);
}, 120_000);

import fc from "fast-check";
import { expect, test } from "vitest";
import { languageChecks } from "../../src/language/checks.ts";
import { read } from "./support.ts";

const POLICY = `version: 1
interfaces:
  wan: eth0
  pods: [docker0, "br-*"]
addresses:
  clients: [10.1.0.0/16, "2001:db8:1::/48"]
  blocklist: { file: blocklist.txt }
services:
  memcached: [tcp 11211, udp 11211]
  ping: icmp echo-request
host:
  addresses: [192.0.2.1]
defaults: { input: deny, forward: deny, output: allow }
policies:
  - name: memcached
    doNotTrack: true
    symmetricAllow: true
    rules:
      - allow memcached from clients to self
      - 'deny tcp from not clients port 1-99 to any in wan limit 10/minute burst 20 log "x" replies'
      - >-
        allow ping
        from any to self
  - name: block
    rules: |
      # a comment
      reject tcp from any to self port 113
nat:
  - masquerade from 172.17.0.0/16 out wan -> ports 1024-29999 keep-ports
  - dnat tcp from any to self port 8080 in wan -> 10.8.0.5 port 80
`;

const FILES = { "blocklist.txt": "10.0.0.1\nclients # x\n" };

test("the policy itself is fine", () => {
  expect(read(POLICY, FILES).findings).toEqual([]);
});

/** Whatever the text is: an answer, findings of known checks, and spans that lie within their sources. */
function expectSane(text: string, file = FILES["blocklist.txt"]): void {
  const { findings, document, unparsable } = read(text, { "blocklist.txt": file });
  for (const { check, message, span, related, fix } of findings) {
    expect(languageChecks).toContain(check);
    expect(message).not.toBe("");
    for (const place of [
      span,
      ...(related ?? []).map((other) => other.span),
      ...(fix?.edits ?? []).map((edit) => edit.span),
    ]) {
      expect(place.start).toBeGreaterThanOrEqual(0);
      expect(place.end).toBeGreaterThanOrEqual(place.start);
      expect(place.end).toBeLessThanOrEqual(place.source.text.length);
    }
  }
  if (!document) expect(findings.length).toBeGreaterThan(0);
  if (unparsable) expect(document).toBeNull();
}

const snippet = fc.oneof(
  fc.constantFrom(
    " #",
    ": ",
    "- ",
    "\n",
    "\r\n",
    "\t",
    "'",
    '"',
    "|",
    ">",
    "{",
    "}",
    "[",
    "]",
    ",",
    "*a",
    "&a ",
    "!!str ",
    "\\",
    "\0",
    "\ufeff",
    "%",
    "---\n",
    "...",
    "->",
    "not",
    "any",
    "port",
    "0",
    "/",
    "::",
    "999999999999",
    "~",
    "?",
  ),
  fc.string({ unit: "binary", maxLength: 3 }),
);

test("a policy with something put in or cut out", () => {
  const edit = fc.record({ at: fc.nat(POLICY.length), length: fc.nat(12), text: snippet });
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let text = POLICY;
      for (const { at, length, text: inserted } of edits)
        text = text.slice(0, at) + inserted + text.slice(at + length);
      expectSane(text);
    }),
    { numRuns: 300 },
  );
});

test("a policy with its lines shuffled, doubled and left out", () => {
  const lines = POLICY.split("\n");
  fc.assert(
    fc.property(fc.array(fc.nat(lines.length - 1), { maxLength: 40 }), (order) => {
      expectSane(order.map((line) => lines[line]).join("\n"));
    }),
    { numRuns: 300 },
  );
});

test("any text at all", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => expectSane(text)),
    { numRuns: 400 },
  );
  fc.assert(
    fc.property(fc.array(snippet, { maxLength: 60 }), (texts) => expectSane(texts.join(""))),
    { numRuns: 400 },
  );
});

test("any text for an address file", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 100 }), (text) => expectSane(POLICY, text)),
    { numRuns: 300 },
  );
});

test("any text for a sentence", () => {
  const word = fc.oneof(
    snippet,
    fc.constantFrom("allow", "tcp", "from", "to", "self", "10.0.0.0/8", "web", "limit", "1/day", "log"),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 14 }), (words) => {
      const sentence = JSON.stringify(words.join(" "));
      expectSane(
        `version: 1\npolicies:\n  - name: x\n    rules: [${sentence}]\nnat: [${sentence}]\nservices: {x: ${sentence}}\n`,
      );
    }),
    { numRuns: 300 },
  );
});

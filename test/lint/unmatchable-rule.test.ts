import { expect, test } from "vitest";
import { expectClean, expectFinding, head, host, lintText, tracked } from "./support.ts";

const CHECK = "unmatchable-rule";

test.each([
  [
    "interfaces that do not go with the ends",
    "allow tcp from self to any port 80 in eth0",
    /never come together/,
  ],
  ["nothing at all", "deny from not any to self", /`not any` is nothing/],
  ["a service and other ports", "allow web from any to self port 22", /none in common/],
  ["every port but every port", "allow tcp from any to self port not 0-65535", /no port at all/],
])("%s", (_, rule, message) => {
  const services = head("services: { web: tcp 80 }");
  const found = lintText(host(...(rule.includes("web") ? [services] : []), tracked(rule)));
  expect(found.map(({ check, message: said }) => [check, said])).toEqual([
    [CHECK, expect.stringMatching(message)],
  ]);
});

test.each([
  ["addresses that are all excluded", '"deny from not 0.0.0.0/0, ::/0 to self"'],
  ["loopback at one end alone", "allow tcp from any to any in lo out eth0"],
])("%s", (_, rule) => {
  expectFinding(host(tracked(rule)), CHECK).helps(/exclude each other/);
});

test("a deny that has no say is no rule that cannot match", () => {
  expectFinding(host(tracked("deny udp from any to any in lo")), "redundant-rule");
});

test("a rule that matches a single packet is a rule", () => {
  expectClean(host(tracked("allow icmp4 3/4 from 192.0.2.1 to self in eth0")));
});

import { describe, test } from "vitest";
import { expectClean, expectFinding, head, host, nat, tracked } from "./support.ts";

const CHECK = "self-without-family";
const V4 = head("host: { addresses: [192.0.2.1, 192.0.2.2] }");
const V6 = head('host: { addresses: ["2001:db8::1"] }');

test("a rule names IPv6 clients of a host that has IPv4 addresses alone", () => {
  const rule = "allow udp from 10.0.0.0/8, 2001:db8::/32 to self port 53";
  expectFinding(host(V4, tracked(rule)), CHECK)
    .underlines("192.0.2.1, 192.0.2.2")
    .relates(rule, /names IPv6 addresses/)
    .helps(/list this host's IPv6 addresses too/);
});

test("and the other way round, for what this host sends", () => {
  expectFinding(
    host(V6, head("defaults: { output: deny }"), tracked("allow udp from self to 10.0.0.0/8, 2001:db8::/32")),
    CHECK,
  ).helps(/IPv4 addresses too/);
});

describe("clean", () => {
  test.each([
    [
      "both are listed",
      head('host: { addresses: [192.0.2.1, "2001:db8::1"] }'),
      "allow udp from 10.0.0.0/8, 2001:db8::/32 to self",
    ],
    ["nothing is listed", head("essentials: true"), "allow udp from 10.0.0.0/8, 2001:db8::/32 to self"],
    ["`any` names nobody", V4, "allow udp from any to self"],
    ["one version alone is named", V4, "allow udp from 10.0.0.0/8 to self"],
    ["the end has more than self", V4, "allow udp from 10.0.0.0/8, 2001:db8::/32 to self, 2001:db8::1"],
    ["it is forwarded", V4, "allow udp from 2001:db8::/32 to 2001:db8:1::/48 in eth1"],
  ])("%s", (_, section, rule) => expectClean(host(section, tracked(`"${rule}"`))));

  test("NAT sentences are no rules", () => {
    expectClean(
      host(
        V4,
        tracked("allow tcp from 10.0.0.0/8 to 10.9.0.1"),
        nat("dnat tcp from 10.0.0.0/8 to self port 80 -> 10.9.0.1"),
      ),
    );
  });
});

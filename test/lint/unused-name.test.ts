import { describe, test } from "vitest";
import { expectClean, expectFinding, head, host, nat, tracked } from "./support.ts";

const CHECK = "unused-name";

test.each([
  ["interfaces: { wan: eth0 }", "wan", /the interface `wan` is used nowhere/],
  ["addresses: { old: 10.0.0.1 }", "old", /the address list `old` is used nowhere/],
  ["services: { web: tcp 80 }", "web", /the service `web` is used nowhere/],
])("%s", (section, name) => {
  expectFinding(host(head(section)), CHECK)
    .underlines(name)
    .helps(/take it out/);
});

test("a name that only an unused name uses is unused", () => {
  const text = host(head("addresses: { a: 10.0.0.1, b: [a] }"));
  expectFinding(text.replace("from any to self port 22", "from a to self port 22"), CHECK).underlines("b");
});

describe("clean", () => {
  test.each([
    ["in a rule", head("addresses: { a: 10.0.0.1 }"), tracked("allow udp from a to self")],
    ["through another name", head("addresses: { a: 10.0.0.1, b: [a] }"), tracked("allow udp from b to self")],
    ["as a port", head("services: { dns: udp 53 }"), tracked("allow udp from any to self port dns")],
    [
      "as a source port",
      head("services: { dns: udp 53 }"),
      tracked("allow udp from 10.0.0.1 port dns to self"),
    ],
    ["as an interface", head("interfaces: { lan: eth1 }"), tracked("allow udp from any to self in not lan")],
    [
      "as this host's address",
      head("addresses: { me: 192.0.2.1 }", "host: { addresses: [me] }"),
      tracked("allow udp from any to self"),
    ],
  ])("%s", (_, section, rules) => expectClean(host(section, rules)));

  test("in NAT sentences", () => {
    expectClean(
      host(
        head(
          "addresses: { pool: 192.0.2.9, server: 10.0.0.5 }",
          "interfaces: { wan: eth0 }",
          "services: { web: tcp 80 }",
        ),
        tracked("allow tcp from any to any port 80"),
        nat("snat from 10.0.0.0/8 out wan -> pool", "dnat web from any to self in eth0 -> server"),
      ),
    );
  });
});

import { describe, test } from "vitest";
import { expectClean, expectFinding, expectFindings, head, host, symmetric, tracked } from "./support.ts";

const CHECK = "redundant-rule";

test("an earlier rule does the same", () => {
  expectFinding(
    host(tracked("allow tcp from 10.0.0.0/8 to self", "allow tcp from 10.1.0.0/16 to self port 80")),
    CHECK,
  )
    .underlines("allow tcp from 10.1.0.0/16 to self port 80")
    .relates("allow tcp from 10.0.0.0/8 to self", /^all of its packets are allowed here$/)
    .helps(/take it out/);
});

test("several earlier rules do the same together", () => {
  const low = "allow tcp from 10.0.0.0/9 to self";
  const high = "allow tcp from 10.128.0.0/9 to self";
  expectFinding(host(tracked(low, high, "allow tcp from 10.0.0.0/8 to self port 80")), CHECK)
    .relates(low, /^50 % of its packets are allowed here$/)
    .relates(high, /^50 % of its packets are allowed here$/);
});

test("later rules do the same", () => {
  expectFinding(
    host(tracked("allow tcp from 10.1.0.0/16 to self port 80", "allow tcp from 10.0.0.0/8 to self")),
    CHECK,
  )
    .underlines("allow tcp from 10.1.0.0/16 to self port 80")
    .notes(/^$/);
});

test("the default does the same", () => {
  expectFinding(host(tracked("deny udp from 10.0.0.0/8 to self")), CHECK);
  expectFinding(host(tracked("allow from self to 10.0.0.0/8")), CHECK);
});

test("denies have no say on an essential loopback", () => {
  expectFinding(host(tracked("deny udp from any to any in lo")), CHECK).helps(/essentials: false/);
  expectClean(host(head("essentials: false"), tracked("deny udp from any to any in lo")));
});

test("the same sentence twice is told once", () => {
  expectFindings(host(tracked("allow udp from any to self port 53", "allow udp from any to self port 53")), [
    CHECK,
    CHECK,
  ]);
});

test("a symmetric rule goes with its mirrors, or stays with them", () => {
  expectFinding(
    host(
      symmetric("allow udp from 10.0.0.0/8 to self port 53", "allow udp from 10.1.0.0/16 to self port 53"),
    ),
    CHECK,
  ).underlines("allow udp from 10.1.0.0/16 to self port 53");
});

describe("clean", () => {
  test("a deny that keeps packets from a later allow", () => {
    expectClean(host(tracked("deny from 10.1.0.0/16 to self", "allow tcp from 10.0.0.0/8 to self port 80")));
  });
  test("a reject: to the sender it is not the deny of the default", () => {
    expectClean(host(tracked("reject tcp from any to self port 113")));
  });
  test("a rule that logs or counts has an effect of its own", () => {
    expectClean(host(tracked(`deny from 10.0.0.0/8 to self log "ten"`)));
    expectClean(
      host(tracked("allow tcp from 10.1.0.0/16 to self limit 5/second", "allow tcp from 10.0.0.0/8 to self")),
    );
  });
  test("what a limit leaves comes to the rule below it", () => {
    expectClean(
      host(
        head("defaults: { input: deny }"),
        tracked(
          "allow udp from any to self port 53 limit 5/second",
          "allow udp from 10.0.0.0/8 to self port 53",
        ),
      ),
    );
  });
  test("one IP version needs it", () => {
    expectClean(host(tracked("allow tcp from 10.0.0.0/8 to self", "allow tcp from any to self port 80")));
  });
});

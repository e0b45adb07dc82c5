import { describe, expect, test } from "vitest";
import { expectNatFinding, inWords, natOf } from "./support.ts";

describe("source NAT", () => {
  test("masquerade alone", () => {
    expect(inWords(natOf("masquerade"))).toEqual({
      kind: "masquerade",
      traffic: null,
      from: null,
      to: null,
      in: null,
      out: null,
      pool: null,
      ports: null,
      keepPorts: null,
      actionSpan: "masquerade",
      span: "masquerade",
    });
  });

  test("masquerade with everything", () => {
    expect(
      inWords(natOf("masquerade tcp out wan to not internal from 10.0.0.0/8 -> ports 1024-29999 keep-ports")),
    ).toMatchObject({
      kind: "masquerade",
      traffic: { protocol: 6, span: "tcp" },
      from: { span: "10.0.0.0/8" },
      to: { negated: true, span: "not internal" },
      out: { span: "out wan" },
      pool: null,
      ports: { first: 1024, last: 29999, span: "1024-29999" },
      keepPorts: "keep-ports",
    });
  });

  test("masquerade may narrow ports of every protocol that has some", () => {
    expect(inWords(natOf("masquerade -> ports 1024-29999"))).toMatchObject({
      ports: { first: 1024, last: 29999 },
    });
  });

  test("snat to a pool", () => {
    expect(
      inWords(
        natOf("snat from 10.8.0.0/14 out wan -> 192.0.2.40-192.0.2.43, 2001:db8::/64 ports 1024 keep-ports"),
      ),
    ).toMatchObject({
      kind: "snat",
      pool: [
        { kind: "literal", span: "192.0.2.40-192.0.2.43" },
        { kind: "literal", span: "2001:db8::/64" },
      ],
      ports: { first: 1024, last: 1024, span: "1024" },
      keepPorts: "keep-ports",
    });
  });
});

describe("destination NAT", () => {
  test("dnat to an address", () => {
    expect(inWords(natOf("dnat from any to self in wan -> 10.8.0.5"))).toMatchObject({
      kind: "dnat",
      target: [{ kind: "literal", family: 4, span: "10.8.0.5" }],
      port: null,
      in: { span: "in wan" },
    });
  });

  test("dnat to an address and ports", () => {
    expect(inWords(natOf("dnat udp to self port 53 -> resolver port 5300-5400"))).toMatchObject({
      traffic: { protocol: 17 },
      target: [{ kind: "name", name: "resolver" }],
      port: { first: 5300, last: 5400, span: "5300-5400" },
    });
  });

  test("redirect", () => {
    expect(inWords(natOf("redirect tcp from 10.0.0.0/8 to any port 80 -> port 3128"))).toMatchObject({
      kind: "redirect",
      target: null,
      port: { first: 3128, last: 3128, span: "3128" },
    });
  });

  test("the ports of a service are known only later", () => {
    expect(inWords(natOf("redirect http -> port 3128"))).toMatchObject({
      traffic: { kind: "name", name: "http" },
    });
  });
});

describe("findings", () => {
  test("in, where packets leave", () => {
    expectNatFinding("masquerade from 10.0.0.0/8 in lan out wan", "misplaced-clause")
      .underlines("in lan")
      .says("no input interface")
      .helps("`from`");
    expectNatFinding("snat in lan -> 192.0.2.1", "misplaced-clause").underlines("in lan");
  });

  test("out, before the way out is chosen", () => {
    expectNatFinding("dnat tcp to self port 80 out lan -> 10.0.0.1", "misplaced-clause")
      .underlines("out lan")
      .says("before the kernel chooses the way out")
      .helps("`in`");
    expectNatFinding("redirect tcp out lan -> port 80", "misplaced-clause").underlines("out lan");
  });

  test("ports of protocols without ports", () => {
    expectNatFinding("masquerade gre -> ports 1024-2000", "port-without-protocol")
      .underlines("1024-2000")
      .relates("gre");
    expectNatFinding("snat icmp -> 192.0.2.1 ports 1024-2000", "port-without-protocol").underlines(
      "1024-2000",
    );
    expectNatFinding("dnat esp to self -> 10.0.0.1 port 80", "port-without-protocol")
      .underlines("80")
      .says("`esp` has no ports");
  });

  test("new ports without a protocol", () => {
    expectNatFinding("dnat to self -> 10.0.0.1 port 80", "port-without-protocol")
      .underlines("80")
      .helps("`tcp`");
    expectNatFinding("redirect -> port 80", "port-without-protocol").underlines("80");
  });

  test("port 0", () => {
    expectNatFinding("redirect tcp -> port 0", "bad-port").underlines("0");
    expectNatFinding("masquerade -> ports 0-100", "bad-port").underlines("0-100");
  });

  test("clauses of rules", () => {
    expectNatFinding('masquerade from 10.0.0.0/8 log "nat"', "sentence-syntax")
      .underlines("log")
      .helps("NAT sentences have no `log`");
    expectNatFinding("dnat tcp to self limit 1/second -> 10.0.0.1", "sentence-syntax").underlines("limit");
  });

  test("a rule among the NAT sentences", () => {
    expectNatFinding("allow tcp from any to self", "sentence-syntax").underlines("allow").helps("`rules:`");
  });

  test("a missing target", () => {
    expectNatFinding("snat from 10.0.0.0/8", "sentence-syntax")
      .says("ends too soon")
      .labels("expected `,`, `port`, `to`, `out` or `->`");
    expectNatFinding("redirect tcp -> 10.0.0.1", "sentence-syntax")
      .underlines("10.0.0.1")
      .labels("expected `port`");
    expectNatFinding("snat -> any", "sentence-syntax").underlines("any").labels("expected an address");
  });

  test("a clause twice", () => {
    expectNatFinding("masquerade out wan out lan", "duplicate-clause").underlines("out").relates("out");
  });

  test("an unreadable clause is reported once and without consequences", () => {
    expectNatFinding(
      "dnat tcp from 10.1 to self port 80 -> 10.0.0.1 port 80",
      "ambiguous-address",
    ).underlines("10.1");
  });
});

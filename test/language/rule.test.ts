import { describe, expect, test } from "vitest";
import type { RuleNode } from "../../src/language/ast.ts";
import { inWords, ruleOf } from "./support.ts";

/** The parts of a rule's node that a test names, spans as the words they cover. */
function expectRule(sentence: string, parts: Partial<Record<keyof RuleNode, unknown>>): void {
  expect(inWords(ruleOf(sentence))).toMatchObject(parts);
}

const any = { negated: false, addresses: [{ kind: "any", span: "any" }], ports: null, span: "any" };
const self = { negated: false, addresses: [{ kind: "self", span: "self" }], ports: null, span: "self" };

describe("a rule", () => {
  test("says nothing about what it leaves out", () => {
    expect(inWords(ruleOf("deny from any to self"))).toEqual({
      action: "deny",
      actionSpan: "deny",
      traffic: null,
      from: any,
      to: self,
      in: null,
      out: null,
      limit: null,
      log: null,
      replies: null,
      span: "deny from any to self",
    });
  });

  test.each(["allow", "deny", "reject"])("%s", (action) => {
    expectRule(`${action} tcp from any to self`, { action, actionSpan: action });
  });

  test("has its clauses in any order", () => {
    const clauses = [
      "from 10.0.0.0/8",
      "to self port 22",
      "in wan",
      "limit 3/minute",
      'log "ssh"',
      "replies",
    ];
    const usual = inWords(ruleOf(`allow tcp ${clauses.join(" ")}`)) as RuleNode;
    const reversed = inWords(ruleOf(`allow tcp ${clauses.toReversed().join(" ")}`)) as RuleNode;
    expect({ ...reversed, span: "" }).toEqual({ ...usual, span: "" });
  });

  test("may be spread over a line with tabs and blanks", () => {
    expectRule("allow \t tcp   from any\tto self", { span: "allow \t tcp   from any\tto self" });
  });

  test("ends where a comment begins", () => {
    expectRule("allow tcp from any to self # port 22", { to: self, span: "allow tcp from any to self" });
  });

  test("keeps a # in the middle of a text", () => {
    expectRule('allow tcp from any to self log "a # b"', { log: { prefix: "a # b", span: 'log "a # b"' } });
  });
});

describe("traffic", () => {
  test.each([
    ["tcp", 6],
    ["udp", 17],
    ["udplite", 136],
    ["sctp", 132],
    ["dccp", 33],
    ["icmp", "icmp"],
    ["icmp4", 1],
    ["icmp6", 58],
    ["ipv6-icmp", 58],
    ["igmp", 2],
    ["esp", 50],
    ["ah", 51],
    ["gre", 47],
    ["ipip", 4],
    ["ipv6", 41],
    ["ospf", 89],
    ["vrrp", 112],
    ["pim", 103],
    ["0", 0],
    ["255", 255],
  ])("%s", (word, protocol) => {
    expectRule(`allow ${word} from any to self`, {
      traffic: { kind: "protocol", protocol, icmp: null, ports: null, span: word },
    });
  });

  test("a service", () => {
    expectRule("allow ssh from any to self", { traffic: { kind: "name", name: "ssh", span: "ssh" } });
  });

  test.each([
    ["icmp echo-request", { type: 8, code: null }, { type: 128, code: null }],
    ["icmp echo-reply", { type: 0, code: null }, { type: 129, code: null }],
    ["icmp destination-unreachable", { type: 3, code: null }, { type: 1, code: null }],
    ["icmp port-unreachable", { type: 3, code: 3 }, { type: 1, code: 4 }],
    ["icmp packet-too-big", { type: 3, code: 4 }, { type: 2, code: null }],
    ["icmp time-exceeded", { type: 11, code: null }, { type: 3, code: null }],
    ["icmp parameter-problem", { type: 12, code: null }, { type: 4, code: null }],
    ["icmp redirect", { type: 5, code: null }, { type: 137, code: null }],
    ["icmp router-solicitation", { type: 10, code: null }, { type: 133, code: null }],
    ["icmp router-advertisement", { type: 9, code: null }, { type: 134, code: null }],
    ["icmp4 echo-request", { type: 8, code: null }, null],
    ["icmp4 timestamp-request", { type: 13, code: null }, null],
    ["icmp4 3/4", { type: 3, code: 4 }, null],
    ["icmp4 8", { type: 8, code: null }, null],
    ["icmp6 128", null, { type: 128, code: null }],
    ["icmp6 1/255", null, { type: 1, code: 255 }],
    ["icmp6 neighbour-solicitation", null, { type: 135, code: null }],
    ["icmp6 neighbor-solicitation", null, { type: 135, code: null }],
    ["ipv6-icmp echo-request", null, { type: 128, code: null }],
  ])("%s", (words, v4, v6) => {
    expectRule(`allow ${words} from any to self`, {
      traffic: expect.objectContaining({ icmp: { v4, v6, span: words.split(" ")[1] }, span: words }),
    });
  });
});

describe("a peer", () => {
  test("is a list of addresses of every kind", () => {
    expectRule("allow from web, 10.0.0.0/8, 192.0.2.10-192.0.2.20, 2001:db8::1, self to any", {
      from: {
        negated: false,
        addresses: [
          { kind: "name", name: "web", span: "web" },
          { kind: "literal", family: 4, first: "167772160", last: "184549375", span: "10.0.0.0/8" },
          {
            kind: "literal",
            family: 4,
            first: "3221225994",
            last: "3221226004",
            span: "192.0.2.10-192.0.2.20",
          },
          {
            kind: "literal",
            family: 6,
            first: "42540766411282592856903984951653826561",
            last: "42540766411282592856903984951653826561",
            span: "2001:db8::1",
          },
          { kind: "self", span: "self" },
        ],
        ports: null,
        span: "web, 10.0.0.0/8, 192.0.2.10-192.0.2.20, 2001:db8::1, self",
      },
    });
  });

  test("can be negated", () => {
    expectRule("allow from not web to any", { from: { negated: true, span: "not web" } });
  });

  test("has ports", () => {
    expectRule("allow tcp from any port 1024-65535 to self port not 80, 443, ssh", {
      from: {
        ports: {
          negated: false,
          ports: [{ kind: "range", first: 1024, last: 65535, span: "1024-65535" }],
          span: "port 1024-65535",
        },
        span: "any port 1024-65535",
      },
      to: {
        ports: {
          negated: true,
          ports: [
            { kind: "range", first: 80, last: 80, span: "80" },
            { kind: "range", first: 443, last: 443, span: "443" },
            { kind: "name", name: "ssh", span: "ssh" },
          ],
          span: "port not 80, 443, ssh",
        },
      },
    });
  });

  test("may have the name of a device, of an ICMP type or of a unit", () => {
    expectRule("allow from eth0 to echo-request, minute", {
      to: expect.objectContaining({ span: "echo-request, minute" }),
    });
  });
});

describe("further clauses", () => {
  test("in and out, with names, devices and patterns", () => {
    expectRule("allow from any to any in wan, eth0.100 out not br-*, 10", {
      in: {
        negated: false,
        names: [
          { text: "wan", span: "wan" },
          { text: "eth0.100", span: "eth0.100" },
        ],
        span: "in wan, eth0.100",
      },
      out: {
        negated: true,
        names: [
          { text: "br-*", span: "br-*" },
          { text: "10", span: "10" },
        ],
        span: "out not br-*, 10",
      },
    });
  });

  test("limit with a burst", () => {
    expectRule("allow from any to self limit 10/minute burst 20", {
      limit: { count: 10, unit: "minute", burst: 20, span: "limit 10/minute burst 20" },
    });
  });

  test.each([
    ["10/second", 5],
    ["1/minute", 5],
    ["1/day", 1],
    ["3/day", 3],
    ["7/day", 5],
  ])("limit %s has a burst of %i", (rate, burst) => {
    expectRule(`allow from any to self limit ${rate}`, { limit: expect.objectContaining({ burst }) });
  });

  test("log without a prefix", () => {
    expectRule("deny from any to self log", { log: { prefix: "", span: "log" } });
  });

  test("log with a prefix", () => {
    expectRule('deny from any to self log "dropped: it\'s"', {
      log: { prefix: "dropped: it's", span: 'log "dropped: it\'s"' },
    });
  });

  test("replies", () => {
    expectRule("allow tcp from self to any replies", { replies: "replies" });
  });
});

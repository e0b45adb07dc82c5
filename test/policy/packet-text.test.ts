import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describePacket } from "../../src/policy/describe.ts";
import { parsePacket } from "../../src/policy/parse-packet.ts";
import { randomPacket } from "../support/random-packet.ts";

describe("the text of a packet", () => {
  test("reads back as the same packet", () => {
    fc.assert(
      fc.property(randomPacket, ({ packet }) => {
        expect(parsePacket(describePacket(packet), null), describePacket(packet)).toEqual(packet);
      }),
    );
  });

  test.each([
    ["tcp 10.1.2.3:40000 > 192.0.2.1:11211 in eth0 flags syn", { path: "input", in: "eth0", opening: true }],
    ["tcp 10.1.2.3:40000 > 192.0.2.1:11211 in eth0 flags syn,ack", { opening: false }],
    ["udp [2001:db8::1]:53 > self:4000", { path: "input", in: "eth0", family: 6, destinationPort: 4000 }],
    ["udp self:53 > self:4000", { path: "loopback", in: "lo", out: "lo" }],
    ["icmp 10.1.2.3 > self echo-request", { protocol: 1, icmp: { type: 8, code: 0 } }],
    [
      "icmp self > 2001:db8::1 echo-reply out eth1",
      { protocol: 58, path: "output", icmp: { type: 129, code: 0 } },
    ],
    ["icmp 10.0.0.1 > 10.0.0.2 3/4 in a out b", { path: "forward", icmp: { type: 3, code: 4 } }],
    ["47 10.0.0.1 > 10.0.0.2 in eth0", { protocol: 47, sourcePort: null }],
  ])("%s", (text, expected) => {
    expect(parsePacket(text, null)).toMatchObject(expected);
  });

  test("self is the first of this host's own addresses", () => {
    const self = { name: null, v4: [{ first: 7n, last: 9n }], v6: [] };
    expect(parsePacket("gre 10.0.0.1 > self", self)).toMatchObject({ destination: 7n });
  });

  test.each([
    ["tpc 10.0.0.1:1 > 10.0.0.2:2 in a", "tpc", "no protocol is called `tpc`", "did you mean `tcp`?"],
    ["tcp 10.0.0.1 > 10.0.0.2:2 in a", "10.0.0.1", "the port is missing", "write `ADDRESS:PORT`"],
    ["gre 10.0.0.1:4 > 10.0.0.2 in a", "10.0.0.1:4", "this protocol has no ports", "leave the port out"],
    [
      "udp 10.0.0.1:1 10.0.0.2:2 in a",
      "10.0.0.2:2",
      "`>` must stand between the two ends",
      /write a packet as/,
    ],
    ["udp 10.0.0.1:1 > [::1]:2 in a", "[::1]:2", "the two ends are of different IP versions", /one version/],
    ["udp 10.0.0.1:70000 > 10.0.0.2:2 in a", "10.0.0.1:70000", "a port is at most 65535", /smaller/],
    ["udp 10.0.0.0/8:1 > 10.0.0.2:2 in a", "10.0.0.0/8:1", /is no address/, /one address/],
    ["icmp 10.0.0.1 > self echo-requst", "echo-requst", /no ICMP type/, "did you mean `echo-request`?"],
    ["udp 10.0.0.1:1 > 10.0.0.2:2", "10.0.0.1:1 > 10.0.0.2:2", /which way/, /add `in DEVICE`/],
    ["udp 10.0.0.1:1 > 10.0.0.2:2 in a in b", "in", "`in` is written twice", /keep one/],
    ["udp 10.0.0.1:1 > self:2 flags syn", "syn", "only TCP has flags", /leave/],
    ["tcp 10.0.0.1:1 > self:2 flags sin", "sin", "TCP has no flag `sin`", /flags are syn/],
    ["udp 10.0.0.1:1 > self:2 via x", "via", "`via` has no place here", /in DEVICE/],
  ])("%s is refused", (text, underlined, fault, help) => {
    const answer = parsePacket(text, null);
    if (!("fault" in answer)) throw new Error("was read as a packet");
    expect(text.slice(answer.start).startsWith(underlined)).toBe(true);
    expect(answer.fault).toMatch(fault);
    expect(answer.help).toMatch(help);
  });

  test("the text that ends too early is missed at its end", () => {
    expect(parsePacket("tcp 10.0.0.1:1 ", null)).toMatchObject({ fault: "`>` is missing", start: 14 });
    expect(parsePacket("", null)).toMatchObject({ fault: "the protocol is missing", start: 0 });
  });
});

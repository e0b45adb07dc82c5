import { describe, expect, test } from "vitest";
import { expectFileFinding, inWords, serviceOf, serviceWith } from "./support.ts";

const ports = (...numbers: [number, number][]) =>
  expect.objectContaining({
    negated: false,
    ports: numbers.map(([first, last]) => expect.objectContaining({ first, last })),
  });

describe("a service", () => {
  test.each([
    ["tcp 22", 6, ports([22, 22])],
    ["tcp 80, 443", 6, ports([80, 80], [443, 443])],
    ["udp 8000-8100", 17, ports([8000, 8100])],
    ["tcp", 6, null],
    ["esp", 50, null],
    ["99", 99, null],
    ["17 53", 17, ports([53, 53])],
    ["icmp", "icmp", null],
  ])("%s", (words, protocol, expectedPorts) => {
    expect(inWords(serviceOf(`"${words}"`).members)).toEqual([
      { kind: "protocol", protocol, icmp: null, ports: expectedPorts, span: words },
    ]);
  });

  test("an ICMP type", () => {
    expect(inWords(serviceOf("icmp echo-request").members)).toMatchObject([
      { icmp: { v4: { type: 8 }, v6: { type: 128 }, span: "echo-request" }, span: "icmp echo-request" },
    ]);
  });

  test("several of them", () => {
    const { members } = serviceOf('[tcp 53, udp 53, "tcp 853, 8853"]');
    expect(inWords(members)).toMatchObject([
      { span: "tcp 53" },
      { span: "udp 53" },
      { span: "tcp 853, 8853" },
    ]);
  });

  test("is spared the mistake of a comma that YAML takes", () => {
    expectFileFinding(serviceWith("[tcp 80, 443]"), "bad-protocol").underlines("443").helps('"tcp 80, 443"');
  });

  test("has a protocol in front of its ports", () => {
    expectFileFinding(serviceWith("443"), "bad-protocol").underlines("443").helps("`tcp 443`");
  });

  test("consists of no other service", () => {
    expectFileFinding(serviceWith("web"), "sentence-syntax").underlines("web").helps("not of other services");
  });

  test("has ports without the word port", () => {
    expectFileFinding(serviceWith("tcp port 80"), "sentence-syntax")
      .underlines("port")
      .helps("leave `port` out");
  });

  test("has ports only where there are some", () => {
    expectFileFinding(serviceWith("gre 80"), "port-without-protocol").underlines("80");
    expectFileFinding(serviceWith("tcp http"), "bad-port").underlines("http");
    expectFileFinding(serviceWith("icmp 8"), "bad-icmp-type").underlines("8");
  });
});

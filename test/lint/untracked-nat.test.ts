import { describe, expect, test } from "vitest";
import {
  expectClean,
  expectFinding,
  expectFindingAt,
  head,
  host,
  lintText,
  nat,
  symmetric,
  tracked,
  untracked,
} from "./support.ts";

const CHECK = "untracked-nat";

describe("source NAT", () => {
  const RULE = "allow udp from 10.0.0.0/8 to any port 443 in eth1 out eth0";
  test("masquerade over an untracked source", () => {
    const sentence = "masquerade from 10.0.0.0/8 out eth0";
    expectFinding(host(symmetric(RULE), nat(sentence)), CHECK)
      .underlines(RULE)
      .relates(sentence, /would translate it/)
      .notes(/^packet: udp 10\.0\.0\.2:40000 > 192\.0\.2\.2:443 in eth1 out eth0$/m)
      .notes(/all of them: udp 10\.0\.0\.0\/8 → any port 443 in eth1 out eth0$/m)
      .notes(/private address leaks/)
      .helps(/track this traffic, or exclude it/);
  });
  test.each([
    ["other addresses", "masquerade from 172.16.0.0/12 out eth0"],
    ["another interface", "masquerade from 10.0.0.0/8 out eth2"],
    ["another protocol", "masquerade tcp from 10.0.0.0/8 out eth0"],
    ["what is left", "masquerade from 10.0.0.0/8 to not any port 443 out eth0"],
  ])("a sentence for %s", (name, sentence) => {
    if (name === "what is left")
      return expect(lintText(host(symmetric(RULE), nat(sentence)))).not.toEqual([]);
    return expectClean(host(tracked("allow from any to any out eth0, eth2"), nat(sentence)));
  });
  test("an earlier tracked rule takes the packets that would be translated", () => {
    expectClean(
      host(tracked("allow udp from 10.0.0.0/8 to any port 443"), nat("masquerade from 10.0.0.0/8 out eth0")),
    );
  });
  test("what this host sends itself is translated too", () => {
    expectFindingAt(
      host(
        symmetric("allow udp from self port 4789 to 10.9.0.0/16"),
        nat("snat from 10.0.0.0/8 to 10.9.0.0/16 out eth0 -> 192.0.2.9"),
      ),
      CHECK,
      "allow udp from self port 4789 to 10.9.0.0/16",
    ).notes(/ out eth0$/m);
  });
  test("but not what arrives here, nor loopback", () => {
    expectClean(
      host(
        head('host: { addresses: ["2001:db8::1", 203.0.113.9] }'),
        symmetric("allow tcp from 10.0.0.0/8 to self port 80"),
        nat("masquerade udp from 10.0.0.0/8 to any out eth0 -> ports 1024-2000"),
      ),
    );
  });
});

describe("destination NAT", () => {
  test("dnat of an untracked port", () => {
    const rule = "allow tcp from any to self port 8080";
    const sentence = "dnat tcp from any to self port 8080 in eth0 -> 10.0.0.5 port 80";
    expectFindingAt(
      host(symmetric(rule), tracked("allow tcp from any to 10.0.0.5 port 80"), nat(sentence)),
      CHECK,
      rule,
    )
      .relates(sentence)
      .notes(/goes where it was addressed to, not where the sentence sends it/);
  });
  test("a redirect", () => {
    expectFindingAt(
      host(
        symmetric("allow udp from 10.0.0.0/8 to any port 53"),
        nat("redirect udp from 10.0.0.0/8 to any port 53 in eth1 -> port 5353"),
      ),
      CHECK,
      "allow udp from 10.0.0.0/8 to any port 53",
    );
  });
  test("another port", () => {
    expectClean(
      host(
        symmetric("allow tcp from 10.0.0.0/8 to self port 8081"),
        tracked("allow tcp from any to 10.0.0.5 port 80"),
        nat("dnat tcp from any to self port 8080 in eth0 -> 10.0.0.5 port 80"),
      ),
    );
  });
});

test("untracked denies meet no NAT", () => {
  expectClean(
    host(
      untracked("deny from 10.9.0.0/16 to any"),
      tracked("allow from 10.0.0.0/8 to any out eth0"),
      nat("masquerade from 10.0.0.0/8 out eth0"),
    ),
  );
});

import { describe, expect, test } from "vitest";
import {
  expectClean,
  expectFinding,
  expectFindingAt,
  head,
  host,
  nat,
  symmetric,
  symmetricBoth,
  tracked,
} from "./support.ts";

const CHECK = "untracked-nat-reply";
const HOST = head("host: { addresses: [192.0.2.1] }", "defaults: { output: deny }");
const CONTAINERS = tracked("allow udp from 172.17.0.0/16 to any in docker0 out eth0");
const VXLAN = "allow udp from 192.0.2.0/24 to self port 4789";

describe("source NAT", () => {
  test("masquerade may draw a port that an untracked rule takes", () => {
    const sentence = "masquerade from 172.17.0.0/16 out eth0";
    expectFinding(host(HOST, symmetric(VXLAN), CONTAINERS, nat(sentence)), CHECK)
      .underlines(sentence)
      .relates(VXLAN, /takes the answer/)
      .notes(
        /^packet: udp 192\.0\.2\.1:4789 > 192\.0\.2\.\d+:443 out eth0 {2}\(translated\)\nreply: {2}udp 192\.0\.2\.\d+:443 > 192\.0\.2\.1:4789 in eth0$/m,
      )
      .notes(/now and then, whenever such a port is drawn/)
      .helps(/-> ports 4790-65535/)
      .fixedBy("masquerade from 172.17.0.0/16 out eth0 -> ports 4790-65535");
  });

  test("all flows whose answers get lost are named, over both IP versions", () => {
    const finding = expectFinding(
      host(
        head('host: { addresses: [192.0.2.1, "2001:db8::1"] }', "defaults: { output: deny }"),
        symmetric(
          "allow udp from 192.0.2.0/24 to self port 4789",
          "allow udp from 2001:db8:1::/48 to self port 50000",
        ),
        tracked("allow udp from 172.17.0.0/16, fd00::/8 to any out eth0"),
        nat("masquerade from 172.17.0.0/16, fd00::/8 out eth0"),
      ),
      CHECK,
    );
    finding.notes(
      /^all of them:\n {2}udp self port 4789 → 192\.0\.2\.0\/24 out eth0\n {2}udp self port 50000 → 2001:db8:1::\/48 out eth0$/m,
    );
    // Ports that one IP version alone may not draw are no ports to draw.
    finding.helps(/-> ports 4790-49999/);
  });

  test("the packet shown does not go where it comes from", () => {
    expectFinding(
      host(
        head("defaults: { output: deny }"),
        symmetric("allow udp from 203.0.113.0/24 to 203.0.113.0/24 port 4789 in eth0"),
        tracked("allow udp from 172.17.0.0/16 to 203.0.113.0/24 out eth0"),
        nat("masquerade from 172.17.0.0/16 out eth0"),
      ),
      CHECK,
    ).notes(
      /^packet: udp 203\.0\.113\.(\d+):4789 > 203\.0\.113\.(?!\1:)\d+:443 out eth0 {2}\(translated\)$/m,
    );
  });

  test("a written range that holds the port is narrowed", () => {
    const sentence = "masquerade from 172.17.0.0/16 out eth0 -> ports 1024-29999";
    expectFinding(host(HOST, symmetric(VXLAN), CONTAINERS, nat(sentence)), CHECK)
      .helps(/-> ports 4790-29999/)
      .fixedBy("masquerade from 172.17.0.0/16 out eth0 -> ports 4790-29999");
  });

  test.each([
    ["a range without the port", "masquerade from 172.17.0.0/16 out eth0 -> ports 10000-60000"],
    ["no UDP", "masquerade tcp from 172.17.0.0/16 out eth0"],
    ["another interface than answers come in on", "masquerade from 172.17.0.0/16 out eth9"],
  ])("%s is clean", (_, sentence) => {
    expectClean(
      host(
        HOST,
        symmetric(`${VXLAN} in eth0`),
        tracked("allow from 172.17.0.0/16 to any in docker0 out eth0, eth9"),
        nat(sentence),
      ),
    );
  });

  test("an untracked rule for other remote addresses takes no answers", () => {
    expectClean(
      host(
        HOST,
        symmetric("allow udp from 198.51.100.0/24 to self port 4789"),
        tracked("allow udp from 172.17.0.0/16 to 203.0.113.0/24 in docker0 out eth0"),
        nat("masquerade from 172.17.0.0/16 out eth0"),
      ),
    );
  });

  test("nothing tracked is translated, so nothing breaks", () => {
    expectClean(host(HOST, symmetric(VXLAN), nat("masquerade from 172.17.0.0/16 out eth0")));
  });

  test("a pool has the addresses that the untracked rule names", () => {
    const rule = "allow udp from 203.0.113.0/24 to 198.51.100.40 port 4789 in eth0";
    expectFindingAt(
      host(
        HOST,
        symmetric(rule),
        CONTAINERS,
        nat("snat from 172.17.0.0/16 out eth0 -> 198.51.100.40-198.51.100.43"),
      ),
      CHECK,
      "snat from 172.17.0.0/16 out eth0 -> 198.51.100.40-198.51.100.43",
    ).relates(rule);
    expectClean(
      host(
        HOST,
        symmetric(rule),
        CONTAINERS,
        nat("snat from 172.17.0.0/16 out eth0 -> 198.51.100.41-198.51.100.43"),
      ),
    );
  });

  test("host.addresses are where masquerade's answers come back to", () => {
    const rule = "allow udp from 203.0.113.0/24 to 198.51.100.40 port 4789 in eth0";
    expectClean(host(HOST, symmetric(rule), CONTAINERS, nat("masquerade from 172.17.0.0/16 out eth0")));
    expectFinding(
      host(
        head("defaults: { output: deny }"),
        symmetric(rule),
        CONTAINERS,
        nat("masquerade from 172.17.0.0/16 out eth0"),
      ),
      CHECK,
    );
  });

  test("a host whose own address is in the prefix that it hides", () => {
    expectFindingAt(
      host(
        head("host: { addresses: [10.0.0.1] }", "defaults: { output: deny }"),
        symmetric("allow udp from any to self port 4789"),
        tracked("allow udp from 10.0.0.0/8 to any in eth1 out eth0"),
        nat("masquerade from 10.0.0.0/8 out eth0"),
      ),
      CHECK,
      "masquerade from 10.0.0.0/8 out eth0",
    ).notes(/10\.0\.0\.1:4789/);
  });

  test("ICMP has no ports to narrow", () => {
    expectFinding(
      host(
        HOST,
        symmetricBoth("allow icmp echo-reply from any to self"),
        tracked("allow icmp echo-request from 172.17.0.0/16 to any out eth0"),
        nat("masquerade icmp from 172.17.0.0/16 out eth0"),
      ),
      CHECK,
    )
      .notes(/reply: {2}icmp .* echo-reply in eth0/)
      .helps(/exclude this traffic/);
  });
});

describe("destination NAT", () => {
  test("the server behind a dnat answers from an untracked port", () => {
    const rule = "allow tcp from any port 80 to any in eth1 replies";
    const sentence = "dnat tcp from any to self port 8080 in eth0 -> 10.0.0.5 port 80";
    expectFindingAt(
      host(HOST, symmetric(rule), tracked("allow tcp from any to 10.0.0.5 port 80"), nat(sentence)),
      CHECK,
      sentence,
    )
      .relates(rule)
      .notes(/10\.0\.0\.5:80/);
  });
  test("another port is clean", () => {
    expectClean(
      host(
        HOST,
        symmetric("allow tcp from 10.1.0.0/16 to self port 81 in eth1"),
        tracked("allow tcp from any to 10.0.0.5 port 80"),
        nat("dnat tcp from any to self port 8080 in eth0 -> 10.0.0.5 port 80"),
      ),
    );
  });
});

test("every sentence is told of", () => {
  const both = ["masquerade from 172.17.0.0/16 out eth0", "masquerade from 172.18.0.0/16 out eth0"] as const;
  const text = host(
    HOST,
    symmetric(VXLAN),
    tracked("allow udp from 172.16.0.0/12 to any in docker0 out eth0"),
    nat(...both),
  );
  for (const sentence of both) expect(expectFindingAt(text, CHECK, sentence).finding.level).toBe("error");
});

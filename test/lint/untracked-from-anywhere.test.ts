import { describe, test } from "vitest";
import { expectClean, expectFindingAt, head, host, symmetric, symmetricBoth, tracked } from "./support.ts";

const CHECK = "untracked-from-anywhere";
const OUT = head("defaults: { output: deny }");

test.each([
  "allow from any to self",
  "allow tcp from any to self",
  "allow udp from any to any",
  "allow udp from any port 53 to self",
  "allow tcp from any to 192.0.2.0/24",
])("%s", (rule) => {
  expectFindingAt(host(OUT, symmetricBoth(rule)), CHECK, rule)
    .notes(/replies to nothing/)
    .helps(/name the ports/);
});

describe("clean", () => {
  test.each([
    ["ports are named", symmetric("allow tcp from any to self port 80")],
    ["the senders are named", symmetric("allow tcp from 10.0.0.0/8 to self")],
    ["all but some are senders", symmetric("allow tcp from not 10.0.0.0/8 to self port 80")],
    ["no ports to reach", symmetric("allow icmp echo-request from any to self")],
    ["it is tracked", tracked("allow udp from any to self")],
    ["it only sends", symmetricBoth("allow udp from self to any")],
  ])("%s", (_, section) => expectClean(host(OUT, section)));
});

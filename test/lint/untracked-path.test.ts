import { expect, test } from "vitest";
import {
  expectClean,
  expectFindingAt,
  head,
  host,
  lintText,
  symmetric,
  tracked,
  untracked,
} from "./support.ts";

const CHECK = "untracked-path";

test("a tracked rule keeps what leaves elsewhere: raw does not know where a packet leaves", () => {
  const rule = "allow udp from 10.0.0.0/8 to any port 53 out eth1";
  const other = "allow udp from 10.0.0.0/8 to any out eth0";
  expectFindingAt(host(symmetric(rule), tracked(other)), CHECK, rule)
    .relates(other, /means the packet to be tracked/)
    .notes(/^packet: udp .* out eth0$/m)
    .notes(/decided before it is routed/)
    .helps(/by addresses or by `in`/);
});

test("a tracked rule above, that only `out` tells apart, cannot keep its packets", () => {
  const kept = "allow udp from 10.0.0.0/8 to any port 53 out eth0";
  const rule = "allow udp from 10.0.0.0/8 to any port 53 in eth1";
  expectFindingAt(host(tracked(kept), symmetric(rule)), CHECK, rule).relates(kept);
});

test("told apart by `in` or by addresses, it is clean", () => {
  expectClean(
    host(
      symmetric("allow udp from 10.0.0.0/8 to 10.1.0.0/16 port 53 out eth1"),
      tracked("allow udp from 10.0.0.0/8 to 192.0.2.0/24 out eth0"),
    ),
  );
  expectClean(
    host(
      symmetric("allow udp from 10.0.0.0/8 to any port 53 in eth2 out eth1"),
      tracked("allow tcp from 10.0.0.0/8 to any in eth3 out eth0"),
    ),
  );
});

test("what is denied elsewhere is denied all the same, and no error", () => {
  expectClean(host(symmetric("allow udp from 10.0.0.0/8 to any port 53 out eth1")));
});

test("what this host sends is marked where the output interface is known", () => {
  expectClean(
    host(
      head("defaults: { output: deny }"),
      symmetric("allow udp from self to 10.0.0.0/8 port 53 out eth1"),
      tracked("allow udp from self to 10.0.0.0/8 out eth0"),
    ),
  );
});

test("raw cannot count what it may not even be asked about", () => {
  const counted = "allow icmp4 3/4 from 192.0.2.0/24 to 10.0.0.0/8 limit 5/second";
  const asking = "deny icmp4 from any to 10.0.0.0/9 out eth0";
  const text = host(untracked(counted), tracked(asking));
  expect(lintText(text).map(({ message }) => message)).toContain(
    "raw counts these packets before it is known where they leave",
  );
  expectFindingAt(text, CHECK, counted).relates(asking, /asks where the packet leaves/);
});

test("what another rule takes first nobody counts", () => {
  const first = "allow icmp4 3/4 from 192.0.0.0/16 to 10.0.0.0/8";
  const counted = "allow icmp4 3/4 from 192.0.2.0/24 to 10.0.0.0/9 limit 5/second";
  const asking = "deny icmp4 from any to 10.0.0.0/9 out eth0";
  expectClean(host(untracked(first, counted), tracked(asking)));
});

test("an error about a tracked flow that a deny by `out` would not stop, and that raw untracks", () => {
  const errors = "allow icmp4 3/4 from 192.0.2.0/24 to 10.0.0.0/8";
  const asking = "deny icmp4 from any to 10.0.0.0/8 out eth0";
  const open = head("defaults: { forward: allow }");
  const bare = head("defaults: { forward: allow }", "essentials: false");
  expectFindingAt(host(bare, tracked(asking), untracked(errors)), CHECK, errors).relates(asking);
  // Essential errors pass whatever they are, and where nothing else is forwarded they are about no flow.
  expectClean(host(open, tracked(asking), untracked(errors)));
  expectClean(host(head("essentials: false"), tracked(asking), untracked(errors)));
});

test("a limited rule keeps its packets tracked, which raw cannot tell by `out`", () => {
  const kept = "deny icmp4 from any to 10.0.0.0/8 out eth0 limit 5/second";
  const rule = "allow icmp4 3/4 from 192.0.2.0/24 to 10.0.0.0/8";
  expectFindingAt(host(tracked(kept), untracked(rule)), CHECK, rule).relates(kept);
  expectClean(host(tracked(kept.replace("out eth0", "in eth0")), untracked(rule)));
});

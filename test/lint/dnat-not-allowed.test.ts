import { describe, test } from "vitest";
import { expectClean, expectFinding, head, host, nat, tracked, untracked } from "./support.ts";

const CHECK = "dnat-not-allowed";
const DNAT = "dnat tcp from any to self port 8080 in eth0 -> 10.0.0.5 port 80";

test("no rule allows what is forwarded to the new destination", () => {
  expectFinding(host(nat(DNAT)), CHECK)
    .underlines(DNAT)
    .notes(/^packet: tcp .* > 10\.0\.0\.5:80 in eth0 out .* flags syn {2}\(translated\)$/m)
    .notes(/default of forward \(`deny`\)/)
    .helps(/^add a rule for .* such as `allow tcp from any to 10\.0\.0\.5 port 80`$/);
});

test("a rule for the old destination does not help", () => {
  expectFinding(host(tracked("allow tcp from any to self port 8080 in eth0"), nat(DNAT)), CHECK);
});

test("a rule denies it", () => {
  const deny = "deny from any to 10.0.0.0/8";
  expectFinding(host(tracked(deny, "allow tcp from any to any port 80"), nat(DNAT)), CHECK)
    .relates(deny)
    .helps(/^above it, add a rule/);
});

test("an earlier sentence takes all of it", () => {
  expectClean(
    host(
      tracked("allow tcp from any to 10.0.0.6 port 80"),
      nat("dnat tcp from any to self port 8080 in eth0 -> 10.0.0.6 port 80", DNAT),
    ),
  );
});

describe("clean", () => {
  test("a rule allows the translated packet", () => {
    expectClean(host(tracked("allow tcp from any to 10.0.0.5 port 80 in eth0"), nat(DNAT)));
  });
  test("a part is enough: the rest may be meant to stay out", () => {
    expectClean(host(tracked("allow tcp from 198.51.100.0/24 to 10.0.0.5 port 80"), nat(DNAT)));
  });
  test("forward is allowed by default", () => {
    expectClean(host(head("defaults: { forward: allow }"), nat(DNAT)));
  });
  test("a redirect to a port that is open", () => {
    expectClean(
      host(
        tracked("allow udp from any to self port 5353"),
        nat("redirect udp from any to any port 53 in eth1 -> port 5353"),
      ),
    );
  });
});

test("a redirect to a port that is closed", () => {
  expectFinding(host(nat("redirect udp from any to any port 53 in eth1 -> port 5353")), CHECK)
    .notes(/:5353 in eth1/)
    .helps(/`allow udp from any to self port 5353`/);
});

test("an untracked deny drops it before it is translated", () => {
  expectClean(host(untracked("deny tcp from any to self port 8080"), nat(DNAT)));
});

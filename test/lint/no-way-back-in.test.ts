import { describe, test } from "vitest";
import { expectClean, expectFinding, file, head, nat, symmetric, tracked, untracked } from "./support.ts";

const CHECK = "no-way-back-in";
const WEB = tracked("allow tcp from any to self port 443");

test("input is denied and nothing opens SSH", () => {
  expectFinding(file(WEB), CHECK)
    .underlines("policy 1")
    .helps(/allow tcp from ADMINS to self port 22/);
});

test("replies do not open a connection", () => {
  expectFinding(file(WEB, tracked("allow tcp from any to self port 22 replies")), CHECK);
});

test("a rule for what is forwarded does not open this host", () => {
  expectFinding(file(tracked("allow tcp from any to any port 22 in eth0 out eth1")), CHECK);
});

test("an earlier deny takes it away again", () => {
  expectFinding(file(tracked("deny tcp from any to self port 1-3000", "allow tcp from any to self")), CHECK);
});

describe("clean", () => {
  test.each([
    ["a tracked rule", tracked("allow tcp from 192.0.2.0/24 to self port 22")],
    ["an untracked rule", symmetric("allow tcp from 192.0.2.0/24 to self port 22")],
    ["IPv6 alone", tracked('"allow tcp from 2001:db8::/32 to self port 22"')],
    ["a limit", tracked("allow tcp from any to self port 22 limit 5/minute")],
    ["the other port", tracked("allow tcp from any to self port 2222")],
    ["every protocol", tracked("allow from 192.0.2.0/24 to self")],
  ])("%s", (_, section) => expectClean(file(section)));

  test("input is allowed by default", () => {
    expectClean(file(head("defaults: { input: allow }"), tracked("deny udp from any to self")));
  });

  test("a policy that only forwards and says so is warned all the same", () => {
    expectFinding(
      file(tracked("allow from 10.0.0.0/8 to any out eth0"), nat("masquerade from 10.0.0.0/8 out eth0")),
      CHECK,
    );
  });
});

test("an untracked deny of everything else does not hide it", () => {
  expectClean(
    file(tracked("allow tcp from any to self port 22"), untracked("deny udp from any to self port 1-1023")),
  );
});

import { describe, test } from "vitest";
import {
  expectClean,
  expectFinding,
  expectFindingAt,
  expectFindings,
  head,
  host,
  symmetric,
  tracked,
  untracked,
} from "./support.ts";

const CHECK = "shadowed-rule";

test("one earlier rule decides everything, and otherwise", () => {
  const deny = "deny from 10.0.0.0/8 to any";
  const allow = "allow tcp from 10.1.0.0/16 to self port 80";
  expectFinding(host(tracked(deny, allow)), CHECK)
    .underlines(allow)
    .relates(deny, /^all of its packets are denied here$/)
    .helps(/move it above/);
});

test("several together do", () => {
  const low = "deny from 10.0.0.0/9 to any";
  const high = "deny from 10.128.0.0/9 to any";
  expectFinding(host(tracked(low, high, "allow tcp from 10.0.0.0/8 to self port 80")), CHECK)
    .relates(low, /^50 % of its packets are denied here$/)
    .relates(high, /^50 % of its packets are denied here$/);
});

test("the largest with another verdict is shown, however small it is", () => {
  const few = "deny from 10.0.0.1 to any";
  expectFinding(
    host(
      tracked(
        "allow tcp from 10.0.0.0/10 to self",
        "allow tcp from 10.64.0.0/10 to self",
        "allow tcp from 10.128.0.0/10 to self",
        "allow tcp from 10.192.0.0/10 to self",
      ),
    )
      .replace("      - allow tcp from 10.0.0.0/10 to self\n", (first) => `      - ${few}\n${first}`)
      .replace(
        "  - name: policy 2\n    rules:\n",
        (start) => `${start}      - allow tcp from 10.0.0.0/8 to self port 80\n`,
      ),
    CHECK,
  ).relates(few, /^a few of its packets are denied here$/);
});

test("tracked and untracked are different verdicts", () => {
  expectFinding(
    host(
      tracked("allow udp from 10.0.0.0/8 to any", "allow udp from any to 10.0.0.0/8"),
      symmetric("allow udp from 10.1.0.0/16 to self port 53"),
    ),
    CHECK,
  ).relates("allow udp from 10.0.0.0/8 to any", /^all of its packets are allowed here, tracked$/);
});

test("to the sender a reject is not a deny", () => {
  expectFinding(
    host(tracked("deny tcp from any to self port 113", "reject tcp from 10.0.0.0/8 to self port 113")),
    CHECK,
  );
});

describe("clean", () => {
  test("a part is left", () => {
    expectClean(host(tracked("deny from 10.0.0.0/9 to any", "allow tcp from 10.0.0.0/8 to self port 80")));
  });
  test("an earlier rule with a limit lets packets through when it has no room", () => {
    expectClean(
      host(
        tracked(
          "allow icmp echo-request from any to self limit 5/second",
          "reject icmp echo-request from any to self",
        ),
      ),
    );
  });
  test("one IP version is left", () => {
    expectClean(
      host(tracked("deny tcp from 0.0.0.0/0 to self port 80", "allow tcp from any to self port 80")),
    );
  });
  test("a deny that loopback does not heed is no news", () => {
    expectFindings(
      host(
        head("defaults: { input: deny }"),
        tracked("deny tcp from any to self port 80", "allow tcp from 10.0.0.0/8 to self port 80 in eth0"),
      ),
      [CHECK],
    );
  });
});

test("the mirrors of a rule are no rules of their own", () => {
  expectFindingAt(
    host(untracked("deny from any to 10.0.0.0/8"), symmetric("allow tcp from 10.0.0.0/8 to self port 80")),
    "untracked-reply-denied",
    "allow tcp from 10.0.0.0/8 to self port 80",
  );
});

import { test } from "vitest";
import { expectClean, expectFinding, host, nat, tracked } from "./support.ts";

const OUT = tracked("allow from 10.0.0.0/8 to any out eth0");

test.each([
  ["masquerade from 10.0.0.0/8 out eth0 keep-ports", "  - masquerade from 10.0.0.0/8 out eth0\n"],
  [
    "snat from 10.0.0.0/8 out eth0 -> 192.0.2.1 keep-ports",
    "  - snat from 10.0.0.0/8 out eth0 -> 192.0.2.1\n",
  ],
  [
    "masquerade from 10.0.0.0/8 out eth0 -> ports 1024-2000 keep-ports",
    "  - masquerade from 10.0.0.0/8 out eth0 -> ports 1024-2000\n",
  ],
])("%s", (sentence, fixed) => {
  expectFinding(host(OUT, nat(sentence)), "keep-ports")
    .underlines("keep-ports")
    .notes(/same port; one of them is dropped/)
    .helps(/take `keep-ports` out/)
    .fixedBy(fixed);
});

test("random ports are clean", () => {
  expectClean(host(OUT, nat("masquerade from 10.0.0.0/8 out eth0")));
});

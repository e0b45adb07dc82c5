import { describe, expect, test } from "vitest";
import { lower } from "../../src/lower/lower.ts";
import { policyOf } from "../support/policy.ts";

/** The lines that raw has before routing, each as the kinds of its tests. */
function prerouting(rules: string, rest = ""): readonly string[] {
  const policy = policyOf(
    `version: 1\npolicies:\n  - name: p\n    doNotTrack: true\n    rules:\n${rules}${rest}`,
  );
  const chain = lower(policy).chains.find(({ table, name }) => table === "raw" && name === "prerouting");
  return (chain?.rules ?? []).map(({ matches }) => matches.map(({ kind }) => kind).join(" "));
}

const SERVE = "      - allow udp from any to self port 53\n";
const also = (rule: string): string => `  - name: q\n    rules: ["${rule}"]\n`;
const UNASKED = "protocol port";
const ASKED = "protocol port address-type";

describe("where nothing is forwarded, nobody asks before routing what is for this host", () => {
  test("for an allow and a deny", () => {
    expect(prerouting(`      - deny udp from 192.0.2.0/24 to self port 53\n${SERVE}`)).toEqual([
      "interface",
      "protocol port address",
      UNASKED,
    ]);
  });
  test("denies of what is forwarded change nothing", () => {
    expect(prerouting(SERVE, also("deny from any to 10.0.0.0/8"))).toEqual([UNASKED]);
  });
  test.each([
    ["an allow of what is forwarded", SERVE, also("allow tcp from any to 10.0.0.1 port 80")],
    ["a default", SERVE, "defaults: { forward: allow }\n"],
    ["a reject, which answers", SERVE, also("reject from any to 10.0.0.0/8")],
    ["a log, which tells", SERVE, also("deny from any to 10.0.0.0/8 log")],
    ["destination NAT", SERVE, "nat:\n  - dnat tcp from any to 10.0.0.1 port 80 -> 10.0.0.2\n"],
    ["an untracked deny of what is forwarded", `${SERVE}      - deny udp from any to 10.0.0.0/8\n`, ""],
    ["a limit, which counts", "      - allow udp from any to self port 53 limit 5/second\n", ""],
    ["a log of its own", '      - allow udp from any to self port 53 log "dns"\n', ""],
  ])("but not with %s", (_, rules, rest) => {
    expect(prerouting(rules, rest)).toContainEqual(expect.stringMatching(new RegExp(`^${ASKED}`)));
  });
});

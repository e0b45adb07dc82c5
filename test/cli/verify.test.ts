import { beforeAll, describe, expect, test } from "vitest";
import { FORMAT_NAMES } from "../../src/report/formats.ts";
import { FAULTY, POLICY, workshop } from "./run.ts";

const { ctc, file } = workshop();

let nft = "";
let rules = "";

beforeAll(() => {
  file("policy.yaml", POLICY);
  nft = ctc(["compile", "policy.yaml"]).out;
  rules = ctc(["compile", "policy.yaml", "--target", "iptables"]).out;
  file("same.nft", nft);
  file("rules.v4", rules);
  file("wide.nft", nft.replace("tcp dport 22 ip saddr 192.0.2.0/24", "tcp dport 22 ip saddr 192.0.2.0/23"));
  file("unknown.nft", nft.replace("tcp dport 22 ip saddr", "ip ttl 64 tcp dport 22 ip saddr"));
  file("broken.nft", `${nft}}\n`);
});

test("without a script those of the compiler are proved", () => {
  expect(ctc(["verify", "policy.yaml"])).toEqual({
    exit: 0,
    out: "equal for every packet: ruleset.nft, rules.v4, rules.v6 and policy.yaml\n",
    err: "",
  });
});

test("scripts that are equal are said to be", () => {
  expect(ctc(["verify", "policy.yaml", "same.nft", "rules.v4"])).toEqual({
    exit: 0,
    out: "equal for every packet: same.nft, rules.v4 and policy.yaml\n",
    err: "",
  });
});

describe("exit code 1", () => {
  test("a script that lets more pass: the line, the packets and one of them", () => {
    const { exit, out, err } = ctc(["verify", "policy.yaml", "wide.nft"]);
    expect({ exit, err }).toEqual({ exit: 1, err: "" });
    expect(out).toMatch(
      /^error\[script-differs\]: the policy drops these packets, the script lets them pass$/m,
    );
    expect(out).toContain("tcp dport 22 ip saddr 192.0.2.0/23");
    expect(out).toContain("tcp 192.0.3.0/24 → self port 22");
    expect(out).toMatch(/for example: tcp 192\.0\.3\.\d+:\d+ > /);
    expect(out).toMatch(/\n1 error in wide.nft\n$/);
  });

  test("a script of which something is not understood", () => {
    const { exit, out } = ctc(["verify", "policy.yaml", "unknown.nft"]);
    expect(exit).toBe(1);
    expect(out).toMatch(/^error\[script-unknown\]/m);
    expect(out).toContain("not understood: `ip ttl 64`");
  });

  test.each(FORMAT_NAMES)("--format %s says it on standard output alone", (format) => {
    const { exit, out, err } = ctc(["verify", "policy.yaml", "wide.nft", "--format", format]);
    expect({ exit, err }).toEqual({ exit: 1, err: "" });
    expect(out).toContain("script-differs");
    expect(out).toMatch(/\n$/);
  });

  test("JSON of a difference has the lines of both sides", () => {
    const { out } = ctc(["verify", "policy.yaml", "wide.nft", "--format", "json"]);
    const { findings } = JSON.parse(out);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ check: "script-differs", level: "error" });
  });
});

describe("exit code 2", () => {
  test.each([
    ["a policy that is not there", ["nowhere.yaml"], /^ctc: cannot read nowhere\.yaml: /],
    ["a script that is not there", ["policy.yaml", "nowhere.nft"], /^ctc: cannot read nowhere\.nft: /],
    ["ipsets that are not there", ["policy.yaml", "rules.v4", "--ipsets", "no"], /^ctc: cannot read no: /],
    ["standard input twice", ["-", "-"], /^ctc: standard input can be read once/],
    [
      "a format that there is not",
      ["policy.yaml", "--as", "pf"],
      /Allowed choices are nft, iptables, ip6tables/,
    ],
  ])("%s", (_, args, message) => {
    const { exit, out, err } = ctc(["verify", ...args]);
    expect({ exit, out }).toEqual({ exit: 2, out: "" });
    expect(err).toMatch(message);
  });

  test("a policy with an error cannot be compared with anything: its words are underlined", () => {
    const { exit, out, err } = ctc(["verify", file("faulty.yaml", FAULTY), "same.nft"]);
    expect({ exit, out }).toEqual({ exit: 2, out: "" });
    expect(err).toMatch(/clinets.*\n.*\^{7}\n/);
  });

  test("a script that its tool would refuse", () => {
    const { exit, out } = ctc(["verify", "policy.yaml", "broken.nft"]);
    expect(exit).toBe(2);
    expect(out).toMatch(/^error\[script-syntax\]/m);
  });

  test.each([
    [["policy.yaml", "policy.yaml"], "version: 1", "this is a policy, and no script for nft"],
    [["policy.yaml", "policy.yaml", "--as", "iptables"], "version: 1", "no script for iptables-restore"],
    [["policy.yaml", "same.nft", "--as", "ip6tables"], "#!/usr/sbin/nft -f", "this is a script for nft"],
    [["policy.yaml", "sets"], "create ctc hash:net family inet", "these are sets for ipset"],
  ])("a file that is something else, once: %s", (args, line, message) => {
    file("sets", "create ctc hash:net family inet\nadd ctc 10.0.0.0/8\nadd ctc 192.0.2.0/24\n");
    const { exit, out } = ctc(["verify", ...args, "--format", "json"]);
    const { findings } = JSON.parse(out);
    expect(exit).toBe(2);
    expect(findings).toEqual([expect.objectContaining({ check: "script-syntax", text: line })]);
    expect(findings[0].message).toContain(message);
  });

  test("rules of which nothing tells for which family they are", () => {
    const ambiguous = "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n";
    const { exit, err } = ctc(["verify", "policy.yaml", file("rules", ambiguous)]);
    expect(exit).toBe(2);
    expect(err).toBe(
      "ctc: rules may be for iptables or ip6tables: say which with --as iptables or --as ip6tables\n",
    );
  });
});

test("--as says what a script on standard input is for", () => {
  const { exit, out } = ctc(["verify", "policy.yaml", "-", "--as", "iptables"], { input: rules });
  expect(out).toBe("equal for every packet: <stdin> and policy.yaml\n");
  expect(exit).toBe(0);
});

test("--ipsets says what the sets of a script hold", () => {
  const set = rules.replace("-s 192.0.2.0/24", "-m set --match-set admins src");
  expect(set).not.toBe(rules);
  file("sets.v4", set);
  expect(ctc(["verify", "policy.yaml", "sets.v4"]).exit).toBe(1);
  file("ipsets", "create admins hash:net family inet\nadd admins 192.0.2.0/24\n");
  expect(ctc(["verify", "policy.yaml", "sets.v4", "--ipsets", "ipsets"])).toMatchObject({ exit: 0 });
});

test("--root lets a policy read address files beside its folder", () => {
  file("hosts/policy.yaml", POLICY.replace('[10.1.0.0/16, "2001:db8:1::/48"]', "{ file: ../clients.txt }"));
  file("clients.txt", "10.1.0.0/16\n2001:db8:1::/48\n");
  expect(ctc(["verify", "hosts/policy.yaml"]).exit).toBe(2);
  expect(ctc(["verify", "hosts/policy.yaml", "--root", "."])).toMatchObject({ exit: 0, err: "" });
});

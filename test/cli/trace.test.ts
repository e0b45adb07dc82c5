import { beforeAll, describe, expect, test } from "vitest";
import { FAULTY, POLICY, workshop } from "./run.ts";

const { ctc, file } = workshop();

beforeAll(() => {
  file("policy.yaml", POLICY);
  file("faulty.yaml", FAULTY);
  file("nat.yaml", `${POLICY}nat:\n  - dnat tcp from any to self port 8080 in eth0 -> 10.1.2.3 port 22\n`);
});

describe("a packet", () => {
  test("and its reply, hook by hook", () => {
    const packet = "tcp 10.1.2.3:40000 > 192.0.2.1:11211 in eth0 flags syn";
    const { exit, out, err } = ctc(["trace", "policy.yaml", packet]);
    expect({ exit, err }).toEqual({ exit: 0, err: "" });
    expect(out).toContain(`${packet}\n`);
    expect(out).toMatch(
      /^ {2}allowed, untracked: allow tcp from clients to self port 11211 \(policy\.yaml:9\)$/m,
    );
    expect(out).toMatch(/^ {2}allowed, untracked: .*policy\.yaml:9, its replies\)$/m);
  });

  test("in several arguments", () => {
    const { exit, out } = ctc(["trace", "policy.yaml", "icmp", "10.1.2.3", ">", "self", "echo-request"]);
    expect(exit).toBe(0);
    expect(out).toMatch(/dropped: no rule matches, and this is the default for input/);
  });

  test("that is dropped is no error of the command", () => {
    expect(ctc(["trace", "policy.yaml", "udp 8.8.8.8:53 > self:53 in eth0"]).exit).toBe(0);
  });

  test("from a policy on standard input", () => {
    const { exit, out } = ctc(["trace", "-", "tcp 192.0.2.7:1024 > self:22 in eth0 flags syn"], {
      input: POLICY,
    });
    expect(exit).toBe(0);
    expect(out).toContain("allowed, tracked: allow tcp from 192.0.2.0/24 to self port 22 (<stdin>:12)");
  });
});

test.each([
  ["new", /dropped: no rule matches/],
  ["established", /allowed, tracked: it belongs to a flow that is known/],
  ["related", /allowed, tracked: it belongs to a flow that is known/],
  ["invalid", /dropped: it belongs to no flow/],
])("--state %s", (state, answer) => {
  const { exit, out } = ctc([
    "trace",
    "policy.yaml",
    "udp 8.8.8.8:53 > self:40000 in eth0",
    "--state",
    state,
  ]);
  expect(exit).toBe(0);
  expect(out).toMatch(answer);
});

test("--via says where a packet leaves that is translated", () => {
  const packet = "tcp 8.8.8.8:40000 > self:8080 in eth0 flags syn";
  const { exit, out } = ctc(["trace", "nat.yaml", packet, "--via", "eth1"]);
  expect(exit).toBe(0);
  expect(out).toMatch(/is now tcp 8\.8\.8\.8:40000 > 10\.1\.2\.3:22 in eth0 out eth1 flags syn/);
});

test("--format json holds the same for programs", () => {
  const packet = "tcp 192.0.2.7:1024 > 192.0.2.1:22 in eth0 flags syn";
  const { exit, out } = ctc(["trace", "policy.yaml", packet, "--format", "json"]);
  expect(exit).toBe(0);
  const data = JSON.parse(out);
  expect(data).toMatchObject({
    version: 1,
    packet,
    state: "new",
    verdict: "allow",
    tracked: true,
    droppedEarly: false,
    reason: "rule",
    rule: { policy: "administration", sentence: "allow tcp from 192.0.2.0/24 to self port 22", line: 12 },
    reply: { state: "established", verdict: "allow", reason: "state" },
    noReply: null,
  });
  expect(data.steps.map(({ stage }: { stage: string }) => stage)).toEqual(["connection tracking", "filter"]);
});

describe("exit code 2", () => {
  test("words that are no packet are underlined", () => {
    const { exit, out, err } = ctc(["trace", "policy.yaml", "tcp 10.1.2.3:40000 > 192.0.2.300:22 in eth0"]);
    expect({ exit, out }).toEqual({ exit: 2, out: "" });
    expect(err).toMatch(/^error\[packet-syntax\]: /);
    expect(err).toMatch(/--> <packet>:1:22\n/);
  });

  test("a policy with an error", () => {
    const { exit, out, err } = ctc(["trace", "faulty.yaml", "udp 8.8.8.8:53 > self:53 in eth0"]);
    expect({ exit, out }).toEqual({ exit: 2, out: "" });
    expect(err).toMatch(/clinets.*\n.*\^{7}\n/);
  });

  test("a policy that is not there", () => {
    expect(ctc(["trace", "nowhere.yaml", "udp 8.8.8.8:53 > self:53 in eth0"])).toEqual({
      exit: 2,
      out: "",
      err: "ctc: cannot read nowhere.yaml: there is no such file or folder\n",
    });
  });

  test("a state that there is not", () => {
    const { exit, err } = ctc(["trace", "policy.yaml", "udp 1.2.3.4:5 > self:6 in eth0", "--state", "open"]);
    expect(exit).toBe(2);
    expect(err).toContain("Allowed choices are new, established, related, invalid");
  });
});

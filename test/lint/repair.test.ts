import { describe, expect, test } from "vitest";
import { analyse } from "../../src/compile.ts";
import { applyFixes } from "../../src/lint/apply-fix.ts";
import { type Repair, repair } from "../../src/lint/repair.ts";
import type { Fix } from "../../src/source/finding.ts";
import { head, host, nat, symmetric, tracked, untracked } from "./support.ts";

function repaired(text: string, unsafe = false): Repair {
  const read = () => ({ error: "there is no such file" });
  return repair({ name: "policy.yaml", text }, (source) => analyse(source, { read }), { unsafe });
}

function left({ examination }: Repair): string[] {
  return examination.findings.map(({ check }) => check);
}

describe("safe fixes", () => {
  test("take idle ignores out, and nothing else", () => {
    const text = host(tracked("allow udp from any to self port 53   # ctc-ignore keep-ports: old")).replace(
      "version: 1\n",
      "# A comment\t with odd   blanks\r\nversion:   1\n\n\n",
    );
    const result = repaired(text);
    expect(result.source.text).toBe(text.replace("   # ctc-ignore keep-ports: old", ""));
    expect({ fixed: result.fixed, left: left(result) }).toEqual({ fixed: 1, left: [] });
  });

  test("several at once", () => {
    const text = host(
      tracked(
        "allow udp from any to self port 53 # ctc-ignore keep-ports: old",
        "allow udp from any to self port 54 # ctc-ignore unused-name: old",
      ),
    );
    expect(repaired(text)).toMatchObject({ fixed: 2, examination: { findings: [] } });
  });

  test("what a fix brings to light is mended too", () => {
    const text = host(tracked("allow udp from any to self port 53 # ctc-ignore keep-port: old"));
    const result = repaired(text);
    expect(result).toMatchObject({ fixed: 2, examination: { findings: [] } });
    expect(result.source.text).not.toContain("ctc-ignore");
  });

  test("leave guesses alone", () => {
    const text = host(head("addresses: { clients: 10.0.0.0/8 }"), tracked("allow udp from clinets to self"));
    const result = repaired(text);
    expect(result.source.text).toBe(text);
    expect(left(result)).toContain("unknown-name");
  });
});

describe("unsafe fixes", () => {
  test("mend a typo, and then what it hid", () => {
    const text = host(
      head("addresses: { clients: 10.0.0.0/8 }"),
      untracked("allow udp from clinets to self port 53"),
    );
    const result = repaired(text, true);
    expect(left(result)).toEqual([]);
    expect(result.source.text).toContain("from clients to self");
    expect(result.source.text).toContain("    symmetricAllow: true\n");
  });

  test("add symmetricAllow once, whoever asks for it", () => {
    const text = host(untracked("allow udp from any to self port 53", "allow tcp from any to self port 53"));
    const result = repaired(text, true);
    expect(left(result)).toEqual([]);
    expect(result.source.text.match(/symmetricAllow/g)).toHaveLength(1);
  });

  test("turn a written `false` around", () => {
    const text = host(untracked("allow udp from any to self port 53")).replace(
      "doNotTrack: true\n",
      "doNotTrack: true\n    symmetricAllow: false # for now\n",
    );
    const result = repaired(text, true);
    expect(left(result)).toEqual([]);
    expect(result.source.text).toContain("    symmetricAllow: true # for now\n");
  });

  test.each(["\n", "\r\n"])("keep line endings: %j", (ending) => {
    const text = host(untracked("allow udp from any to self port 53")).replaceAll("\n", ending);
    const result = repaired(text, true);
    expect(left(result)).toEqual([]);
    expect(result.source.text.split(ending).join("")).not.toMatch(/[\r\n]/);
  });

  test("work in flow style", () => {
    const text =
      "version: 1\npolicies: [{ name: a, doNotTrack: true, rules: [allow tcp from any to self port 22] }]\n";
    const result = repaired(text, true);
    expect(left(result)).toEqual([]);
    expect(result.source.text).toContain("doNotTrack: true, symmetricAllow: true, rules");
  });

  test("narrow the ports of NAT and take keep-ports out", () => {
    const text = host(
      head("host: { addresses: [192.0.2.1] }"),
      symmetric("allow udp from 192.0.2.0/24 to self port 4789"),
      tracked("allow from 172.17.0.0/16 to any out eth0"),
      nat("masquerade from 172.17.0.0/16 out eth0 keep-ports # keep this comment"),
    );
    const result = repaired(text, true);
    expect(left(result)).toEqual([]);
    expect(result.source.text).toContain(
      "  - masquerade from 172.17.0.0/16 out eth0 -> ports 4790-65535 # keep this comment\n",
    );
  });
});

test("a file without faults stays as it is", () => {
  const text = host(tracked("allow udp from any to self port 53"));
  expect(repaired(text, true)).toMatchObject({ source: { text }, fixed: 0 });
});

test("a round that would make a file worse is not taken", () => {
  const source = { name: "x", text: "good" };
  const fix: Fix = {
    title: "spoil it",
    edits: [{ span: { source, start: 0, end: 4 }, text: "bad" }],
    safe: true,
  };
  const finding = { check: "x", level: "warning" as const, message: "x", span: fix.edits[0]!.span, fix };
  const examine = ({ text }: { text: string }) =>
    text === "good" ? { findings: [finding], unparsable: false } : { findings: [], unparsable: true };
  expect(repair(source, examine, { unsafe: true })).toMatchObject({ source: { text: "good" }, fixed: 0 });
});

test("fixes that touch each other are not carried out together", () => {
  const source = { name: "x", text: "abc" };
  const edit = (start: number, end: number, text: string): Fix => ({
    title: text,
    edits: [{ span: { source, start, end }, text }],
    safe: true,
  });
  const { text, applied } = applyFixes([edit(0, 1, "A"), edit(1, 2, "B"), edit(2, 3, "C")], "abc");
  expect({ text, applied: applied.map(({ title }) => title) }).toEqual({ text: "AbC", applied: ["A", "C"] });
});

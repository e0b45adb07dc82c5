import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { GENERATORS, type GeneratorName } from "../../bench/generate.ts";
import { compile } from "../../src/compile.ts";

/** SHA-256 of the policy of 100 rules: figures are comparable only while everybody measures the same. */
const KNOWN: Record<GeneratorName, string> = {
  easy: "152c818ddb1877203442e54856e61e4b4403186b1d6ef9aae273a939fe97f577",
  hard: "4485932847ed1fb5b8cdb584bcebc6d31d2d4c73de019898e5ba03c364892b5d",
};

describe.each(Object.keys(GENERATORS) as GeneratorName[])("the %s policy", (name) => {
  const text = GENERATORS[name](100);

  test("is the same on every machine", () => {
    expect(createHash("sha256").update(text).digest("hex")).toBe(KNOWN[name]);
  });

  test("has as many rules as asked for, whatever the number", () => {
    for (const count of [1, 7, 100, 1234]) {
      expect(GENERATORS[name](count).match(/^ {6}(?:allow|deny) /gm)).toHaveLength(count);
    }
  });

  test("compiles for both families, a part of it untracked", () => {
    const source = { name: "policy.yaml", text };
    const { findings, outputs } = compile(source, { read: () => ({ error: "there are no files" }) });
    expect(findings.filter(({ level }) => level === "error")).toEqual([]);
    expect(outputs!.iptables()).toContain("UNTRACKED");
    expect(outputs!.ip6tables()).toContain("UNTRACKED");
    expect(outputs!.nft()).toContain("notrack");
  });
});

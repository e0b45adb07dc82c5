import { expect, test } from "vitest";
import { parseDocument } from "../../src/language/document.ts";
import { checks, lint } from "../../src/lint/lint.ts";
import { resolve } from "../../src/policy/resolve.ts";
import { collectFindings, type Finding } from "../../src/source/finding.ts";
import { textOf } from "../../src/source/source.ts";
import { host, symmetric, tracked, untracked } from "./support.ts";

function lintWithin(text: string, nodeBudget: number): readonly Finding[] {
  const log = collectFindings();
  const read = () => ({ error: "there is no such file" });
  const document = parseDocument({ name: "policy.yaml", text }, { read }, log).document!;
  lint(document, resolve(document, log), log, { nodeBudget });
  return log.all;
}

const SOUND = host(
  symmetric("allow tcp from 10.0.0.0/8 to self port 11211"),
  tracked("allow udp from 10.1.0.0/16, 192.0.2.0/24 to self port 53, 123"),
);

test("with room enough everything is settled", () => {
  expect(lintWithin(SOUND, 100_000)).toEqual([]);
});

test("beyond the node budget it is an error that names the proofs", () => {
  const [finding, ...others] = lintWithin(SOUND, 40);
  expect(others).toEqual([]);
  expect(finding).toMatchObject({ check: "inconclusive", level: "error" });
  expect(finding!.message).toMatch(/too intricate to prove: `untracked-reply-denied`, `half-tracked-flow`/);
  expect(finding!.notes!.join("\n")).toMatch(/is not known.*\n.*Nor was it searched for .*`no-way-back-in`/);
  expect(textOf(finding!.span)).toBe("policy 1");
});

test("no budget makes a fault look like a sound policy", () => {
  const broken = host(untracked("allow tcp from 10.0.0.0/8 to self port 11211"));
  const enough = lintWithin(broken, 100_000);
  expect(enough.map(({ check }) => check)).toEqual(["half-tracked-flow"]);
  for (let budget = 1; budget < 1000; budget += 13)
    expect(
      lintWithin(broken, budget).some(({ level }) => level === "error"),
      `with ${budget} nodes`,
    ).toBe(true);
});

test("what needs no diagrams is still found", () => {
  const text = SOUND.replace("version: 1\n", "version: 1\naddresses: { idle: 10.0.0.1 }\n");
  expect(lintWithin(text, 40).map(({ check }) => check)).toEqual(["unused-name", "inconclusive"]);
});

test("no two checks have one name", () => {
  expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
});

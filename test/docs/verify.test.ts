import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { understand } from "../../src/compile.ts";
import { diff } from "../../src/diff/diff.ts";
import { entriesOf } from "../../src/diff/entries.ts";
import { formatDiff } from "../../src/diff/formats.ts";
import { eitherVocabulary } from "../../src/meaning/vocabulary.ts";
import { parsePacket } from "../../src/policy/parse-packet.ts";
import { formatTrace } from "../../src/trace/formats.ts";
import { trace } from "../../src/trace/trace.ts";

const page = readFileSync("docs/verify.md", "utf8");
const shown = [...page.matchAll(/^```text\n([\s\S]*?)^```/gm)].map(([, text]) => text!);

function read(name: string, change = (text: string): string => text) {
  const text = change(readFileSync("examples/memcached/policy.yaml", "utf8"));
  const { policy, words } = understand({ name, text }, { read: () => ({ error: "there is no such file" }) });
  return { policy: policy!, words: words! };
}

describe("what docs/verify.md shows is what ctc prints", () => {
  test.each([
    [0, "a-prefix-one-bit-off"],
    [1, "a-test-that-nobody-understands"],
  ])("of verify: block %d", (at, golden) => {
    const [first] = readFileSync(`test/verify/golden/${golden}.txt`, "utf8").split("\n\n");
    expect(shown[at]).toBe(`${first}\n`);
  });

  test("of diff", () => {
    const before = read("policy.yaml");
    const after = read("new.yaml", (text) => text.replace("192.0.2.10-192.0.2.20", "192.0.2.0/24"));
    const words = eitherVocabulary(after.words(), before.words());
    const entries = entriesOf(diff(before.policy, after.policy), before.policy, after.policy, words);
    const sides = { before: before.policy.source, after: after.policy.source };
    expect(shown[2]).toBe(formatDiff({ ...entries, ...sides, version: "0.0.0" }, "pretty"));
  });

  test("of trace", () => {
    const { policy } = read("policy.yaml");
    const text = /ctc trace policy\.yaml '(.*)'/.exec(page)![1]!;
    const packet = parsePacket(text, policy.self);
    if ("fault" in packet) throw new Error(packet.fault);
    expect(shown[3]).toBe(formatTrace(trace(policy, packet, { state: "new", via: null })));
  });

  test("and nothing else is shown", () => {
    expect(shown).toHaveLength(4);
  });
});

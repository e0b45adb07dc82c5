import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { analyse } from "../../src/compile.ts";
import type { IcmpType } from "../../src/language/ast.ts";
import { ICMP_TYPES } from "../../src/language/icmp.ts";
import { PROTOCOL_NAMES } from "../../src/language/protocols.ts";
import { keysAt } from "../../src/language/shape.ts";
import { keywords } from "../../src/language/tokens.ts";

const page = readFileSync("docs/language.md", "utf8");
const words = page.slice(page.indexOf("\n## Words\n"));

describe("docs/language.md", () => {
  test("names every key and every word", () => {
    const keys = [[], ["policies"], ["host"], ["defaults"], ["addresses", "x"]].flatMap(
      (path) => keysAt(path) ?? [],
    );
    expect(keys.length).toBeGreaterThan(15);
    for (const word of [...keys, ...Object.keys(keywords)]) expect(page).toMatch(new RegExp(`\\b${word}\\b`));
    for (const protocol of PROTOCOL_NAMES) expect(words).toContain(`\`${protocol}\``);
  });

  test("has every ICMP type with its numbers", () => {
    const numbers = (type: IcmpType | null): string =>
      type === null ? "none" : type.code === null ? `${type.type}` : `${type.type}/${type.code}`;
    for (const [name, { v4, v6 }] of ICMP_TYPES) {
      const row = words.split("\n").find((line) => line.startsWith("|") && line.includes(`\`${name}\``));
      expect(row, name).toMatch(new RegExp(`\\| ${numbers(v4)} \\| ${numbers(v6)} \\|$`));
    }
  });

  test("shows a policy in which nothing is found", () => {
    const text = /^```yaml\n([\s\S]*?)^```/m.exec(page)![1]!;
    const read = (name: string) =>
      name === "blocklist.txt" ? { source: { name, text: "203.0.113.0/24\n" } } : { error: name };
    expect(analyse({ name: "policy.yaml", text }, { read }).findings).toEqual([]);
  });
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { emitIptables } from "../../src/emit/iptables.ts";
import { emitNft } from "../../src/emit/nft.ts";
import { checkedDevice, harmless, headingLines, identifier, logPrefix } from "../../src/emit/text.ts";
import { accept, addresses, base, called, ip, rule, ruleset } from "../netfilter/build.ts";

test.each([
  ["policy.yaml:23 memcached", "policy.yaml:23 memcached"],
  ['a"b', "a?b"],
  ["a'b`c$d\\e!f", "a?b?c?d?e?f"],
  ["; drop } # | & < > ( ) { } *", "; drop } # | & < > ( ) { } *"],
  ["two\nlines\r\nand\ttabs  here", "two lines and tabs here"],
  ["  around  ", "around"],
  ["\u0000\u001b[2J\u007f", "??[2J?"],
  ["grün", "gr?n"],
  ["漢字", "??"],
  ["🦆", "?"],
  ["\ud83e lone", "? lone"],
  ["\u202egpj.exe", "?gpj.exe"],
  ["", ""],
])("%j becomes %j", (text, expected) => expect(harmless(text, 100)).toBe(expected));

test("each character that means something inside quotes goes, alone as well", () => {
  const kept = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).filter(
    (character) => harmless(`x${character}x`, 9) === `x${character}x`,
  );
  expect(kept.join("")).toBe(
    " #%&()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~",
  );
});

test("texts are cut where the kernel would cut or refuse them", () => {
  expect(harmless("x".repeat(5000), 128)).toBe("x".repeat(128));
  expect(harmless(`${"x".repeat(127)} y`, 128)).toBe("x".repeat(127));
  expect(logPrefix("漢".repeat(5000), 29)).toBe(`${"?".repeat(28)} `);
});

test("a log prefix ends in one blank, or is none", () => {
  expect(logPrefix("ssh", 29)).toBe("ssh ");
  expect(logPrefix("ssh  ", 29)).toBe("ssh ");
  expect(logPrefix(" \n", 29)).toBe("");
});

test("headings are comments, or nothing", () => {
  expect(headingLines("a\nadd rule")).toEqual(["# a add rule"]);
  expect(headingLines(" \n")).toEqual([]);
});

test.each([
  ["web servers", "web-servers"],
  ["“clients”", "clients"],
  ["9to5", "to5"],
  ["--", "fallback"],
  ["x".repeat(99), "x".repeat(20)],
])("%j is called %j", (name, expected) => expect(identifier(name, "fallback", 20)).toBe(expected));

test.each(["eth0", "br-*", "wlp3s0", "eth0.100", "eth0:1", "a@b", "*", "enp0s31f6_long"])(
  "%s is a device",
  (device) => expect(checkedDevice(device)).toBe(device),
);

const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme-ascii" }));

test("whatever the texts are, a script has the lines that it has with plain ones", () => {
  const many = Array.from({ length: 9 }, (_, n) => ip(10, 0, n, 1));
  const build = (origin: string, group: string, prefix: string, name: string) => ({
    nft: ruleset(
      base(
        "filter",
        "input",
        rule([{ ...addresses("source", 4, ...many), name }], accept, { origin, group, log: { prefix } }),
      ),
      called("filter", name),
    ),
    iptables: ruleset(base("filter", "input", rule([], accept, { origin, group, log: { prefix } }))),
  });
  const emit = ({ nft, iptables }: ReturnType<typeof build>, source: string) => [
    emitNft(nft, { source }),
    emitIptables(iptables, 4, { source }),
  ];
  const lineCount = (script: string) => script.split(/[\n\r\u2028\u2029]/).length;
  fc.assert(
    fc.property(text, text, text, text, text, (origin, group, prefix, name, source) => {
      // Where a text is empty its line or its option is left out, so none of them is here.
      const scripts = emit(build(`o${origin}`, `g${group}`, `p${prefix}`, `n${name}`), `s${source}`);
      const plain = emit(build("o", "g", "p", "n"), "s");
      expect(scripts.map(lineCount)).toEqual(plain.map(lineCount));
      for (const [index, script] of scripts.entries()) {
        expect(script).toMatch(/^[\t\n -~]*$/);
        expect(script.replace(/[^"]/g, "")).toBe(plain[index]!.replace(/[^"]/g, ""));
        expect(script).not.toMatch(/[$`\\']/);
      }
    }),
    { numRuns: 500 },
  );
});

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { grammarFiles } from "../../scripts/grammar/files.ts";
import { type Syntax, syntaxRules } from "../../scripts/grammar/syntax.ts";
import { parseNat, parseRule, parseService } from "../../src/language/sentence-parser.ts";
import { RESERVED_WORDS, tokenize } from "../../src/language/tokens.ts";
import { read } from "../language/support.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "grammar");

describe("grammar/", () => {
  const files = grammarFiles();

  test("holds what is generated, and nothing else", () => {
    const found = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(FOLDER, join(entry.parentPath, entry.name)));
    expect(found.sort(), "run `npm run generate`").toEqual([...files.keys()].sort());
  });

  test.each([...files])("%s is up to date", (path, text) => {
    expect(readFileSync(join(FOLDER, path), "utf8"), "run `npm run generate`").toBe(text);
  });
});

describe("the notation", () => {
  const rules = new Map(syntaxRules().map(({ name, syntax }) => [name, syntax]));

  /** A word of each sort. */
  const WORDS: Readonly<Record<string, readonly string[]>> = {
    name: ["web", "eth0"],
    number: ["6", "255"],
    protocol: ["tcp", "gre"],
    "icmp-protocol": ["icmp", "icmp6"],
    "icmp-type": ["echo-request", "redirect", "3/4"],
    address: ["web", "10.0.0.0/8", "2001:db8::1"],
    port: ["80", "1-2", "http"],
    "port-range": ["80", "1-2"],
    device: ["wan", "br-*", "eth0.1"],
    rate: ["10/minute"],
    text: ['"x y"'],
  };

  /** Any sentence that a piece of the grammar allows. */
  function sentences(syntax: Syntax): fc.Arbitrary<string> {
    switch (syntax.kind) {
      case "keyword":
        return fc.constant(syntax.text);
      case "reference": {
        const rule = rules.get(syntax.name);
        return rule ? sentences(rule) : fc.constantFrom(...WORDS[syntax.name]!);
      }
      case "sequence":
        return fc.tuple(...syntax.items.map(sentences)).map((parts) => parts.join(" "));
      case "choice":
        return fc.oneof(...syntax.items.map(sentences));
      case "optional":
        return fc.option(sentences(syntax.item), { nil: "" });
      case "repeat": {
        const separator = syntax.separator?.kind === "keyword" ? syntax.separator.text : "";
        const items = fc.array(sentences(syntax.item), { minLength: 1, maxLength: 3 });
        return items.map((parts) => parts.join(` ${separator} `));
      }
    }
  }

  test.each([
    ["rule", parseRule],
    ["nat", parseNat],
    ["service", parseService],
  ] as const)("what it calls a %s, the parser accepts", (name, parseSentence) => {
    fc.assert(
      fc.property(sentences(rules.get(name)!), (sentence) => {
        expect(parseSentence(tokenize(sentence))).toMatchObject({ ok: true });
      }),
      { numRuns: 500 },
    );
  });

  test("every word it uses is explained", () => {
    const text = grammarFiles().get("rules.ebnf")!;
    const grammar = text.replace(/\/\*[\s\S]*?\*\//g, "");
    const defined = new Set([...grammar.matchAll(/^([a-z0-9-]+) ::=/gm)].map((match) => match[1]));
    const used = grammar
      .replace(/"[^"]*"|'[^']*'|\[[^\]]*\]|^[a-z0-9-]+ ::=/gm, " ")
      .match(/[a-z][a-z0-9-]*/g)!;
    expect(used.filter((word) => !defined.has(word))).toEqual([]);
  });
});

describe("the schema", () => {
  const schema = JSON.parse(grammarFiles().get("policy.schema.json")!);
  const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(schema);

  /** Whether an editor is content. */
  function isValid(text: string): boolean {
    return validate(parse(text));
  }

  test("accepts a policy with everything", () => {
    const text = `version: 1
interfaces: { wan: eth0, pods: [docker0, "br-*"] }
addresses: { clients: [10.1.0.0/16], one: 10.0.0.1, blocklist: { file: blocklist.txt } }
services: { memcached: [tcp 11211, udp 11211], ssh: tcp 22 }
host: { addresses: [192.0.2.1] }
defaults: { input: deny, forward: deny, output: allow }
essentials: true
policies:
  - { name: a, doNotTrack: true, symmetricAllow: both, rules: [allow from any to self] }
  - { name: b, rules: "allow from any to self" }
nat: [masquerade]
`;
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
    expect(read(text, { "blocklist.txt": "" }).findings).toEqual([]);
  });

  test.each([
    "nat: []\n",
    "version: 2\n",
    "version: 1\ncolour: red\n",
    "version: 1\nessentials: yes\n",
    "version: 1\ndefaults: {input: drop}\n",
    "version: 1\ninterfaces: {wan: eth0+}\n",
    'version: 1\ninterfaces: {wan: "*"}\n',
    "version: 1\ninterfaces: {wan: sixteen-letters0}\n",
    "version: 1\naddresses: {from: 10.0.0.1}\n",
    "version: 1\naddresses: {web: {}}\n",
    "version: 1\npolicies: [{name: x}]\n",
    "version: 1\npolicies: [{rules: []}]\n",
    'version: 1\npolicies: [{name: "", rules: []}]\n',
    `version: 1\npolicies: [{name: ${"x".repeat(65)}, rules: []}]\n`,
    "version: 1\npolicies: [{name: x, rules: [{a: b}]}]\n",
  ])("refuses what ctc refuses: %j", (text) => {
    expect(isValid(text)).toBe(false);
    expect(read(text).findings).not.toEqual([]);
  });

  test("knows the names that mean something else", () => {
    for (const name of [...RESERVED_WORDS, "1a", "a.b", ""])
      expect(isValid(JSON.stringify({ version: 1, addresses: { [name]: "10.0.0.1" } })), name).toBe(false);
    for (const name of ["tcpdump", "in-house", "To", "web"])
      expect(isValid(JSON.stringify({ version: 1, addresses: { [name]: "10.0.0.1" } })), name).toBe(true);
  });

  test("explains every key", () => {
    const silent: string[] = [];
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== "object" || node === null) return;
      for (const [key, value] of Object.entries((node as { properties?: object }).properties ?? {}))
        if (!(value as { description?: string }).description) silent.push(`${path}.${key}`);
      for (const [key, value] of Object.entries(node)) visit(value, `${path}.${key}`);
    };
    visit(schema, "");
    expect(silent).toEqual([]);
  });
});

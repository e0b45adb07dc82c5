import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod/mini";
import { ICMP_TYPES } from "../../src/language/icmp.ts";
import { TIME_UNITS } from "../../src/language/limit.ts";
import { PROTOCOL_NAMES } from "../../src/language/protocols.ts";
import { grammarOf, type SentenceKind } from "../../src/language/sentence-parser.ts";
import { policyFile } from "../../src/language/shape.ts";
import { tokenize, vocabulary } from "../../src/language/tokens.ts";
import { grammarMeter } from "./grammar-meter.ts";
import { ourGoldens } from "./ours.ts";
import { type Schema, schemaMeter } from "./schema-meter.ts";

/*
 * The goldens use, between them, all of the language: a clause, a keyword or a key that is added fails here until a case
 * shows what is emitted for it. How to add one: golden/README.md.
 */

/** Ways that the grammar leaves open and that no sentence with a meaning takes. */
const MEANINGLESS: ReadonlySet<string> = new Set([
  // `10/minute` is no name and no number.
  "limit: name as rate",
  "limit: number as rate",
  // An address has dots or colons.
  "addresses: number as address",
  "target: number as address",
  // A new port is a number: `dnat … -> web port http` could mean several.
  "masquerade: name as port-range",
  "snat: name as port-range",
  "dnat: name as port-range",
  "redirect: name as port-range",
  // A service is made of ports, not of services.
  "service: name as port-range",
  // Both ends of a rule are always written, in clauses.
  "rule: none clause",
  "rule: one clause",
  // A port means nothing without a protocol.
  "redirect: without traffic",
]);

interface PolicyText {
  readonly host?: unknown;
  readonly essentials?: boolean;
  readonly services?: Readonly<Record<string, string | readonly string[]>>;
  readonly policies?: readonly { readonly rules: string | readonly string[] }[];
  readonly nat?: string | readonly string[];
}

const { policies } = ourGoldens();
const documents = policies.map(({ source }) => parse(source.text) as PolicyText);
const sentences: Readonly<Record<SentenceKind, readonly string[]>> = {
  rule: documents.flatMap((document) => document.policies?.flatMap(({ rules }) => sentencesOf(rules)) ?? []),
  nat: documents.flatMap(({ nat }) => sentencesOf(nat ?? [])),
  service: documents.flatMap(({ services }) => Object.values(services ?? {}).flat()),
};

/** The sentences of a list, or of a block of lines. */
function sentencesOf(value: string | readonly string[]): readonly string[] {
  if (typeof value !== "string") return value;
  return value.split("\n").filter((line) => /^\s*[^\s#]/.test(line));
}

describe.each(["rule", "nat", "service"] as const)("the grammar of a %s", (kind) => {
  const meter = grammarMeter(grammarOf(kind), vocabulary);
  const refused = sentences[kind].filter((sentence) => !meter.take(tokenize(sentence)));

  test("accepts every sentence of the goldens", () => {
    expect(sentences[kind].length).toBeGreaterThan(0);
    expect(refused).toEqual([]);
  });

  test("is used in every way", () => {
    expect(meter.untaken().filter((way) => !MEANINGLESS.has(way))).toEqual([]);
  });
});

test("a clause that no sentence uses is missed", () => {
  const meter = grammarMeter(grammarOf("rule"), vocabulary);
  for (const sentence of sentences.rule) if (!/ burst | not /.test(sentence)) meter.take(tokenize(sentence));
  expect(meter.untaken().filter((way) => !MEANINGLESS.has(way))).toEqual([
    "peer: with Kwnot",
    "peer: Kwnot",
    "ports: with Kwnot",
    "ports: Kwnot",
    "interfaces: with Kwnot",
    "interfaces: Kwnot",
    "limit: with Kwburst",
    "limit: Kwburst",
    "limit: number",
  ]);
});

test("what has no meaning is still part of the grammar", () => {
  const ways = (["rule", "nat", "service"] as const).flatMap((kind) =>
    grammarMeter(grammarOf(kind), vocabulary).untaken(),
  );
  expect([...MEANINGLESS].filter((way) => !ways.includes(way))).toEqual([]);
});

/** What of a document the given ones do not use. */
function untakenKeys(given: readonly unknown[]): readonly string[] {
  const meter = schemaMeter(z.toJSONSchema(policyFile, { io: "input" }) as Schema);
  for (const document of given) meter.take(document);
  return meter.untaken();
}

test("the document is used in every way", () => {
  expect(untakenKeys(documents)).toEqual([]);
});

test("a key or a value that no document uses is missed", () => {
  const some = documents.filter(({ host, essentials }) => !host && essentials !== false);
  expect(untakenKeys(some)).toEqual([
    "host",
    "host.addresses",
    "host.addresses as string",
    "host.addresses as array",
    "essentials = false",
  ]);
});

test("every protocol, every ICMP type and every unit of time is used", () => {
  const words = new Set(
    Object.values(sentences)
      .flat()
      .flatMap((sentence) => tokenize(sentence).flatMap(({ image }) => [image, image.replace(/^\d+\//, "")])),
  );
  const known = [...PROTOCOL_NAMES, ...ICMP_TYPES.keys(), ...TIME_UNITS];
  expect(known.filter((word) => !words.has(word))).toEqual([]);
});

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { analyse, understand } from "../../src/compile.ts";
import { diff } from "../../src/diff/diff.ts";
import { entriesOf } from "../../src/diff/entries.ts";
import { DIFF_FORMATS, formatDiff } from "../../src/diff/formats.ts";
import { CHANGE_KINDS } from "../../src/diff/kinds.ts";
import { eitherVocabulary } from "../../src/meaning/vocabulary.ts";
import { parsePacket } from "../../src/policy/parse-packet.ts";
import { FORMAT_NAMES, FORMATS } from "../../src/report/formats.ts";
import { formatJson } from "../../src/report/json.ts";
import { formatTraceJson } from "../../src/trace/formats.ts";
import { trace } from "../../src/trace/trace.ts";
import { VERSION } from "../../src/version.ts";
import { usual } from "../report/samples.ts";

const page = readFileSync("docs/reports.md", "utf8");
const noFiles = { read: () => ({ error: "there is no such file" }) };

/** The text of a section of the page. */
function section(heading: string): string {
  return new RegExp(`^## ${heading}\\n([\\s\\S]*?)(?=^## |(?![\\s\\S]))`, "m").exec(page)![1]!;
}

/** The keys that a section explains. */
function explained(heading: string): readonly string[] {
  const rows = section(heading).matchAll(/^\| (`.*?`) \|/gm);
  return [...rows].flatMap(([, keys]) => [...keys!.matchAll(/`([^`]+)`/g)].map(([, key]) => key!));
}

/** Every key of some JSON with the nearest key above it that is one, as the page names them. */
function keysOf(value: unknown, above = ""): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one) => keysOf(one, above));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) => [
    above === "" ? key : `${above}.${key}`,
    ...keysOf(below, key),
  ]);
}

/** The keys of every object of a list, each told once by a text. */
function shapesOf(objects: readonly object[]): ReadonlySet<string> {
  return new Set(objects.map((one) => Object.keys(one).join()));
}

const policies = readdirSync("examples/broken")
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => ({ name, text: readFileSync(`examples/broken/${name}`, "utf8") }));

describe("findings", () => {
  const findings = [...policies.flatMap((source) => analyse(source, noFiles).findings), ...usual.findings];
  const told = JSON.parse(formatJson({ findings, files: ["policy.yaml"], version: VERSION }));

  test("the example is what ctc says", () => {
    const [example] = section("Findings").match(/(?<=```json\n)[\s\S]*?(?=```)/)!;
    const rules = "policies:\n  - name: memcached\n    rules:\n      - allow memcachd from any to self\n";
    const text = `version: 1\nservices: { memcached: tcp 11211 }\n${rules}`;
    const report = analyse({ name: "policy.yaml", text }, noFiles);
    expect(example).toBe(formatJson({ findings: report.findings, files: ["policy.yaml"], version: VERSION }));
  });

  test("are of both levels, with and without everything that may be there", () => {
    expect(new Set(findings.map(({ level }) => level))).toEqual(new Set(["error", "warning"]));
    for (const key of ["label", "related", "notes", "help", "fix"] as const)
      expect(new Set(findings.map((finding) => finding[key] !== undefined))).toEqual(new Set([true, false]));
  });

  test("have the same keys whatever they are about", () => {
    for (const key of ["findings", "related", "edits", "fix", "start", "end"]) {
      const objects = objectsAt(told, key);
      expect(objects.length, key).toBeGreaterThan(10);
      expect(shapesOf(objects).size, key).toBe(1);
    }
  });

  test("every key is explained, and no other", () => {
    // Places are the same wherever they stand, and explained once.
    const inPlaces = /^(?:related|edits)\.(?:file|start|end|text)$/;
    const keys = new Set(keysOf(told).filter((key) => !inPlaces.test(key)));
    expect(new Set(explained("Findings"))).toEqual(keys);
  });
});

/** The objects that stand under a key, anywhere. */
function objectsAt(value: unknown, key: string): readonly object[] {
  if (Array.isArray(value)) return value.flatMap((one) => objectsAt(one, key));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, below]) => [
    ...(name === key ? [below].flat().filter((one) => typeof one === "object" && one !== null) : []),
    ...objectsAt(below, key),
  ]);
}

function memcached(change = (text: string): string => text) {
  const text = change(readFileSync("examples/memcached/policy.yaml", "utf8"));
  const { policy, words } = understand({ name: "policy.yaml", text }, noFiles);
  return { policy: policy!, words: words! };
}

describe("changes", () => {
  const before = memcached();
  const after = memcached((text) => text.replace("192.0.2.10-192.0.2.20", "192.0.2.0/24"));
  const words = eitherVocabulary(after.words(), before.words());
  const report = {
    ...entriesOf(diff(before.policy, after.policy), before.policy, after.policy, words),
    before: before.policy.source,
    after: after.policy.source,
    version: VERSION,
  };
  const told = JSON.parse(formatDiff(report, "json"));

  test("every key is explained, and no other", () => {
    expect(new Set(explained("Changes"))).toEqual(new Set(keysOf(told)));
  });

  test("every kind is named", () => {
    const [row] = section("Changes").match(/^\| `changes\.kind` .*$/m)!;
    for (const kind of CHANGE_KINDS) expect(row).toContain(`\`${kind}\``);
  });
});

describe("a trace", () => {
  const { policy } = memcached();
  const packet = parsePacket("tcp 10.1.2.3:40000 > 192.0.2.1:11211 in eth0 flags syn", policy.self);
  if ("fault" in packet) throw new Error(packet.fault);
  const told = JSON.parse(formatTraceJson(trace(policy, packet, { state: "new", via: null }), VERSION));

  test("every key is explained, and no other", () => {
    const keys = keysOf(told).filter((key) => !key.startsWith("reply."));
    expect(new Set(explained("A trace"))).toEqual(new Set(keys));
  });

  test("the reply has the keys of the packet", () => {
    const { version, ctc, reply, noReply, ...journey } = told;
    expect([version, ctc, noReply]).toEqual([1, VERSION, null]);
    expect(Object.keys(reply)).toEqual(Object.keys(journey));
  });
});

test("every format is named, and by the commands that have it", () => {
  const rows = [...page.matchAll(/^\| `([a-z]+)` \| (`.*?`) \| /gm)].map(
    ([, name, of]) => [name!, of!] as const,
  );
  const having = (command: string) => rows.flatMap(([name, of]) => (of.includes(command) ? [name] : []));
  const others = (names: readonly string[]) => names.filter((name) => name !== "pretty").sort();
  expect(having("`lint`").sort()).toEqual(others(FORMAT_NAMES));
  expect(having("`diff`").sort()).toEqual(others(DIFF_FORMATS));
  expect(Object.keys(FORMATS)).toEqual(FORMAT_NAMES);
});

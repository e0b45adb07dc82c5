import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { parseDocument, visit } from "yaml";
import { compile } from "../../src/compile.ts";
import type { AddressFiles } from "../../src/language/address-files.ts";
import { ourGoldens } from "./ours.ts";

/*
 * The same policy gives the same bytes, on every machine and for ever. What is not part of a policy, and what YAML calls
 * the same, must not show.
 */

const policies = ourGoldens().policies.map(({ policy, source, files }) => ({
  name: policy,
  text: source.text,
  files,
}));

/** All that is emitted, as one text. */
function emitted(name: string, text: string, files: AddressFiles): string {
  const { findings, outputs } = compile({ name, text }, files);
  if (!outputs) throw new Error(findings.map(({ message }) => message).join("\n"));
  return [outputs.nft(), outputs.iptables(), outputs.ip6tables()].join("\n");
}

describe.each(policies)("$name gives the same scripts", ({ name, text, files }) => {
  const before = emitted(name, text, files);

  test("a second time", () => {
    expect(emitted(name, text, files)).toBe(before);
  });

  test("in another folder", () => {
    expect(emitted(`/srv/$(id)/${basename(name)}`, text, files)).toBe(before);
    expect(emitted(basename(name), text, files)).toBe(before);
  });

  test("with the line endings of another system, in the policy and in its address files", () => {
    const withReturns: AddressFiles = {
      read(path) {
        const answer = files.read(path);
        if ("error" in answer) return answer;
        const { source } = answer;
        return { source: { ...source, text: source.text.replaceAll("\n", "\r\n") } };
      },
    };
    expect(emitted(name, text.replaceAll("\n", "\r\n"), withReturns)).toBe(before);
  });

  test("with the keys of every mapping in another order, but for the lines it names", () => {
    expect(withoutLines(emitted(name, reverseKeys(text), files))).toBe(withoutLines(before));
  });
});

test("another order is another text", () => {
  expect(reverseKeys("version: 1\npolicies:\n  - name: a\n    rules: []\n")).toBe(
    "policies:\n  - rules: []\n    name: a\nversion: 1\n",
  );
});

/** The same document with the entries of every mapping from the last to the first. */
function reverseKeys(text: string): string {
  const document = parseDocument(text);
  visit(document, {
    Map(_, map) {
      map.items.reverse();
    },
  });
  return document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER });
}

function withoutLines(script: string): string {
  return script.replace(/policy\.yaml:\d+(?:-\d+)?/g, "policy.yaml:N");
}

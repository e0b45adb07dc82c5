import { parseDocument } from "../../src/language/document.ts";
import type { Policy } from "../../src/policy/policy.ts";
import { resolve } from "../../src/policy/resolve.ts";
import { collectFindings, type Finding } from "../../src/source/finding.ts";

export interface Read {
  readonly policy: Policy | null;
  readonly findings: readonly Finding[];
}

/** Reads the text of a policy; `files` are the address files it may name. The policy is null where there are errors. */
export function readPolicy(text: string, files: Readonly<Record<string, string>> = {}): Read {
  const log = collectFindings();
  const read = (path: string) =>
    path in files ? { source: { name: path, text: files[path]! } } : { error: "there is no such file" };
  const { document } = parseDocument({ name: "policy.yaml", text }, { read }, log);
  const policy = document ? resolve(document, log) : null;
  return { policy: log.hasErrors ? null : policy, findings: log.all };
}

/** Reads a policy that must be free of errors. */
export function policyOf(text: string, files: Readonly<Record<string, string>> = {}): Policy {
  const { policy, findings } = readPolicy(text, files);
  if (!policy) throw new Error(findings.map(({ check, message }) => `${check}: ${message}`).join("\n"));
  return policy;
}

/** A policy of these rules, one policy for each list; `head` holds other sections. */
export function ruled(
  rules: readonly string[],
  flags: readonly string[] = [],
  head: readonly string[] = [],
): string {
  return [
    "version: 1",
    ...head,
    "policies:",
    "  - name: test",
    ...flags.map((flag) => `    ${flag}`),
    "    rules:",
    ...rules.map((rule) => `      - ${rule}`),
    "",
  ].join("\n");
}

import { expect } from "vitest";
import { analyse } from "../../src/compile.ts";
import { applyFix } from "../../src/lint/apply-fix.ts";
import type { Finding } from "../../src/source/finding.ts";
import { textOf } from "../../src/source/source.ts";

/** A section of a policy file, ready to stand among others. */
export interface Section {
  readonly kind: "head" | "policy" | "nat";
  readonly lines: readonly string[];
}

function policySection(flags: readonly string[], rules: readonly string[]): Section {
  return {
    kind: "policy",
    lines: [...flags.map((flag) => `    ${flag}`), "    rules:", ...rules.map((rule) => `      - ${rule}`)],
  };
}

/** An ordinary policy. */
export const tracked = (...rules: string[]): Section => policySection([], rules);
/** A policy with `doNotTrack`. */
export const untracked = (...rules: string[]): Section => policySection(["doNotTrack: true"], rules);
/** A policy with `doNotTrack` and `symmetricAllow: true`. */
export const symmetric = (...rules: string[]): Section =>
  policySection(["doNotTrack: true", "symmetricAllow: true"], rules);
/** A policy with `doNotTrack` and `symmetricAllow: both`. */
export const symmetricBoth = (...rules: string[]): Section =>
  policySection(["doNotTrack: true", "symmetricAllow: both"], rules);
/** NAT sentences. */
export const nat = (...sentences: string[]): Section => ({
  kind: "nat",
  lines: sentences.map((sentence) => `  - ${sentence}`),
});
/** Any other lines: declarations, `defaults`, `host`, `essentials`. */
export const head = (...lines: string[]): Section => ({ kind: "head", lines });

/** A policy file of these sections. */
export function file(...sections: Section[]): string {
  const linesOf = (kind: Section["kind"]): readonly string[] =>
    sections.filter((section) => section.kind === kind).flatMap(({ lines }) => lines);
  const sentences = linesOf("nat");
  return [
    "version: 1",
    ...linesOf("head"),
    "policies:",
    ...sections
      .filter(({ kind }) => kind === "policy")
      .flatMap(({ lines }, i) => [`  - name: policy ${i + 1}`, ...lines]),
    ...(sentences.length > 0 ? ["nat:", ...sentences] : []),
    "",
  ].join("\n");
}

/** The same with a rule at its end by which the host can be managed, so that nothing warns of a lock-out. */
export function host(...sections: Section[]): string {
  return file(...sections, tracked("allow tcp from any to self port 22"));
}

/** Everything that is found in the text of a policy file. */
export function lintText(text: string): readonly Finding[] {
  return analyse({ name: "policy.yaml", text }, { read: () => ({ error: "there is no such file" }) })
    .findings;
}

/** What a test says about one finding. */
export interface Expectation {
  readonly finding: Finding;
  /** The words underlined. */
  underlines(text: string): Expectation;
  /** Words underlined elsewhere, and what is said about them. */
  relates(text: string, label?: RegExp): Expectation;
  notes(pattern: RegExp): Expectation;
  helps(pattern: RegExp): Expectation;
  /** What carrying out the fix makes of the file must be clean, and hold this. */
  fixedBy(text: string): Expectation;
}

/** The only finding in a policy, which must be of this check. */
export function expectFinding(text: string, check: string): Expectation {
  const findings = lintText(text);
  expect(findings.map(inShort), text).toEqual([expect.stringContaining(`[${check}]`)]);
  return about(findings[0]!);
}

/** The findings in a policy, which must be of these checks, in the order of the file. */
export function expectFindings(text: string, checks: readonly string[]): Expectation[] {
  const findings = lintText(text);
  expect(findings.map(inShort), text).toEqual(checks.map((check) => expect.stringContaining(`[${check}]`)));
  return findings.map(about);
}

/** The finding of a check that underlines these words, among whatever else is found. */
export function expectFindingAt(text: string, check: string, underlined: string): Expectation {
  const found = lintText(text).filter(
    (finding) => finding.check === check && textOf(finding.span) === underlined,
  );
  expect(found, text).toHaveLength(1);
  return about(found[0]!);
}

/** Nothing at all is found. */
export function expectClean(text: string): void {
  expect(lintText(text).map(inShort), text).toEqual([]);
}

function inShort({ check, message, span, notes = [] }: Finding): string {
  return `[${check}] ${message}: ${textOf(span)}\n${notes[0] ?? ""}`;
}

function about(finding: Finding): Expectation {
  const expectation: Expectation = {
    finding,
    underlines(text) {
      expect(textOf(finding.span)).toBe(text);
      return expectation;
    },
    relates(text, label = /./) {
      const places = (finding.related ?? []).map((place) => ({
        text: textOf(place.span),
        label: place.text,
      }));
      expect(places).toContainEqual({ text, label: expect.stringMatching(label) });
      return expectation;
    },
    notes(pattern) {
      expect((finding.notes ?? []).join("\n")).toMatch(pattern);
      return expectation;
    },
    helps(pattern) {
      expect(finding.help).toMatch(pattern);
      return expectation;
    },
    fixedBy(text) {
      const fixed = applyFix(finding.fix!, finding.span.source.text);
      expect(fixed).toContain(text);
      expectClean(fixed);
      return expectation;
    },
  };
  return expectation;
}

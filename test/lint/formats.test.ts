import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { PAGES } from "../../src/lint/pages/pages.ts";
import { findingsOf } from "../../src/lint/pages/render.ts";
import { fingerprintsOf } from "../../src/report/fingerprint.ts";
import { FORMAT_NAMES, FORMATS } from "../../src/report/formats.ts";
import type { Report } from "../../src/report/report.ts";
import sarifSchema from "../report/sarif-2.1.0.schema.json" with { type: "json" };

/*
 * Findings as the checks make them, with related places, packets in notes and fixes, through every format; what the
 * formats do with odd texts is tested in `test/report`.
 */

const EXAMPLES = PAGES.flatMap(({ name, example }) => (example === null ? [] : [{ name, example }]));

function reportOf(text: string, name = "policy.yaml"): Report {
  return { findings: findingsOf({ name, text }), files: [name], version: "0.0.0" };
}

describe.each(FORMAT_NAMES)("%s", (format) => {
  test.each(["untracked-nat-reply", "half-tracked-flow", "shadowed-rule"])("%s", async (name) => {
    const { example } = EXAMPLES.find((one) => one.name === name)!;
    await expect(FORMATS[format](reportOf(example, `${name}.yaml`))).toMatchFileSnapshot(
      `golden/${name}.${format}.txt`,
    );
  });
});

describe("sarif keeps to its schema", () => {
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false, validateFormats: false });
  const validate = ajv.compile(sarifSchema);
  test.each(EXAMPLES)("$name", ({ example }) => {
    validate(JSON.parse(FORMATS.sarif(reportOf(example))));
    expect(validate.errors ?? []).toEqual([]);
  });
});

describe("fingerprints", () => {
  test.each(EXAMPLES.filter(({ name }) => name !== "missing-key"))(
    "of $name survive lines that come before",
    ({ name, example }) => {
      const later = example.replace(/^version: 1\n/m, "version: 1\n# one\n# two\n");
      expect(later, name).not.toBe(example);
      expect(fingerprintsOf(reportOf(later).findings)).toEqual(fingerprintsOf(reportOf(example).findings));
    },
  );

  test("tell findings apart", () => {
    const all = EXAMPLES.flatMap(({ name, example }) => fingerprintsOf(reportOf(example, name).findings));
    expect(new Set(all).size).toBe(all.length);
  });
});

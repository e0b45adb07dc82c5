import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { FORMAT_NAMES, FORMATS } from "../../src/report/formats.ts";
import type { Report } from "../../src/report/report.ts";
import { empty, hostile, usual } from "./samples.ts";
import sarifSchema from "./sarif-2.1.0.schema.json" with { type: "json" };

const reports: Record<string, Report> = { empty, usual, hostile };

describe.each(FORMAT_NAMES)("%s", (format) => {
  test.each(Object.keys(reports))("prints the %s report as its golden has it", async (name) => {
    const text = FORMATS[format](reports[name]!);
    await expect(text).toMatchFileSnapshot(`golden/${format}-${name}.txt`);
  });

  test("prints nothing that acts on a terminal or hides, whatever a policy holds", () => {
    const text = FORMATS[format](hostile);
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
  });

  test("starts no line with a workflow command of the policy's", () => {
    const commands = FORMATS[format](hostile)
      .split("\n")
      .filter((line) => /^\s*::/.test(line));
    expect(commands).toHaveLength(format === "github" ? 1 : 0);
  });
});

describe("sarif", () => {
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
  ajv.addFormat("uri", (text: string) => URL.canParse(text));
  ajv.addFormat("uri-reference", (text: string) => /^[\w\-.~:/?#[\]@!$&'()*+,;=%]*$/.test(text));
  ajv.addFormat("date-time", (text: string) => !Number.isNaN(Date.parse(text)));
  const validate = ajv.compile(sarifSchema);

  test.each(Object.keys(reports))("keeps to the schema with the %s report", (name) => {
    validate(JSON.parse(FORMATS.sarif(reports[name]!)));
    expect(validate.errors ?? []).toEqual([]);
  });

  test("would fail the schema with a level that SARIF does not know", () => {
    const log = JSON.parse(FORMATS.sarif(usual));
    log.runs[0].results[0].level = "fatal";
    expect(validate(log)).toBe(false);
  });
});

test("JSON holds the hostile text itself, once it is read", () => {
  const [found] = JSON.parse(FORMATS.json(hostile)).findings;
  const { span, message } = hostile.findings[0]!;
  expect(found.message).toBe(message);
  expect(found.text).toBe(span.source.text.slice(span.start, span.end));
  expect(found.file).toBe(span.source.name);
});

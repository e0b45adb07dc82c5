import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { workshop } from "./run.ts";

const { folder, ctc, file } = workshop();

describe("ctc init", () => {
  test("prints a policy that compiles without a finding", () => {
    const { exit, out, err } = ctc(["init"]);
    expect({ exit, err }).toEqual({ exit: 0, err: "" });
    expect(ctc(["lint", file("start.yaml", out)]).out).toBe("no findings in start.yaml\n");
    expect(ctc(["compile", "start.yaml"]).out).toContain("policy drop");
  });

  test("writes it to a new file", () => {
    expect(ctc(["init", "-o", "new.yaml"])).toEqual({ exit: 0, out: "", err: "wrote new.yaml\n" });
    expect(readFileSync(join(folder, "new.yaml"), "utf8")).toBe(ctc(["init"]).out);
  });

  test("leaves a file that is there", () => {
    file("mine.yaml", "precious");
    const { exit, err } = ctc(["init", "-o", "mine.yaml"]);
    expect(exit).toBe(2);
    expect(err).toBe(
      "ctc: mine.yaml exists already, and is left as it is; choose another name, or remove it first\n",
    );
    expect(readFileSync(join(folder, "mine.yaml"), "utf8")).toBe("precious");
  });
});

describe("ctc schema", () => {
  const schema = () => JSON.parse(ctc(["schema"]).out);

  test("accepts what ctc init prints", () => {
    const validate = new Ajv({ strict: false }).compile(schema());
    validate(parse(ctc(["init"]).out));
    expect(validate.errors ?? []).toEqual([]);
  });

  test("refuses a key that there is not", () => {
    const validate = new Ajv({ strict: false }).compile(schema());
    expect(validate({ version: 1, polices: [] })).toBe(false);
  });
});

describe("help", () => {
  test("names every command", () => {
    const { exit, out } = ctc(["--help"]);
    expect(exit).toBe(0);
    for (const command of ["compile", "lint", "init", "schema", "completion"]) {
      expect(out).toMatch(new RegExp(`^  ${command} `, "m"));
      expect(ctc([command, "--help"]).out).toMatch(new RegExp(`^Usage: ctc ${command} `));
    }
  });

  test("fits a terminal of 80 columns", () => {
    for (const args of [
      ["--help"],
      ["compile", "--help"],
      ["lint", "--help"],
      ["schema", "--help"],
      ["completion", "--help"],
    ]) {
      for (const line of ctc(args).out.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    }
  });
});

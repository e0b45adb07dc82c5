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
  const pages = () => {
    const { exit, out } = ctc(["--help"]);
    expect(exit).toBe(0);
    const list = /^Commands:\n((?: {2}.*\n)+)/m.exec(out)?.[1] ?? "";
    const commands = [...list.matchAll(/^ {2}([a-z]+)/gm)].map((match) => match[1]!);
    expect(commands).toEqual(expect.arrayContaining(["compile", "lint", "trace", "completion", "help"]));
    return ["", ...commands.filter((command) => command !== "help")].map((command) =>
      ctc(["help", command].filter(Boolean)),
    );
  };

  test("has a page for each command, that fits a terminal of 80 columns", () => {
    for (const { exit, out, err } of pages()) {
      expect({ exit, err }).toEqual({ exit: 0, err: "" });
      expect(out).toMatch(/^Usage: ctc /);
      for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
      // A description that is broken by hand leaves short lines behind.
      const description = out.split("\n\n")[1]!.split("\n");
      for (const [index, line] of description.slice(0, -1).entries())
        expect(`${line} ${description[index + 1]!.split(" ")[0]}`.length).toBeGreaterThan(80);
    }
  });

  test("is the same after a command and before it", () => {
    expect(ctc(["help", "lint"]).out).toBe(ctc(["lint", "--help"]).out);
    expect(ctc(["help"]).out).toBe(ctc(["--help"]).out);
    expect(ctc(["help", "lnt"])).toMatchObject({ exit: 2, out: "" });
  });
});

import { chownSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bundle } from "../../scripts/build.ts";
import { VERSION } from "../../src/version.ts";
import { POLICY, workshop } from "./run.ts";

const root = join(import.meta.dirname, "../..");
const { folder, ctc, file, launcher } = workshop();

test("dist/ is what the source gives: after a change, run `npm run build`", async () => {
  for (const [name, text] of await bundle()) {
    // Not `toBe`: nobody wants to read the difference.
    expect(readFileSync(join(root, "dist", name), "utf8") === text, `dist/${name} is up to date`).toBe(true);
  }
});

test("the version and the oldest Node are those of package.json", () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(VERSION).toBe(manifest.version);
  expect(manifest.engines.node).toBe(">=22.12");
});

test("--version loads nothing but the launcher", () => {
  const main = join(launcher, "../main.mjs");
  const text = readFileSync(main);
  rmSync(main);
  expect(ctc(["--version"])).toEqual({ exit: 0, out: `${VERSION}\n`, err: "" });
  file("../dist/main.mjs", text);
});

describe("an old Node", () => {
  // A Node that says it is another: what it lacks is seen by what the launcher holds, below.
  function onNode(version: string) {
    const pretend = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${version}" } })`;
    return ctc(["--version"], { node: ["--import", `data:text/javascript,${encodeURIComponent(pretend)}`] });
  }

  test.each(["12.22.12", "20.20.2", "22.11.0"])("%s gets one sentence and exit code 2", (version) => {
    const { exit, out, err } = onNode(version);
    expect({ exit, out }).toEqual({ exit: 2, out: "" });
    expect(err).toMatch(/^ctc: needs Node\.js 22\.12 or newer, and this is v\S+ \(.+\); .+\n$/);
  });

  test.each(["22.12.0", "23.0.0", "24.0.0"])("%s will do", (version) => {
    expect(onNode(version).exit).toBe(0);
  });

  test("is given no syntax, and no name to import, that came after version 12.20", async () => {
    const text = (await bundle()).get("ctc.mjs")!;
    expect(text.match(/^import .*$/gm)).toEqual([
      'import * as fs from "node:fs";',
      'import * as nodeModule from "node:module";',
    ]);
    expect(text).not.toMatch(/\?\.|\?\?|^await|\bclass\b.*#/m);
  });
});

describe("compiled code is kept", () => {
  /** Whether a run leaves something in the folder for compiled code. */
  function keeps(env: Record<string, string>, place: string): boolean {
    expect(ctc(["compile", file("policy.yaml", POLICY)], { env: { TMPDIR: folder, ...env } }).exit).toBe(0);
    return existsSync(join(folder, place));
  }

  test("in the user's own cache folder", () => {
    mkdirSync(join(folder, "home1"));
    expect(keeps({ HOME: join(folder, "home1") }, "home1/.cache/ctc")).toBe(true);
  });

  test("where XDG_CACHE_HOME says", () => {
    mkdirSync(join(folder, "cache"));
    expect(keeps({ XDG_CACHE_HOME: join(folder, "cache") }, "cache/ctc")).toBe(true);
  });

  test("never in a temporary folder, where others could put code for root to run", () => {
    expect(keeps({ HOME: "" }, "node-compile-cache")).toBe(false);
    expect(keeps({ HOME: join(folder, "not-there") }, "not-there")).toBe(false);
  });

  test("never in somebody else's home", () => {
    // Root gives the folder away; for anybody else, root's home is another's.
    const isRoot = process.getuid?.() === 0;
    const home = isRoot ? join(folder, "home2") : "/root";
    if (isRoot) {
      mkdirSync(home);
      chownSync(home, 65534, 65534);
      expect(keeps({ HOME: home }, "home2/.cache")).toBe(false);
    } else expect(ctc(["compile", file("policy.yaml", POLICY)], { env: { HOME: home } }).exit).toBe(0);
  });
});

describe("a bug in ctc", () => {
  const sabotage = encodeURIComponent('Buffer.concat = () => { throw new TypeError("boom \\u001b[2J") }');
  const node = ["--import", `data:text/javascript,${sabotage}`];

  test("is one sentence and exit code 3", () => {
    const { exit, out, err } = ctc(["compile", file("policy.yaml", POLICY)], { node });
    expect({ exit, out }).toEqual({ exit: 3, out: "" });
    expect(err).toMatch(
      /^ctc: internal error: TypeError: boom ␛\[2J; this is a bug in ctc .+CTC_DEBUG=1 is set\n$/,
    );
  });

  test("is no less one where a part of ctc is missing", () => {
    const main = join(launcher, "../main.mjs");
    const text = readFileSync(main);
    rmSync(main);
    const { exit, err } = ctc(["--help"]);
    file("../dist/main.mjs", text);
    expect(exit).toBe(3);
    expect(err).toMatch(/^ctc: cannot start: .+main\.mjs.+; reinstall ctc\n$/);
  });

  test("shows where it happened, with CTC_DEBUG=1", () => {
    const { exit, err } = ctc(["compile", file("policy.yaml", POLICY)], { node, env: { CTC_DEBUG: "1" } });
    expect(exit).toBe(3);
    expect(err).toMatch(/\n {4}at .+main\.mjs/);
  });
});

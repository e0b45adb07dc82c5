import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { bundle } from "../../scripts/build.ts";
import { VERSION } from "../../src/version.ts";
import { POLICY, workshop } from "./run.ts";

const root = join(import.meta.dirname, "../..");
const { folder, ctc, file, launcher } = workshop();

test("dist/ is what the source gives: after a change, run `npm run build`", async () => {
  const files = await bundle();
  expect(readdirSync(join(root, "dist")).sort()).toEqual([...files.keys()].sort());
  for (const [name, text] of files) {
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
  const main = join(launcher, "../main.cjs");
  const text = readFileSync(main);
  rmSync(main);
  expect(ctc(["--version"])).toEqual({ exit: 0, out: `${VERSION}\n`, err: "" });
  file("../dist/main.cjs", text);
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
    expect(text.match(/^import .*$/gm)).toBeNull();
    expect(text).not.toMatch(/\?\.|\?\?|^await|\bclass\b.*#/m);
  });
});

describe("compiled code is kept", () => {
  /** Compiles, and says whether something stands at a place in the workshop afterwards. */
  function keeps(env: Record<string, string>, place: string): boolean {
    expect(ctc(["compile", file("policy.yaml", POLICY)], { env: { TMPDIR: folder, ...env } }).exit).toBe(0);
    return existsSync(join(folder, place));
  }

  test("in the user's own cache folder", () => {
    mkdirSync(join(folder, "home1"));
    expect(keeps({ HOME: join(folder, "home1") }, "home1/.cache/ctc/compile.code")).toBe(true);
  });

  test("where XDG_CACHE_HOME says", () => {
    mkdirSync(join(folder, "cache"));
    expect(keeps({ XDG_CACHE_HOME: join(folder, "cache") }, "cache/ctc/compile.code")).toBe(true);
  });

  test("for each command, and for no other word", () => {
    const env = { XDG_CACHE_HOME: join(folder, "commands") };
    mkdirSync(env.XDG_CACHE_HOME);
    for (const args of [["lint", file("policy.yaml", POLICY)], ["init"], ["--help"], ["complie"], ["../up"]])
      ctc(args, { env });
    expect(readdirSync(join(folder, "commands/ctc")).sort()).toEqual(["ctc.code", "init.code", "lint.code"]);
    expect(readdirSync(join(folder, "commands"))).toEqual(["ctc"]);
  });

  test("never in a temporary folder, where others could put code for root to run", () => {
    expect(keeps({ HOME: "" }, "ctc")).toBe(false);
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

  test("or not, where there is no room for it", () => {
    expect(keeps({ HOME: join(folder, "home3") }, file("home3/.cache", "a file"))).toBe(true);
    expect(readFileSync(join(folder, "home3/.cache"), "utf8")).toBe("a file");
  });
});

describe("compiled code is run again", () => {
  const env = { XDG_CACHE_HOME: join(folder, "again") };
  const kept = join(env.XDG_CACHE_HOME, "ctc/init.code");
  /** The file is replaced whenever it is of no use, so the same file was used. */
  const isUsed = (): boolean => {
    const before = statSync(kept).ino;
    expect(ctc(["init"], { env })).toMatchObject({ exit: 0, err: "" });
    return statSync(kept).ino === before;
  };

  beforeAll(() => {
    mkdirSync(env.XDG_CACHE_HOME);
    ctc(["init"], { env });
  });

  test("by the next run", () => {
    expect(isUsed()).toBe(true);
    expect(statSync(kept).mode & 0o777).toBe(0o600);
  });

  test("but not where others may write to it", () => {
    chmodSync(kept, 0o620);
    expect(isUsed()).toBe(false);
    expect(isUsed()).toBe(true);
  });

  test.runIf(process.getuid?.() === 0)("but not where it is somebody else's", () => {
    chownSync(kept, 65534, 65534);
    expect(isUsed()).toBe(false);
  });

  test("but not through a link", () => {
    renameSync(kept, `${kept}.elsewhere`);
    symlinkSync(`${kept}.elsewhere`, kept);
    expect(isUsed()).toBe(false);
    expect(lstatSync(kept).isSymbolicLink()).toBe(false);
  });

  test("but not once ctc has changed, be it by one character", () => {
    const main = join(launcher, "../main.cjs");
    const text = readFileSync(main, "utf8");
    const { atime, mtime } = statSync(main);
    writeFileSync(main, text.replace("print a small policy", "print a SMALL policy"));
    utimesSync(main, atime, mtime);
    expect(isUsed()).toBe(false);
    writeFileSync(main, text);
    expect(isUsed()).toBe(false);
  });

  test("but not when a part of it is missing", () => {
    truncateSync(kept, 100_000);
    expect(isUsed()).toBe(false);
    truncateSync(kept, 10);
    expect(isUsed()).toBe(false);
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
    const main = join(launcher, "../main.cjs");
    const text = readFileSync(main);
    rmSync(main);
    const { exit, err } = ctc(["--help"]);
    file("../dist/main.cjs", text);
    expect(exit).toBe(3);
    expect(err).toMatch(/^ctc: cannot start: .+main\.cjs.+; reinstall ctc\n$/);
  });

  test("shows where it happened, with CTC_DEBUG=1", () => {
    const { exit, err } = ctc(["compile", file("policy.yaml", POLICY)], { node, env: { CTC_DEBUG: "1" } });
    expect(exit).toBe(3);
    expect(err).toMatch(/\n {4}at .+main\.cjs/);
  });
});

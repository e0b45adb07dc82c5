import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { POLICY_PATH } from "../../src/golden/layout.ts";
import { FAULTY, POLICY } from "../cli/run.ts";
import { pretendedNode, setUpBench } from "./bench.ts";

const isThere = spawnSync("sh", ["-c", "pre-commit --version"]).status === 0;
if (!isThere)
  console.warn("skipped: the hooks for pre-commit, which is not installed (apt-get install pre-commit)");

const bench = setUpBench();
const { folder, sh, must, write, read } = bench;
let ctc = "";

beforeAll(async () => {
  ctc = await bench.release();
});
afterAll(() => bench.destroy());

interface Hook {
  readonly id: string;
  readonly files?: string;
  readonly language: string;
}

const hooks = (): readonly Hook[] => parse(read("ctc/.pre-commit-hooks.yaml"));

test("the hooks look at the files that ctc golden takes for policies", () => {
  const lint = hooks().filter(({ id }) => id.startsWith("ctc-lint"));
  expect(lint.map(({ id }) => id)).toEqual(["ctc-lint", "ctc-lint-script", "ctc-lint-system"]);
  // In JavaScript a slash is escaped.
  for (const { files } of lint) expect(files).toBe(POLICY_PATH.source.replaceAll("\\/", "/"));
});

let count = 0;

/** A repository that uses some hooks, with a policy that is committed, and its scripts. Returns its folder. */
function userOf(...ids: readonly string[]): string {
  const name = `user-${count++}`;
  write(`${name}/web/policy.yaml`, POLICY);
  write(
    `${name}/.pre-commit-config.yaml`,
    JSON.stringify({ repos: [{ repo: ctc, rev: revision(), hooks: ids.map((id) => ({ id })) }] }),
  );
  must(name, `git init -q && node ${ctc}/dist/ctc.mjs golden --update && git add . && git commit -qm Begin`);
  must(name, "pre-commit install");
  return name;
}

const revision = (): string => must("ctc", "git rev-parse HEAD").trim();

describe.skipIf(!isThere && !process.env.CI)("pre-commit", () => {
  test("tries a hook on a file", () => {
    const user = userOf("ctc-lint-script");
    write(`${user}/broken.policy.yaml`, FAULTY);
    must(user, "git add .");
    const attempt = (file: string) => sh(user, `pre-commit try-repo ${ctc} ctc-lint-script --files ${file}`);
    expect(attempt("web/policy.yaml")).toMatchObject({ exit: 0 });
    const { exit, text } = attempt("broken.policy.yaml");
    expect(exit).toBe(1);
    expect(text).toContain("--> broken.policy.yaml:9:24\n");
  });

  describe.each(["", "-script", "-system"])("ctc-lint and ctc-golden, each with %j,", (twin) => {
    let user = "";

    beforeAll(() => {
      // A ctc on the PATH, for the hooks that look there; the others must not need it.
      if (twin === "-system") write("bin/ctc", `#!/bin/sh\nexec node '${ctc}/dist/ctc.mjs' "$@"\n`);
      must(".", "if [ -e bin/ctc ]; then chmod +x bin/ctc; fi");
      user = userOf(`ctc-lint${twin}`, `ctc-golden${twin}`);
      must(user, "pre-commit install-hooks");
    }, 240_000);

    const commit = () => sh(user, "git add . && git commit -qm Change");

    test("let a sound change pass", () => {
      write(`${user}/web/policy.yaml`, `${POLICY}      - allow udp from any to self port 443\n`);
      must(user, `node ${ctc}/dist/ctc.mjs golden --update`);
      const { exit, text } = commit();
      expect(exit).toBe(0);
      expect(text).toMatch(/^ctc lint\.+Passed\nctc golden\.+Passed\n/m);
    });

    test("leave a change alone that is none of a policy, but for the scripts", () => {
      write(`${user}/README.md`, "words\n");
      expect(commit()).toMatchObject({
        exit: 0,
        text: expect.stringMatching(/^ctc lint\.+\(no files to check\)Skipped\nctc golden\.+Passed\n/m),
      });
    });

    test("stop a policy with a mistake, and show it", () => {
      const before = read(`${user}/web/policy.yaml`);
      write(`${user}/web/policy.yaml`, FAULTY);
      const { exit, text } = commit();
      expect(exit).toBe(1);
      expect(text).toMatch(
        /^ctc lint\.+Failed\n- hook id: ctc-lint\S*\n- exit code: 1\n\nerror\[unknown-name\]: /m,
      );
      expect(text).toContain(
        [
          " --> web/policy.yaml:9:24",
          "  |",
          "9 |       - allow tcp from clinets to self port 11211",
          "  |                        ^^^^^^^",
        ].join("\n"),
      );
      write(`${user}/web/policy.yaml`, before);
      must(user, "git add .");
    });

    test("stop a stale script, and say which command mends it", () => {
      write(`${user}/web/policy.yaml`, read(`${user}/web/policy.yaml`).replace("port 22", "port 2222"));
      const { exit, text } = commit();
      expect(exit).toBe(1);
      expect(text).toMatch(/^ctc lint\.+Passed\nctc golden\.+Failed\n/m);
      expect(text).toContain("stale: web/rules.v4\n");
      expect(text).toMatch(/^error\[script-differs\]: the policy lets .+ pass, the script drops them$/m);
      const command = /Run `(.+)` to bring them up to date\.$/m.exec(text)![1]!;
      must(user, command);
      expect(commit()).toMatchObject({ exit: 0 });
    });

    test("heed file names as they are", () => {
      for (const name of ["-x", "a b", "$(touch pwned)", "'; touch pwned; '"])
        write(`${user}/odd/${name}.policy.yaml`, POLICY);
      write(`${user}/--help.policy.yaml`, POLICY);
      must(user, `node ${ctc}/dist/ctc.mjs golden --update`);
      expect(commit()).toMatchObject({ exit: 0 });
      expect(readdirSync(join(folder, user))).not.toContain("pwned");
    });

    test("say in a sentence that a Node is too old", () => {
      const { exit, text } = sh(user, "pre-commit run --all-files", pretendedNode("20.20.2"));
      expect(exit).toBe(1);
      expect(text.match(/^ctc: needs Node\.js 22\.12 or newer, and this is .+$/gm)).toHaveLength(2);
      expect(text).not.toMatch(/^ +at /m);
    });
  });

  test("installs the package alone: no tool to work on it, and nothing that was built", () => {
    const [environment] = must("pre-commit", "echo repo*/node_env-*").trim().split(" ");
    const packages = readdirSync(join(folder, "pre-commit", environment!, "lib/node_modules"));
    expect(packages.filter((name) => name !== "npm" && name !== "corepack")).toEqual(["ctc"]);
    const files = must(`pre-commit/${environment}/lib/node_modules/ctc`, "find . -type f | sort");
    expect(files.trim().split("\n")).toEqual([
      "./LICENSE",
      "./dist/THIRD-PARTY.txt",
      "./dist/ctc.mjs",
      "./dist/main.cjs",
      "./package.json",
    ]);
  });
});

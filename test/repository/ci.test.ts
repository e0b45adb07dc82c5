import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { FAULTY, POLICY } from "../cli/run.ts";
import { pretendedNode, setUpBench } from "./bench.ts";

/*
 * The steps of the GitHub Action and of the GitLab job, as action.yml and gitlab.yml have them, run on a small repository
 * with a base and a head.
 */

const bench = setUpBench();
const { folder, sh, must, write, read } = bench;
let ctc = "";

beforeAll(async () => {
  ctc = await bench.release();
});
afterAll(() => bench.destroy());

let count = 0;
let repository = "";

beforeEach(() => {
  repository = `repository-${count++}`;
  must(".", `git init -q '${repository}'`);
});

/** Commits these files, and with `update` what is compiled from the policies; null removes one. Returns the commit. */
function commit(files: Readonly<Record<string, string | null>>, { update = false } = {}): string {
  for (const [path, content] of Object.entries(files)) {
    if (content === null) must(repository, `rm -- '${path}'`);
    else write(`${repository}/${path}`, content);
  }
  if (update) sh(repository, `node '${ctc}/dist/ctc.mjs' golden --update`);
  must(repository, "git add . && git commit -qm Change");
  return must(repository, "git rev-parse HEAD").trim();
}

interface Step {
  readonly name: string;
  readonly if: string;
  readonly shell: string;
  readonly env: Readonly<Record<string, string>>;
  readonly run: string;
}

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

interface Ran {
  readonly exit: number | null;
  readonly text: string;
}

/** What the runner knows, for the expressions in action.yml. */
interface Event {
  readonly inputs?: Readonly<Record<string, string>>;
  /** The base of a pull request. */
  readonly base?: string;
  /** What was there before a push. */
  readonly before?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the steps of action.yml as GitHub's runner does. */
function runAction({ inputs = {}, base = "", before = "", env = {} }: Event = {}) {
  const action: Action = parse(read("ctc/action.yml"));
  const values: Record<string, string> = {
    "github.event.pull_request.base.sha || github.event.before": base || before,
  };
  for (const [name, input] of Object.entries(action.inputs))
    values[`inputs.${name}`] = inputs[name] ?? input.default;
  const evaluate = (text: string): string =>
    text.replace(/\$\{\{ (.+?) \}\}/g, (_, expression: string) => {
      if (!(expression in values)) throw new Error(`nobody knows ${expression}`);
      return values[expression]!;
    });
  write("runner/summary.md", "");
  write("runner/output", "");
  const ran: Record<string, Ran> = {};
  for (const step of action.runs.steps) {
    expect(step.shell).toBe("bash");
    const condition = /inputs\.(\w+) == 'true'/.exec(step.if)!;
    if (values[`inputs.${condition[1]}`] !== "true") continue;
    // Nothing that somebody else wrote becomes part of a script.
    expect(step.run).not.toContain("${{");
    ran[step.name] = sh(repository, step.run, {
      GITHUB_ACTIONS: "true",
      GITHUB_ACTION_PATH: ctc,
      GITHUB_OUTPUT: `${folder}/runner/output`,
      GITHUB_STEP_SUMMARY: `${folder}/runner/summary.md`,
      RUNNER_TEMP: `${folder}/runner`,
      ...Object.fromEntries(Object.entries(step.env).map(([name, value]) => [name, evaluate(value)])),
      ...env,
    });
  }
  const outputs = Object.fromEntries(
    read("runner/output")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split(/=(.*)/s).slice(0, 2)),
  ) as Readonly<Record<string, string>>;
  return {
    lint: ran["Lint policies"],
    golden: ran["Hold scripts against policies"],
    diff: ran["Say what changes for packets"],
    outputs,
    summary: read("runner/summary.md"),
    comment: outputs.comment ? read("runner/ctc-diff.md") : null,
  };
}

const MEMCACHED = { "web/policy.yaml": POLICY };
const changed = (from: string, to: string): string => POLICY.replace(from, to);

describe("lint and golden, on GitHub", () => {
  test("have nothing to say of a sound repository", () => {
    commit(MEMCACHED, { update: true });
    const { lint, golden } = runAction({ inputs: { diff: "false" } });
    expect(lint).toEqual({ exit: 0, text: "" });
    expect(golden).toEqual({ exit: 0, text: "" });
  });

  test("annotate the lines that they find fault with", () => {
    commit({ ...MEMCACHED, "a/policy.yaml": FAULTY, "b/policy.yml": FAULTY });
    const { lint, golden } = runAction({ inputs: { diff: "false" } });
    for (const step of [lint, golden]) {
      expect(step!.exit).toBe(1);
      expect(step!.text).toMatch(/^::error file=a\/policy\.yaml,line=9,endLine=9,col=24,/m);
      expect(step!.text).toMatch(/^::error file=b\/policy\.yml,line=9,/m);
    }
  });

  test("annotate stale scripts with what they mean, and the command that mends them", () => {
    commit(MEMCACHED, { update: true });
    commit({ "web/policy.yaml": changed("port 22", "port 2222") });
    const { lint, golden } = runAction({ inputs: { diff: "false" } });
    expect(lint!.exit).toBe(0);
    expect(golden!.exit).toBe(1);
    expect(golden!.text).toMatch(
      /^::error file=web\/rules\.v4,line=\d+,.+ 1 line differs, and packets are treated differently%0A.*ctc golden --update/m,
    );
  });

  test("look where the inputs say", () => {
    commit({ "hosts/web.yaml": FAULTY, "policy.yaml": POLICY, "lists/x.txt": "192.0.2.1\n" });
    expect(runAction({ inputs: { golden: "false", diff: "false" } }).lint!.exit).toBe(0);
    const { lint, golden, diff } = runAction({
      inputs: { files: "^hosts/.*[.]yaml$", golden: "false", diff: "false" },
    });
    expect(lint!.text).toContain("file=hosts/web.yaml,");
    expect([golden, diff]).toEqual([undefined, undefined]);
  });

  test("find address files below the root that an input names, now and in the base", () => {
    const policy = changed("addresses:", "addresses:\n  list: { file: ../lists/x.txt }");
    const base = commit({
      "web/policy.yaml": `${policy}      - allow tcp from list to self port 25\n`,
      "lists/x.txt": "203.0.113.0/24\n",
    });
    must(repository, `node '${ctc}/dist/ctc.mjs' golden --update --root .`);
    write(`${repository}/lists/x.txt`, "203.0.113.0/25\n");
    const of = (root: string) => runAction({ base, inputs: { root } });
    const without = of("");
    expect([without.lint!.exit, without.golden!.exit, without.diff!.exit]).toEqual([1, 1, 0]);
    const { lint, golden, diff, comment } = of(".");
    expect([lint!.exit, golden!.exit, diff!.exit]).toEqual([0, 1, 0]);
    expect(comment).toContain("`tcp 203.0.113.128/25 → self port 25`");
  });

  test("do not pass where there is nothing to check", () => {
    commit({ "README.md": "" });
    const { lint, golden } = runAction({ inputs: { diff: "false" } });
    expect(lint).toMatchObject({
      exit: 2,
      text: expect.stringMatching(/^::error title=ctc::there is no policy here: /),
    });
    expect(golden!.exit).toBe(2);
  });

  test("take file names as they are", () => {
    const names = ["-x", "$(touch pwned)", "'; touch pwned; '", "a\n::error::b"];
    write(`${repository}/README.md`, "");
    for (const name of names) write(`${repository}/${name}.policy.yaml`, FAULTY);
    must(repository, "git add . && git commit -qm Odd");
    const { lint } = runAction({ inputs: { golden: "false", diff: "false" } });
    expect(lint!.text.match(/^::error file=/gm)!.length).toBeGreaterThanOrEqual(names.length);
    expect(lint!.text).not.toMatch(/^::error::/m);
    expect(must(repository, "ls")).not.toMatch(/^pwned$/m);
  });
});

describe("what is missing is said in a sentence", () => {
  test("a Node that is new enough", () => {
    commit(MEMCACHED);
    const { lint, golden, diff } = runAction({ env: pretendedNode("20.20.2") });
    for (const step of [lint, golden, diff])
      expect(step).toMatchObject({
        exit: 2,
        text: expect.stringMatching(
          /^::error title=ctc::needs Node\.js 22\.12 or newer, .+\nctc: needs .+\n$/,
        ),
      });
  });

  test("unless the machine keeps one ready", () => {
    commit(MEMCACHED);
    // A Node on the PATH that is too old, and one among the runner's tools that is not.
    write("old/node", `#!/bin/sh\nexit 1\n`);
    must(
      ".",
      `chmod +x old/node && mkdir -p tools/node/24.1.0/x64/bin && ln -sf "$(command -v node)" tools/node/24.1.0/x64/bin/node`,
    );
    const env = { PATH: `${folder}/old:${process.env.PATH}`, RUNNER_TOOL_CACHE: `${folder}/tools` };
    expect(runAction({ env, inputs: { diff: "false" } }).lint).toEqual({ exit: 0, text: "" });
  });

  test("git", () => {
    commit(MEMCACHED);
    const env = { PATH: `${folder}/bin:${folder}/some` };
    must(".", "mkdir -p some && for tool in bash dirname; do ln -sf $(command -v $tool) some; done");
    expect(runAction({ env }).lint).toMatchObject({
      exit: 2,
      text: expect.stringContaining("git is missing"),
    });
  });
});

/** The last step alone. */
function sayChanges(event: Event = {}): ReturnType<typeof runAction> {
  return runAction({ ...event, inputs: { lint: "false", golden: "false", ...event.inputs } });
}

describe("what a change means for packets, on GitHub", () => {
  test("is said in the summary and in the text of a comment", () => {
    const base = commit(MEMCACHED);
    commit({ "web/policy.yaml": changed("port 22", "port 2222") });
    const { diff, outputs, summary, comment } = sayChanges({ base });
    expect(diff).toEqual({ exit: 0, text: "" });
    expect(outputs).toEqual({ changed: "true", comment: `${folder}/runner/ctc-diff.md` });
    expect(comment).toContain("- `tcp 192.0.2.0/24 → self port 2222`\n");
    // The rule as it is, and as it was: each where it can be found.
    expect(comment).toContain("`allow tcp from 192.0.2.0/24 to self port 2222` (web/policy.yaml:12)\n");
    expect(comment).toMatch(
      /`allow tcp from 192\.0\.2\.0\/24 to self port 22` \([0-9a-f]{7,}:web\/policy\.yaml:12\)\n/,
    );
    expect(summary).toBe(comment);
  });

  test("is nothing where nothing has changed, and a sentence where only text has", () => {
    const base = commit(MEMCACHED);
    expect(sayChanges({ base })).toMatchObject({ outputs: { changed: "false" }, comment: "", summary: "" });
    commit({ "web/policy.yaml": `# Words.\n${POLICY}` });
    expect(sayChanges({ base })).toMatchObject({
      outputs: { changed: "false" },
      comment: "**`web/policy.yaml`**: no packet is treated differently.\n\n",
    });
  });

  test("is found where only an address file has changed", () => {
    const policy = changed("addresses:", "addresses:\n  list: { file: list.txt }");
    const base = commit({
      "web/policy.yaml": `${policy}      - allow tcp from list to self port 25\n`,
      "web/list.txt": "203.0.113.0/24\n",
    });
    commit({ "web/list.txt": "203.0.113.0/25\n" });
    expect(sayChanges({ base }).comment).toContain("`tcp 203.0.113.128/25 → self port 25`");
  });

  test("tells new, removed and renamed policies", () => {
    const base = commit({ ...MEMCACHED, "gone/policy.yaml": POLICY, "a/policy.yaml": `# A.\n${POLICY}` });
    must(repository, "git mv a b");
    commit({ "new/policy.yaml": "version: 1\ndefaults: { output: deny }\n", "gone/policy.yaml": null });
    expect(sayChanges({ base })).toMatchObject({
      outputs: { changed: "true" },
      comment: [
        "**`b/policy.yaml`**, which was `a/policy.yaml`: no packet is treated differently.\n\n",
        "**`new/policy.yaml`** is new: there is nothing to compare it with.\n\n",
        "**`gone/policy.yaml`** is removed.\n\n",
      ].join(""),
    });
  });

  test("is compared with what a pull request is merged into, also in a shallow clone", () => {
    commit(MEMCACHED);
    must(repository, "git checkout -qb change");
    commit({ "web/policy.yaml": changed("port 22", "port 2222") });
    must(repository, "git checkout -q main");
    // Others have gone on meanwhile; what they changed is no part of the pull request.
    commit({ "other/policy.yaml": POLICY });
    must(repository, "git checkout -q --detach && git merge -q --no-edit change && git branch merged");
    const clone = `clone-${count}`;
    must(".", `git clone -q --depth 1 --branch merged 'file://${folder}/${repository}' ${clone}`);
    must(repository, "git config uploadpack.allowAnySHA1InWant true");
    repository = clone;
    const { diff, comment } = sayChanges({ base: "0123456789012345678901234567890123456789" });
    expect(diff).toMatchObject({ exit: 0 });
    expect(comment).toContain("port 2222");
    expect(comment).not.toContain("other");
  });

  test("needs a base: without one, it says so and goes on", () => {
    commit(MEMCACHED);
    for (const before of ["", "0".repeat(40)])
      expect(sayChanges({ before })).toMatchObject({
        diff: { exit: 0, text: "ctc: there is nothing to compare with\n" },
        outputs: { changed: "false" },
      });
    expect(sayChanges({ inputs: { base: "nowhere" } }).diff).toMatchObject({
      exit: 2,
      text: expect.stringContaining("cannot find the commit to compare with; check out with its history"),
    });
  });

  test("cannot be said of a policy with errors, and is said of the others", () => {
    const base = commit({ ...MEMCACHED, "a/policy.yaml": POLICY });
    commit({ "a/policy.yaml": FAULTY, "web/policy.yaml": changed("port 22", "port 2222") });
    const { diff, comment } = sayChanges({ base });
    expect(diff!.exit).toBe(2);
    expect(diff!.text).toContain("error[unknown-name]");
    expect(comment).toContain("**`a/policy.yaml`** cannot be compared: the log of this job says why.\n");
    expect(comment).toContain("port 2222");
  });

  test("is told in brief where it is too long for a comment", () => {
    const name = (index: number) => `hosts/a-rather-long-name-for-a-host-${index}.policy.yaml`;
    const policies = (port: number) =>
      Object.fromEntries([0, 1].map((index) => [name(index), changed("port 22", `port ${port}`)]));
    const base = commit(policies(22));
    commit(policies(23));
    // As if services took less.
    must("ctc", "cp ci/diff.sh saved && sed -i 's/^longest_comment=60000/longest_comment=600/' ci/diff.sh");
    const { comment, summary } = sayChanges({ base });
    must("ctc", "mv saved ci/diff.sh");
    expect(comment).toBe(
      [0, 1].map((index) => `**\`${name(index)}\`**: packets are treated differently.\n\n`).join("") +
        "All of it is too long for a comment: see the summary of the job.\n",
    );
    expect(summary).toContain("`tcp 192.0.2.0/24 → self port 23`");
  });

  test("takes file names as they are", () => {
    const files = (policy: string) =>
      Object.fromEntries(
        ["-x", "$(touch pwned)", "a]b", "@everyone `code`"].map((name) => [`${name}.policy.yaml`, policy]),
      );
    const base = commit(files(POLICY));
    commit(files(changed("port 22", "port 2222")));
    const { diff, comment } = sayChanges({ base });
    expect(diff).toEqual({ exit: 0, text: "" });
    expect(comment!.match(/→ self port 2222/g)).toHaveLength(4);
    expect(must(repository, "ls")).not.toMatch(/^pwned$/m);
  });
});

describe("on GitLab", () => {
  interface Job {
    readonly variables: Readonly<Record<string, string>>;
    readonly before_script: readonly string[];
    readonly script: readonly string[];
    readonly after_script: readonly string[];
    readonly artifacts: {
      readonly paths: readonly string[];
      readonly reports: { readonly codequality: string; readonly junit: readonly string[] };
    };
  }

  /** Runs the job as GitLab's runner does: the scripts are one shell, which ends at the first failure. */
  function runJob(base = ""): { readonly exit: number | null; readonly text: string; readonly job: Job } {
    const job: Job = parse(read("ctc/ci/gitlab.yml")).ctc;
    must("ctc", "git tag -f v0.1.0");
    const env = {
      ...job.variables,
      CTC_REPOSITORY: `file://${ctc}`,
      CI_PROJECT_DIR: `${folder}/${repository}`,
      ...(base === "" ? {} : { CI_MERGE_REQUEST_DIFF_BASE_SHA: base }),
    };
    const script = ["set -eo pipefail", ...job.before_script, ...job.script].join("\n");
    const ran = sh(
      repository,
      script,
      Object.fromEntries(Object.entries(env).map(([k, v]) => [k, String(v)])),
    );
    must(repository, job.after_script.join("\n"), env as Record<string, string>);
    return { ...ran, job };
  }

  test("the job passes a sound repository, and leaves every artifact that it names", () => {
    const base = commit(MEMCACHED, { update: true });
    const { exit, text, job } = runJob(base);
    expect({ exit, text }).toMatchObject({ exit: 0 });
    const { paths, reports } = job.artifacts;
    for (const file of [...paths, ...reports.junit]) expect(read(`${repository}/${file}`)).toBeDefined();
    expect(JSON.parse(read(`${repository}/${reports.codequality}`))).toEqual([]);
    expect(must(".", "ls")).not.toContain(".ctc");
  });

  test("reports each finding once, the stale scripts, and what changes for packets", () => {
    const base = commit({ ...MEMCACHED, "a/policy.yaml": POLICY }, { update: true });
    commit({ "a/policy.yaml": FAULTY, "web/policy.yaml": changed("port 22", "port 2222") });
    const { exit, text } = runJob(base);
    expect(exit).toBe(1);
    const quality = JSON.parse(read(`${repository}/ctc-quality.json`)) as { check_name: string }[];
    const checks = quality.map(({ check_name }) => check_name);
    expect(checks.filter((name) => name === "unknown-name")).toHaveLength(1);
    expect(checks).toContain("stale-script");
    expect(read(`${repository}/ctc-lint.xml`)).toContain("unknown-name");
    expect(read(`${repository}/ctc-golden.xml`)).toContain("stale-script");
    expect(read(`${repository}/ctc-diff.md`)).toContain("→ self port 2222`");
    expect(text).toContain("error[unknown-name]");
  });
});

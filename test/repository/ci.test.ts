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

/** Commits these files, and what is compiled from the policies among them; null removes one. Returns the commit. */
function commit(files: Readonly<Record<string, string | null>>, { update = true } = {}): string {
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
    commit(MEMCACHED);
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
    commit(MEMCACHED);
    commit({ "web/policy.yaml": changed("port 22", "port 2222") }, { update: false });
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

  test("find address files below the root that an input names", () => {
    const policy = changed("addresses:", "addresses:\n  list: { file: ../lists/x.txt }");
    commit({
      "web/policy.yaml": `${policy}      - allow tcp from list to self port 25\n`,
      "lists/x.txt": "203.0.113.0/24\n",
    });
    must(repository, `node '${ctc}/dist/ctc.mjs' golden --update --root .`);
    const of = (root: string) => runAction({ inputs: { root, diff: "false" } });
    expect([of("").lint!.exit, of("").golden!.exit]).toEqual([1, 1]);
    expect([of(".").lint!.exit, of(".").golden!.exit]).toEqual([0, 0]);
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

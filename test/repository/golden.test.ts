import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { FAULTY, POLICY, workshop } from "../cli/run.ts";

const { folder, ctc, bash, file } = workshop();

/** Every test has a repository of its own: `ctc golden` looks at all of it. */
let count = 0;
let repository = "";

beforeEach(() => {
  repository = `repository-${count++}`;
  mkdirSync(join(folder, repository, ".git"), { recursive: true });
});

const write = (path: string, content: string): string => file(join(repository, path), content);
const read = (path: string): string => readFileSync(join(folder, repository, path), "utf8");
const has = (path: string): boolean => existsSync(join(folder, repository, path));

/** Runs `ctc golden` in the repository, or in a folder of it. */
function golden(args = "", { at = "", env = "" } = {}) {
  return bash(`cd '${repository}/${at}' && ${env} ctc golden ${args}`);
}

/** Turns a policy into another that says the same in another order of its lines. */
const moved = (policy: string): string =>
  policy.replace("version: 1\n", "# Looked through in autumn.\nversion: 1\n");

const SCRIPTS = ["rules.v4", "rules.v6", "ruleset.nft"];

test("writes what is missing, then nothing, and then only what changes", () => {
  write("web/policy.yaml", POLICY);
  const missing = golden();
  expect(missing).toMatchObject({ exit: 1, err: "" });
  expect(missing.out).toContain("missing: web/ruleset.nft (a script of web/policy.yaml)\n");
  expect(missing.out).toMatch(/\n3 missing\. Run `ctc golden --update` to bring them up to date\.\n$/);
  expect(has("web/rules.v4")).toBe(false);

  expect(golden("--update")).toEqual({
    exit: 0,
    out: "1 policy, all scripts up to date\n",
    err: SCRIPTS.map((name) => `wrote web/${name}\n`).join(""),
  });
  expect(read("web/rules.v4")).toContain("--dport 22 ");
  expect(golden("--update")).toEqual({ exit: 0, out: "1 policy, all scripts up to date\n", err: "" });
});

test("what some policies keep, all must; what none keeps, nobody misses", () => {
  write("a/policy.yaml", POLICY);
  write("b/policy.yaml", POLICY);
  golden("--update");
  rmSync(join(folder, repository, "a/rules.v6"));
  expect(golden().out).toContain("missing: a/rules.v6 ");
  rmSync(join(folder, repository, "b/rules.v6"));
  expect(golden().out).toBe("2 policies, all scripts up to date\n");
});

test("an empty file is the place of a script: so a repository begins with one kind alone", () => {
  write("policy.yaml", POLICY);
  write("ruleset.nft", "");
  expect(golden("--update").err).toMatch(/^wrote ruleset\.nft \(.+\)\n$/);
  expect(has("rules.v4")).toBe(false);
});

describe("a stale script", () => {
  test("of which only the text differs, says so", () => {
    write("policy.yaml", POLICY);
    golden("--update");
    write("policy.yaml", moved(POLICY));
    const { exit, out } = golden();
    expect(exit).toBe(1);
    expect(out).toContain("\nstale: rules.v6\n--- rules.v6 as it is\n+++ rules.v6 as it should be\n@@ -");
    expect(out.match(/ lines? differs?, no packet is treated differently\.\n/g)).toHaveLength(3);
    const update = golden("--update");
    expect(update.exit).toBe(0);
    expect(update.err).toMatch(/^wrote rules\.v4 \(\d lines differ, no packet is treated differently\)\n/);
  });

  test("that treats packets differently, names them, and the rule", () => {
    write("policy.yaml", POLICY);
    golden("--update");
    write("policy.yaml", POLICY.replace("port 22", "port 2222"));
    const { exit, out } = golden();
    expect(exit).toBe(1);
    expect(out).toContain("-A INPUT -s 192.0.2.0/24 -p tcp -m tcp --dport 22 ");
    expect(out).toContain("\n1 line differs, and packets are treated differently:\n");
    expect(out).toMatch(/^error\[script-differs\]: the policy drops .+, the script lets them pass$/m);
    expect(out).toContain("--> rules.v4:");
    expect(out).toContain("--> policy.yaml:12:9\n");
    expect(out).toMatch(/tcp 192\.0\.2\.\d+:\d+ > \S+:2222 /);
    // What holds for rules.v4 need not be said of ruleset.nft again; rules.v6 has no such rule.
    expect(out.match(/: the policy drops .+, the script lets them pass/g)).toHaveLength(1);
    expect(out).toContain("\n1 line differs, and packets are treated differently, as said above.\n");
    expect(out).not.toContain("rules.v6");
  });

  test("that was edited by hand, is found out", () => {
    write("policy.yaml", POLICY);
    golden("--update");
    write("ruleset.nft", read("ruleset.nft").replace("dport 22 ", "dport 22-23 "));
    expect(golden().out).toContain("packets are treated differently:\n");
    expect(golden("--update").exit).toBe(0);
  });

  test("that cannot be read back, says that it cannot be compared", () => {
    write("policy.yaml", POLICY);
    golden("--update");
    write("rules.v4", `${read("rules.v4")}<<<<<<< HEAD\n`);
    expect(golden().out).toMatch(
      /1 line differs, and whether packets are treated differently cannot be told: .*\n/,
    );
    expect(golden("--update").exit).toBe(0);
    expect(golden().exit).toBe(0);
  });
});

describe("orphaned scripts", () => {
  test("are removed with their folder, and nothing else is", () => {
    write("golden/README.md", "");
    write("a/policy.yaml", POLICY);
    write("b/c/policy.yaml", POLICY);
    write("d/rules.v4", "*filter\nCOMMIT\n");
    golden("--update");
    rmSync(join(folder, repository, "b"), { recursive: true });
    expect(golden()).toMatchObject({ exit: 1 });
    expect(golden().out).toMatch(/\n3 orphaned\. Run `ctc golden --update` /);
    expect(golden("--update")).toEqual({
      exit: 0,
      out: "1 policy, all scripts up to date\n",
      err: SCRIPTS.map((name) => `removed golden/b/c/${name}\n`).join(""),
    });
    expect(has("golden/b")).toBe(false);
    expect(readdirSync(join(folder, repository, "golden/a"))).toEqual(SCRIPTS);
    expect(has("d/rules.v4")).toBe(true);
  });

  test("of the last policy are found all the same", () => {
    write("policy.yaml", POLICY);
    golden("--update");
    rmSync(join(folder, repository, "policy.yaml"));
    expect(golden()).toMatchObject({ exit: 1 });
    expect(golden("--update")).toMatchObject({ exit: 0 });
    expect(has("ruleset.nft")).toBe(false);
  });
});

describe("where it looks", () => {
  test("in the present folder and below, with the mirror of the repository, by paths that a user can open", () => {
    write("golden/README.md", "");
    write("hosts/a/policy.yaml", POLICY);
    write("sites/policy.yaml", POLICY);
    expect(golden("-u", { at: "hosts" }).err).toBe(
      SCRIPTS.map((name) => `wrote ../golden/hosts/a/${name}\n`).join(""),
    );
    expect(golden("", { at: "hosts/a" })).toMatchObject({ exit: 0 });
    expect(golden().out).toMatch(/\n3 missing/);
  });

  test("in the folders that are named, which the command that mends names too", () => {
    write("a b/policy.yaml", POLICY);
    write("c/policy.yaml", POLICY);
    write("it's/policy.yaml", POLICY);
    const { out } = golden(`"a b" "it's"`);
    expect(out).toMatch(/\n6 missing\. Run `ctc golden --update 'a b' 'it'\\''s'` to bring/);
    const command = /`(.+)`/.exec(out)![1];
    expect(bash(`cd '${repository}' && ${command}`).exit).toBe(0);
    expect(golden(`"a b" "it's"`).out).toBe("2 policies, all scripts up to date\n");
    expect(has("c/rules.v4")).toBe(false);
  });

  test("also outside of any repository", () => {
    rmSync(join(folder, repository, ".git"), { recursive: true });
    write("a/policy.yaml", POLICY);
    write("b/policy.yaml", POLICY);
    expect(golden("-u a b").exit).toBe(0);
    expect(has("b/rules.v4")).toBe(true);
  });

  test("not in what is hidden or installed, in other repositories, at what git ignores, or at objects of Kubernetes", () => {
    bash(`rm -r '${repository}/.git' && git init -q '${repository}'`);
    write(".gitignore", "build/\n");
    write("policy.yaml", POLICY);
    for (const path of [".cache", "node_modules/x", "build", "module"])
      write(`${path}/policy.yaml`, "- broken");
    mkdirSync(join(folder, repository, "module/.git"));
    write("build/ruleset.nft", "# Generated by ctc from policy.yaml. Do not edit.\n");
    write("k8s/policy.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n");
    expect(golden("-u").exit).toBe(0);
    expect(golden().out).toBe("1 policy, all scripts up to date\n");
    expect(has("build/ruleset.nft")).toBe(true);
  });

  test("for address files where --root says", () => {
    write("lists/blocked.txt", "203.0.113.0/24\n");
    write(
      "hosts/a/policy.yaml",
      `${POLICY.replace("addresses:", "addresses:\n  blocked: { file: ../../lists/blocked.txt }")}      - deny from blocked to self\n`,
    );
    expect(golden("--update").exit).toBe(1);
    expect(golden("--update --root .").exit).toBe(0);
    expect(read("hosts/a/rules.v4")).toContain("203.0.113.0/24");
  });
});

describe("a folder in which ipsets stand", () => {
  const LONG = `version: 1
addresses: { clients: [${Array.from({ length: 40 }, (_, at) => `10.${2 * at}.0.0/16`).join(", ")}] }
policies:
  - name: web
    rules: [allow tcp from clients to self port 22]
`;

  test("has scripts that ask them, and no other folder has", () => {
    write("a/policy.yaml", LONG);
    write("b/policy.yaml", LONG);
    write("a/ipsets", "");
    expect(golden("--update").exit).toBe(0);
    expect(read("a/ipsets")).toMatch(/^create ctc-clients-/m);
    expect(read("a/rules.v4")).toContain(" --match-set ctc-clients-");
    expect(read("b/rules.v4")).not.toContain("--match-set");
    expect(has("b/ipsets")).toBe(false);
    expect(golden().out).toBe("2 policies, all scripts up to date\n");
    // Whoever wants them no more removes them.
    rmSync(join(folder, repository, "a/ipsets"));
    const { out } = golden();
    expect(out).toContain("stale: a/rules.v4\n");
    expect(golden("-u").exit).toBe(0);
    expect(read("a/rules.v4")).toBe(read("b/rules.v4"));
  });

  test("hears what a changed list means for packets once, whichever script it is in", () => {
    write("policy.yaml", LONG);
    write("ipsets", "");
    golden("--update");
    write("policy.yaml", LONG.replace("10.2.0.0/16, ", ""));
    const { exit, out } = golden();
    expect(exit).toBe(1);
    expect(out.match(/^error\[script-differs\]/gm)).toHaveLength(1);
    expect(out).toContain("tcp 10.2.0.0/16 → self port 22");
    expect(out).toContain("stale: ipsets\n");
    expect(golden("--update").exit).toBe(0);
    expect(read("ipsets")).not.toContain(" 10.2.0.0/16 ");
  });

  test("hears that sets which somebody edited let other packets pass", () => {
    write("policy.yaml", LONG);
    write("ipsets", "");
    golden("--update");
    write("ipsets", read("ipsets").replace(" 10.2.0.0/16 ", " 10.3.0.0/16 "));
    const { out } = golden();
    expect(out).toMatch(/^stale: ipsets$/m);
    expect(out).toContain("1 line differs, and packets are treated differently:");
    expect(out).not.toContain("stale: rules.v4");
  });

  test("keeps its sets only as long as there is a policy", () => {
    write("policy.yaml", LONG);
    write("ipsets", "");
    write("other.policy.yaml", POLICY);
    golden("--update");
    rmSync(join(folder, repository, "policy.yaml"));
    expect(golden().out).toContain("orphaned: ipsets ");
  });
});

describe("what --update never does", () => {
  test("write over a script that was written by hand", () => {
    write("policy.yaml", POLICY);
    write("rules.v4", "*filter\nCOMMIT\n");
    const { exit, out } = golden("--update");
    expect(exit).toBe(1);
    expect(out).toContain("foreign: rules.v4 (ctc did not write it, and leaves it as it is)\n");
    expect(read("rules.v4")).toBe("*filter\nCOMMIT\n");
  });

  test("follow a link out of the repository", () => {
    mkdirSync(join(folder, "elsewhere"), { recursive: true });
    write("policy.yaml", POLICY);
    write("golden/rules.v4", "");
    write("web/policy.yaml", POLICY);
    symlinkSync(join(folder, "elsewhere"), join(folder, repository, "golden/web"));
    expect(golden("--update")).toMatchObject({
      exit: 2,
      err: "ctc: cannot write golden/web/rules.v4: a symbolic link leads out of the repository\n",
    });
    expect(readdirSync(join(folder, "elsewhere"))).toEqual([]);
    expect(read("golden/rules.v4")).toBe("");
  });

  test("follow a link in the place of a script", () => {
    write("policy.yaml", POLICY);
    golden("--update");
    write("target", read("rules.v4").replace("dport 22", "dport 23"));
    rmSync(join(folder, repository, "rules.v4"));
    symlinkSync("target", join(folder, repository, "rules.v4"));
    expect(golden("--update").out).toContain("foreign: rules.v4 ");
    expect(read("target")).toContain("dport 23");
  });

  test("touch the scripts of a policy with errors; those of the others it writes", () => {
    write("a/policy.yaml", POLICY);
    write("b/policy.yaml", POLICY);
    golden("--update");
    write("a/policy.yaml", FAULTY);
    write("b/policy.yaml", moved(POLICY));
    const before = read("a/rules.v4");
    const { exit, out, err } = golden("--update");
    expect(exit).toBe(1);
    expect(out).toContain("error[unknown-name]");
    expect(out).toContain("--> a/policy.yaml:9:24\n");
    expect(err).toContain("wrote b/rules.v4 ");
    expect(read("a/rules.v4")).toBe(before);
  });
});

describe("exit code 2 and a sentence", () => {
  test("where there is no policy", () => {
    write("README.md", "");
    expect(golden()).toEqual({
      exit: 2,
      out: "",
      err: "ctc: there is no policy in .: a policy is a file policy.yaml or NAME.policy.yaml\n",
    });
  });

  test("where a folder does not exist", () => {
    expect(golden("nowhere").err).toBe(
      "ctc: cannot look for policies in nowhere: there is no such file or folder\n",
    );
  });

  test("that names the one of several folders that cannot be read", () => {
    write("a/policy.yaml", POLICY);
    expect(golden("a nowhere").err).toBe(
      "ctc: cannot look for policies in nowhere: there is no such file or folder\n",
    );
  });

  test("where a file is named that is no policy", () => {
    write("policy.yaml", POLICY);
    expect(golden("policy.yaml")).toMatchObject({ exit: 1, err: "" });
    write("rules.v4", "");
    expect(golden("rules.v4").err).toMatch(/^ctc: there is no policy in rules\.v4: /);
  });

  test("where folders belong to several repositories", () => {
    write("a/policy.yaml", POLICY);
    mkdirSync(join(folder, "other/.git"), { recursive: true });
    expect(golden("a ../other").err).toBe("ctc: ../other is not in the same repository as a\n");
  });

  test("where a policy is no YAML", () => {
    write("policy.yaml", "version: [");
    expect(golden()).toMatchObject({ exit: 2 });
    expect(golden().out).toContain("--> policy.yaml:1:");
  });
});

test("two policies that want one folder are told, and nothing is written", () => {
  write("web.policy.yaml", POLICY);
  write("web/policy.yaml", POLICY);
  const { exit, out } = golden("--update");
  expect(exit).toBe(1);
  expect(out).toContain(
    "contested: web.policy.yaml (web/policy.yaml has its scripts in the same folder, web)\n",
  );
  expect(has("web/rules.v4")).toBe(false);
});

test("under pre-commit the command that mends is one that can be pasted", () => {
  write("policy.yaml", POLICY);
  const { out } = golden("", { env: "PRE_COMMIT=1" });
  const command = /Run `(.+)` to bring/.exec(out)![1]!;
  expect(command).toMatch(/^\/\S+ \/\S+\/ctc\.mjs golden --update$/);
  // A shell of the user's, in which nobody called ctc anything.
  expect(bash(`unset -f ctc; cd '${repository}' && ${command}`)).toMatchObject({ exit: 0 });
});

test("the formats for CI services have a finding for each file, and one that passed where all is well", () => {
  write("policy.yaml", POLICY);
  golden("--update");
  expect(golden("--format github")).toEqual({ exit: 0, out: "", err: "" });
  expect(golden("--format junit").out).toContain('<testcase name="no findings" classname="policy.yaml"');
  write("policy.yaml", moved(POLICY));
  const { exit, out } = golden("--format github");
  expect(exit).toBe(1);
  expect(out.match(/^::error file=rules\.v4,line=\d+,/gm)).toHaveLength(1);
  expect(JSON.parse(golden("--format json").out).findings).toHaveLength(3);
});

test("help tells where scripts stand", () => {
  expect(ctc(["golden", "--help"]).out).toContain("NAME.policy.yaml");
});

import { beforeAll, describe, expect, test } from "vitest";
import { FAULTY, POLICY, workshop } from "./run.ts";

const { ctc, bash, file } = workshop();

const WIDER = POLICY.replace("192.0.2.0/24", "192.0.2.0/23");
/** Another text that means the same. */
const MOVED = POLICY.replace(
  "allow tcp from 192.0.2.0/24 to self port 22",
  "allow tcp from 192.0.2.0/24 to self port 22 # ssh",
).replace("- name: administration", "- name: admins");

beforeAll(() => {
  file("old.yaml", POLICY);
  file("wider.yaml", WIDER);
  file("moved.yaml", MOVED);
  file("faulty.yaml", FAULTY);
});

describe("two policies that mean the same", () => {
  test("are said to", () => {
    expect(ctc(["diff", "old.yaml", "moved.yaml"])).toEqual({
      exit: 0,
      out: "no packet is treated differently: old.yaml and moved.yaml\n",
      err: "",
    });
  });

  test.each(["markdown", "github"])("print nothing with --format %s", (format) => {
    const { exit, out, err } = ctc(["diff", "old.yaml", "moved.yaml", "--format", format]);
    expect({ exit, err }).toEqual({ exit: 0, err: "" });
    expect(out.replace(/^::notice.*\n/gm, "")).toBe("");
  });

  test("have no changes in JSON", () => {
    const { exit, out } = ctc(["diff", "old.yaml", "moved.yaml", "--format", "json"]);
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ version: 1, old: "old.yaml", new: "moved.yaml", changes: [] });
  });
});

describe("a policy that lets more pass", () => {
  test("pretty", () => {
    expect(ctc(["diff", "old.yaml", "wider.yaml"])).toEqual({
      exit: 1,
      out: `newly allowed
  tcp 192.0.3.0/24 → self port 22
    - drops them: the default for input
    + lets them pass: allow tcp from 192.0.2.0/23 to self port 22 (wider.yaml:12)
    for example: tcp 192.0.3.1:40000 > 192.0.2.2:22 in eth0 flags syn

1 newly allowed, from old.yaml to wider.yaml
`,
      err: "",
    });
  });

  test("markdown is what stands under a pull request", () => {
    expect(ctc(["diff", "old.yaml", "wider.yaml", "--format", "markdown"])).toEqual({
      exit: 1,
      out: `**wider.yaml**: 1 newly allowed

#### Newly allowed

- \`tcp 192.0.3.0/24 → self port 22\`
  - the new policy lets them pass: \`allow tcp from 192.0.2.0/23 to self port 22\` (wider.yaml:12)
  - the old one drops them: the default for input
`,
      err: "",
    });
  });

  test("github annotates the line of the new policy", () => {
    const { exit, out } = ctc(["diff", "old.yaml", "wider.yaml", "--format", "github"]);
    expect(exit).toBe(1);
    expect(out).toMatch(
      /^::warning file=wider\.yaml,line=12,.*title=ctc%3A newly allowed::tcp 192\.0\.3\.0\/24 → self port 22/m,
    );
  });

  test("JSON names the causes on both sides", () => {
    const { exit, out } = ctc(["diff", "old.yaml", "wider.yaml", "--format", "json"]);
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      complete: true,
      changes: [
        {
          kind: "allowed",
          packets: ["tcp 192.0.3.0/24 → self port 22"],
          complete: true,
          state: null,
          old: { does: "drops them", sentence: null, reason: "the default for input" },
          new: { sentence: "allow tcp from 192.0.2.0/23 to self port 22", file: "wider.yaml", line: 12 },
        },
      ],
    });
  });
});

describe("--no-new-access", () => {
  test("exits with 1 where something is newly allowed", () => {
    expect(ctc(["diff", "old.yaml", "wider.yaml", "--no-new-access"]).exit).toBe(1);
  });

  test("exits with 0 where something is newly denied, and tells it all the same", () => {
    const { exit, out } = ctc(["diff", "wider.yaml", "old.yaml", "--no-new-access"]);
    expect(exit).toBe(0);
    expect(out).toMatch(/^newly denied$/m);
  });
});

describe("exit code 2, because nothing could be compared", () => {
  test.each([
    ["old.yaml", "faulty.yaml"],
    ["faulty.yaml", "old.yaml"],
  ])("%s %s: one of them has an error, which is underlined", (before, after) => {
    const { exit, out, err } = ctc(["diff", before, after]);
    expect({ exit, out }).toEqual({ exit: 2, out: "" });
    expect(err).toMatch(/ --> faulty\.yaml:\d+:\d+\n/);
    expect(err).toMatch(/clinets.*\n.*\^{7}\n/);
  });

  test("no YAML", () => {
    expect(ctc(["diff", "old.yaml", file("no.yaml", "a: [")])).toMatchObject({ exit: 2, out: "" });
  });

  test("a file that is not there", () => {
    expect(ctc(["diff", "old.yaml", "nowhere.yaml"])).toEqual({
      exit: 2,
      out: "",
      err: "ctc: cannot read nowhere.yaml: there is no such file or folder\n",
    });
  });

  test("standard input twice", () => {
    const { exit, err } = ctc(["diff", "-", "-"]);
    expect(exit).toBe(2);
    expect(err).toBe("ctc: standard input can be read once: only one of the policies may be -\n");
  });
});

test("one of the policies may come from standard input", () => {
  const { exit, out } = ctc(["diff", "-", "wider.yaml"], { input: POLICY });
  expect(exit).toBe(1);
  expect(out).toContain("from <stdin> to wider.yaml\n");
});

describe("a file of a git commit", () => {
  beforeAll(() => {
    file(
      "repository/hosts/policy.yaml",
      POLICY.replace('[10.1.0.0/16, "2001:db8:1::/48"]', "{ file: clients.txt }"),
    );
    file("repository/hosts/clients.txt", "10.1.0.0/16\n");
    const git =
      "git -c user.name=a -c user.email=a@example.com -c init.defaultBranch=main -c commit.gpgsign=false";
    bash(`cd repository && ${git} init -q && git add . && ${git} commit -qm first`);
    file("repository/hosts/clients.txt", "10.1.0.0/16\n10.2.0.0/16\n");
  });

  test("is compared with the addresses of that commit", () => {
    const { out } = bash("cd repository && ctc diff main:hosts/policy.yaml hosts/policy.yaml; echo $?");
    expect(out).toMatch(/tcp 10\.2\.0\.0\/16 → self port 11211/);
    expect(out).toMatch(/from main:hosts\/policy\.yaml to hosts\/policy\.yaml\n1\n$/);
  });

  test("counts from here with ./", () => {
    const { out } = bash("cd repository/hosts && ctc diff HEAD:./policy.yaml HEAD:./policy.yaml; echo $?");
    expect(out).toMatch(/^no packet is treated differently: .*\n0\n$/);
  });

  test.each([
    ["nowhere:hosts/policy.yaml", "git knows no commit nowhere"],
    [
      "main:policy.yaml",
      "there is no policy.yaml in main; a path counts from the root of the repository, or write ./policy.yaml",
    ],
  ])("%s is not there", (revision, reason) => {
    const { out, err } = bash(`cd repository && ctc diff ${revision} hosts/policy.yaml; echo $?`);
    expect({ out, err }).toEqual({ out: "2\n", err: `ctc: cannot read ${revision}: ${reason}\n` });
  });
});

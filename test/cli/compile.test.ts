import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FAULTY, POLICY, workshop } from "./run.ts";

const { folder, ctc, bash, file } = workshop();

/** Content of a file in the workshop. */
function content(name: string): string {
  return readFileSync(join(folder, name), "utf8");
}

describe("a sound policy", () => {
  test("is printed as an nft script, and nothing else is said", () => {
    const { exit, out, err } = ctc(["compile", file("policy.yaml", POLICY)]);
    expect({ exit, err }).toEqual({ exit: 0, err: "" });
    expect(out).toMatch(/^#!\/usr\/sbin\/nft -f\n/);
    expect(out).toContain('comment "policy.yaml:9 memcached"');
    expect(out).toMatch(/}\n$/);
  });

  test.each([
    ["iptables", "-s 10.1.0.0/16"],
    ["ip6tables", "-s 2001:db8:1::/48"],
  ])("is printed for %s when asked", (target, words) => {
    const { exit, out } = ctc(["compile", file("policy.yaml", POLICY), "--target", target]);
    expect(exit).toBe(0);
    expect(out).toContain(words);
    expect(out).toMatch(/COMMIT\n$/);
  });

  test("is read from standard input for -", () => {
    const { exit, out } = ctc(["compile", "-"], { input: POLICY });
    expect(exit).toBe(0);
    expect(out).toContain("11211");
  });

  test("is read from a pipe", () => {
    file("policy.yaml", POLICY);
    expect(bash("ctc compile <(cat policy.yaml)").exit).toBe(0);
  });

  test("gives the same bytes from wherever it is compiled", () => {
    file("deep/policy.yaml", POLICY);
    file("policy.yaml", POLICY);
    expect(ctc(["compile", "deep/policy.yaml"]).out).toBe(ctc(["compile", "./policy.yaml"]).out);
  });
});

describe("a policy with an error", () => {
  test("gives no script, a code frame and exit code 1", () => {
    const { exit, out, err } = ctc(["compile", file("faulty.yaml", FAULTY)]);
    expect({ exit, out }).toEqual({ exit: 1, out: "" });
    expect(err).toContain("--> faulty.yaml:9:24");
    expect(err).toContain("did you mean `clients`?");
    expect(err).toMatch(/^\d+ errors? in faulty\.yaml$/m);
  });

  test("writes no file and makes no folder", () => {
    const { exit } = ctc(["compile", file("faulty.yaml", FAULTY), "-o", "never/"]);
    expect(exit).toBe(1);
    expect(existsSync(join(folder, "never"))).toBe(false);
  });

  test("leaves what an earlier run wrote", () => {
    file("kept.nft", "old");
    ctc(["compile", file("faulty.yaml", FAULTY), "-o", "kept.nft"]);
    expect(content("kept.nft")).toBe("old");
  });

  test("is coloured only where that is wanted", () => {
    const args = ["compile", file("faulty.yaml", FAULTY)];
    const colour = "\u001b[";
    expect(ctc(args).err).not.toContain(colour);
    expect(ctc(args, { env: { FORCE_COLOR: "1" } }).err).toContain(colour);
    expect(ctc(args, { env: { FORCE_COLOR: "1", NO_COLOR: "1" } }).err).not.toContain(colour);
    expect(ctc(args, { env: { FORCE_COLOR: "0" } }).err).not.toContain(colour);
  });
});

describe("input that cannot be used ends with exit code 2 and a sentence:", () => {
  test("a file that is not there", () => {
    expect(ctc(["compile", "nowhere.yaml"])).toEqual({
      exit: 2,
      out: "",
      err: "ctc: cannot read nowhere.yaml: there is no such file or folder\n",
    });
  });

  test("a folder", () => {
    expect(ctc(["compile", "."])).toEqual({ exit: 2, out: "", err: "ctc: cannot read .: it is a folder\n" });
  });

  test("a file without end", () => {
    const { exit, err } = ctc(["compile", "/dev/zero"]);
    expect({ exit, err }).toEqual({
      exit: 2,
      err: "ctc: cannot read /dev/zero: it is larger than 256 MiB\n",
    });
  });

  test("a name with an escape sequence in it, which is shown harmlessly", () => {
    expect(ctc(["compile", "\u001b[2Jx"]).err).toBe(
      "ctc: cannot read ␛[2Jx: there is no such file or folder\n",
    );
  });

  test("what is no YAML", () => {
    const { exit, out, err } = ctc(["compile", file("torn.yaml", "rules: [\n")]);
    expect({ exit, out }).toEqual({ exit: 2, out: "" });
    expect(err).toContain("--> torn.yaml:");
  });

  test("bytes that are no UTF-8, with the place of the first", () => {
    const bytes = Buffer.concat([
      Buffer.from("version: 1\nname: caf"),
      Buffer.from([0xe9]),
      Buffer.from(" au lait\n"),
    ]);
    const { exit, err } = ctc(["compile", file("latin1.yaml", bytes)]);
    expect(exit).toBe(2);
    expect(err).toContain("byte 0xE9 at offset 20 belongs to no character");
    expect(err).toContain("--> latin1.yaml:2:10\n");
  });

  test("UTF-16", () => {
    const { exit, err } = ctc(["compile", file("wide.yaml", Buffer.from("\ufeffversion: 1\n", "utf16le"))]);
    expect(exit).toBe(2);
    expect(err).toContain("the file is UTF-16; ctc reads UTF-8");
  });
});

describe("-o", () => {
  test("writes one file, and says so", () => {
    const { exit, out, err } = ctc(["compile", file("policy.yaml", POLICY), "-o", "one.nft"]);
    expect({ exit, out, err }).toEqual({ exit: 0, out: "", err: "wrote one.nft\n" });
    expect(content("one.nft")).toBe(ctc(["compile", "policy.yaml"]).out);
  });

  test("makes a folder for all scripts, where its name ends in /", () => {
    const { err } = ctc(["compile", file("policy.yaml", POLICY), "-o", "new/deep/"]);
    expect(err).toBe("wrote new/deep/ruleset.nft\nwrote new/deep/rules.v4\nwrote new/deep/rules.v6\n");
    expect(readdirSync(join(folder, "new/deep")).sort()).toEqual(["rules.v4", "rules.v6", "ruleset.nft"]);
    expect(content("new/deep/rules.v6")).toBe(ctc(["compile", "policy.yaml", "-t", "ip6tables"]).out);
  });

  test("takes a folder that exists for one, and writes only the target named", () => {
    mkdirSync(join(folder, "there"));
    ctc(["compile", file("policy.yaml", POLICY), "-o", "there", "-t", "iptables"]);
    expect(readdirSync(join(folder, "there"))).toEqual(["rules.v4"]);
  });

  test("sees from .v4 and .v6 what a file is to hold", () => {
    ctc(["compile", file("policy.yaml", POLICY), "-o", "mine.v6"]);
    expect(content("mine.v6")).toBe(ctc(["compile", "policy.yaml", "-t", "ip6tables"]).out);
  });

  test("keeps the mode of a file that it replaces, also what the umask would take", () => {
    file("shared.nft", "old");
    chmodSync(join(folder, "shared.nft"), 0o660);
    ctc(["compile", file("policy.yaml", POLICY), "-o", "shared.nft"]);
    expect(statSync(join(folder, "shared.nft")).mode & 0o777).toBe(0o660);
    expect(content("shared.nft")).toContain("11211");
  });

  test("writes through a symbolic link", () => {
    file("behind/target.nft", "old");
    symlinkSync("behind/target.nft", join(folder, "link.nft"));
    ctc(["compile", file("policy.yaml", POLICY), "-o", "link.nft"]);
    expect(lstatSync(join(folder, "link.nft")).isSymbolicLink()).toBe(true);
    expect(content("behind/target.nft")).toContain("11211");
  });

  test("writes to a device without replacing it", () => {
    expect(ctc(["compile", file("policy.yaml", POLICY), "-o", "/dev/null"]).exit).toBe(0);
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  test("leaves no temporary file behind", () => {
    ctc(["compile", file("policy.yaml", POLICY), "-o", "clean/"]);
    ctc(["compile", "policy.yaml", "-o", "clean/"]);
    expect(readdirSync(join(folder, "clean"))).toHaveLength(3);
  });

  test("complains where a folder cannot be made, and makes those that can", () => {
    file("policy.yaml", POLICY);
    expect(ctc(["compile", "policy.yaml", "-o", "/proc/ctc/"])).toEqual({
      exit: 2,
      out: "",
      err: "ctc: cannot write /proc/ctc/: there is no such file or folder\n",
    });
    expect(ctc(["compile", "policy.yaml", "-o", "a/b/c/"]).exit).toBe(0);
    expect(readdirSync(join(folder, "a/b/c"))).toHaveLength(3);
  });

  test.each([
    ["policy.yaml/", "a part of its path is not a folder"],
    ["policy.yaml/x/", "policy.yaml is not a folder"],
    ["policy.yaml/x/y/", "policy.yaml is not a folder"],
  ])("complains where a file is in the way of a folder: %s", (path, reason) => {
    file("policy.yaml", POLICY);
    const err = `ctc: cannot write ${path}: ${reason}\n`;
    expect(ctc(["compile", "policy.yaml", "-o", path])).toEqual({ exit: 2, out: "", err });
  });

  test("complains where a folder is in the way of a file", () => {
    file("policy.yaml", POLICY);
    mkdirSync(join(folder, "blocked/rules.v4"), { recursive: true });
    expect(ctc(["compile", "policy.yaml", "-o", "blocked/"])).toEqual({
      exit: 2,
      out: "",
      err: "ctc: cannot write blocked/rules.v4: it is a folder\n",
    });
    expect(readdirSync(join(folder, "blocked"))).toEqual(["rules.v4"]);
  });
});

describe("--ipset", () => {
  const names = Array.from({ length: 40 }, (_, at) => `203.${2 * at}.113.0/24`);
  const LONG = `version: 1
addresses: { blocked: [${names.join(", ")}] }
policies:
  - name: web
    rules: [deny from blocked to self, allow tcp from any to self port 22]
`;

  test("writes the sets beside the scripts, which ask them", () => {
    const { exit, err } = ctc(["compile", file("long.yaml", LONG), "-o", "sets/", "--ipset"]);
    expect({ exit, err }).toEqual({
      exit: 0,
      err: "wrote sets/ruleset.nft\nwrote sets/rules.v4\nwrote sets/rules.v6\nwrote sets/ipsets\n",
    });
    const [, name] = /^create (\S+) hash:net family inet /m.exec(content("sets/ipsets"))!;
    expect(content("sets/ipsets")).toContain(`\nadd ${name} 203.4.113.0/24 -exist\n`);
    expect(content("sets/rules.v4")).toContain(` --match-set ${name} src `);
    expect(ctc(["compile", "long.yaml", "-t", "iptables", "--ipset"]).out).toBe(content("sets/rules.v4"));
    expect(ctc(["compile", "long.yaml", "-t", "iptables"]).out).not.toContain("--match-set");
  });

  test("is what a target or a file of sets asks for", () => {
    const { out } = ctc(["compile", file("long.yaml", LONG), "--target", "ipset"]);
    expect(out).toMatch(/^create /m);
    for (const name of ["ipsets", "web.ipset", "web.ipsets"]) {
      expect(ctc(["compile", "long.yaml", "-o", name]).err).toBe(`wrote ${name}\n`);
      expect(content(name)).toBe(out);
    }
  });

  test("gives a file with nothing to load where no list is long", () => {
    const { exit, out } = ctc(["compile", file("policy.yaml", POLICY), "--target", "ipset"]);
    expect({ exit, out }).toEqual({ exit: 0, out: "# Generated by ctc from policy.yaml. Do not edit.\n" });
  });

  test("is proved with the sets: what one of them lacks is a difference", () => {
    ctc(["compile", file("long.yaml", LONG), "-o", "sets/", "--ipset"]);
    const verify = () =>
      ctc(["verify", "long.yaml", "sets/rules.v4", "sets/rules.v6", "--ipsets", "sets/ipsets"]);
    expect(verify().exit).toBe(0);
    file("sets/ipsets", content("sets/ipsets").replace(/^add .* 203\.4\.113\.0\/24 .*\n/m, ""));
    const { exit, out } = verify();
    expect(exit).toBe(1);
    expect(out).toContain("203.4.113.0");
  });

  test("means nothing for nft", () => {
    expect(ctc(["compile", file("policy.yaml", POLICY), "--ipset"])).toEqual({
      exit: 2,
      out: "",
      err: "ctc: --ipset is for the scripts of iptables: name one with --target, or a folder with -o\n",
    });
  });
});

describe("a mistake on the command line ends with exit code 2 and a hint:", () => {
  test.each([
    [["compil", "x"], "ctc: unknown command 'compil'; did you mean compile?\n"],
    [["compile"], "missing required argument 'file'"],
    [["compile", "x", "--target", "pf"], "Allowed choices are nft, iptables, ip6tables, ipset"],
    [["compile", "x", "--tagret", "nft"], "ctc: unknown option '--tagret'; did you mean --target?\n"],
    [["compile", "x", "-o", ""], "argument '' is invalid. It is empty."],
    [["init", "-o", ""], "argument '' is invalid. It is empty."],
    [["lint"], "missing required argument 'file'"],
    [[], "Usage: ctc"],
  ])("ctc %j", (args, words) => {
    const { exit, out, err } = ctc(args);
    expect({ exit, out }).toEqual({ exit: 2, out: "" });
    expect(err).toContain(words);
  });
});

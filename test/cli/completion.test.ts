import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { workshop } from "./run.ts";

const { bash, ctc, file } = workshop();

/** What bash offers for the last of these words. */
function offers(...words: string[]): string[] {
  const list = words.map((word) => `'${word}'`).join(" ");
  const { out, err } = bash(`
    source <(ctc completion bash)
    COMP_WORDS=(ctc ${list}) COMP_CWORD=${words.length}
    _ctc
    printf '%s\\n' "\${COMPREPLY[@]}"`);
  expect(err).toBe("");
  return out.split("\n").filter((line) => line !== "");
}

describe("bash completes", () => {
  test("commands", () => {
    expect(offers("co")).toEqual(["compile", "completion"]);
    expect(offers("")).toEqual(expect.arrayContaining(["compile", "lint", "init", "--version"]));
  });
  test("options of the command", () => {
    expect(offers("compile", "--")).toEqual(
      expect.arrayContaining(["--target", "--output", "--root", "--help"]),
    );
    expect(offers("lint", "--")).not.toContain("--target");
  });
  test("values of an option", () => {
    expect(offers("compile", "--target", "ip")).toEqual(["iptables", "ip6tables", "ipset"]);
    expect(offers("compile", "-t", "n")).toEqual(["nft"]);
    expect(offers("lint", "--format", "=", "sa")).toEqual(["sarif"]);
    expect(offers("lint", "--format", "=")).toContain("pretty");
  });
  test("arguments", () => {
    expect(offers("completion", "")).toEqual(["bash", "zsh", "fish"]);
  });
  test("files by itself, where no word fits", () => {
    expect(offers("compile", "")).toEqual([]);
    expect(offers("compile", "-o", "")).toEqual([]);
    expect(ctc(["completion", "bash"]).out).toContain("complete -o default");
  });
});

const shells = ["zsh", "fish"].filter((shell) => spawnSync(shell, ["-c", "true"]).status === 0);
if (shells.length < 2 && !process.env.CI)
  console.warn("skipped: completion in zsh and fish, which are not both installed");

describe.skipIf(shells.length < 2 && !process.env.CI)("also", () => {
  test("fish completes commands, options and values", () => {
    file("script.fish", ctc(["completion", "fish"]).out);
    const complete = (line: string): string[] =>
      bash(`fish --no-config -c 'source script.fish; complete -C "${line}"'`)
        .out.split("\n")
        .map((row) => row.split("\t")[0]!);
    expect(complete("ctc com")).toEqual(expect.arrayContaining(["compile", "completion"]));
    expect(complete("ctc compile --target ip")).toEqual(expect.arrayContaining(["iptables", "ip6tables"]));
    expect(complete("ctc lint --")).toContain("--format");
    expect(complete("ctc lint --")).not.toContain("--target");
    expect(complete("ctc completion z")).toContain("zsh");
  });

  test("zsh takes the script, and completes commands with it", () => {
    // zsh completes only at a terminal: python gives it one.
    const typed = `
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "dumb"
    os.execvp("zsh", ["zsh", "-f", "-i"])
def read(seconds, until):
    seen = b""
    end = time.time() + seconds
    while time.time() < end and until not in seen:
        if select.select([fd], [], [], 0.1)[0]:
            seen += os.read(fd, 4096)
    return seen
os.write(fd, b"autoload -Uz compinit && compinit -D -u && source ./script.zsh && echo rea''dy\\n")
read(10, b"ready")
os.write(fd, b"ctc compile --target ip\\t\\t")
sys.stdout.buffer.write(read(5, b"iptables"))
os.write(fd, b"\\x15exit\\n")
os.waitpid(pid, 0)
`;
    file("typed.py", typed);
    file("script.zsh", ctc(["completion", "zsh"]).out);
    expect(bash("zsh -n script.zsh && python3 typed.py").out).toMatch(/ip6tables|iptables/);
  });
});

import { spawnSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { workshop } from "./run.ts";

const { folder, ctc, file } = workshop();

/** A policy that drops what an address file lists. */
function policy(path: string): string {
  return `version: 1
addresses:
  blocklist: { file: ${JSON.stringify(path)} }
policies:
  - name: blocked
    rules:
      - deny from blocklist to any
      - allow tcp from 192.0.2.0/24 to self port 22
`;
}

function lint(name: string, path: string, ...options: string[]) {
  return ctc(["lint", file(name, policy(path)), "--format", "concise", ...options]);
}

test("an address file is found beside its policy, wherever ctc is called", () => {
  file("site/lists/bad.txt", "198.51.100.0/24\n");
  const { exit, out } = ctc(["compile", file("site/policy.yaml", policy("lists/bad.txt"))]);
  expect(exit).toBe(0);
  expect(out).toContain("198.51.100.0/24");
});

test("a policy on standard input has its files in the present folder", () => {
  file("here.txt", "198.51.100.0/24\n");
  expect(ctc(["compile", "-"], { input: policy("here.txt") }).out).toContain("198.51.100.0/24");
});

test("a mistake in an address file is shown in the address file", () => {
  file("site/wrong.txt", "198.51.100.0/24\n198.51.100.256\n");
  const { exit, out } = lint("site/policy.yaml", "wrong.txt");
  expect(exit).toBe(1);
  expect(out).toMatch(/^site\/wrong\.txt:2:1: error\[/);
});

describe("a policy from a stranger reads nothing but regular files in its own folder:", () => {
  const SECRET = "root:secret-hash";

  /** The policy is refused with these words, at the place that names the file, and nothing is told of what is outside. */
  function refuses(path: string, words: string) {
    file("outside/shadow", `${SECRET}\n`);
    const { exit, out } = lint("site/policy.yaml", path);
    expect(exit).toBe(1);
    expect(out).toMatch(/^site\/policy\.yaml:3:\d+: error\[unreadable-file\] .+\n/);
    expect(out).toContain(words);
    expect(out).not.toContain("secret");
  }

  test("no absolute path", () => refuses("/etc/hostname", "it is an absolute path"));
  test("no path up", () => refuses("../outside/shadow", "it leads out of the policy's folder"));
  test("no path down and up", () =>
    refuses("lists/../../outside/shadow", "it leads out of the policy's folder"));
  test("no path up to what does not exist: that is not told either", () =>
    refuses("../outside/nothing", "it leads out of the policy's folder"));

  test("no symbolic link out", () => {
    file("site/policy.yaml", "");
    symlinkSync("../outside/shadow", join(folder, "site/link.txt"));
    refuses("link.txt", "a symbolic link leads out of the policy's folder");
  });

  test("no folder behind a symbolic link out", () => {
    file("site/policy.yaml", "");
    symlinkSync("../outside", join(folder, "site/elsewhere"));
    refuses("elsewhere/shadow", "a symbolic link leads out of the policy's folder");
  });

  test("no pipe, which would make ctc wait for ever", () => {
    file("site/policy.yaml", "");
    spawnSync("mkfifo", [join(folder, "site/pipe")]);
    refuses("pipe", "it is not a regular file");
  });

  test("no folder", () => {
    file("site/sub/x.txt", "");
    refuses("sub", "it is not a regular file");
  });

  test("nothing where nothing is", () => refuses("missing.txt", "there is no such file or folder"));

  test("nothing that is no text", () => {
    file("site/binary.txt", Buffer.from([0x31, 0xff, 0xfe]));
    refuses("binary.txt", "the file is not UTF-8: byte 0xFF at offset 1 belongs to no character");
  });
});

test("a symbolic link within the folder is followed, as configuration maps need it", () => {
  file("map/..data/list.txt", "198.51.100.0/24\n");
  symlinkSync("..data/list.txt", join(folder, "map/list.txt"));
  expect(ctc(["compile", file("map/policy.yaml", policy("list.txt"))]).exit).toBe(0);
});

test("--root lets policies share the lists below it, and no others", () => {
  file("team/common/list.txt", "198.51.100.0/24\n");
  file("outside/shadow", "10.0.0.0/8\n");
  const path = "../common/list.txt";
  expect(lint("team/site/policy.yaml", path).exit).toBe(1);
  expect(lint("team/site/policy.yaml", path, "--root", "team").exit).toBe(0);
  expect(lint("team/site/policy.yaml", "../../outside/shadow", "--root", "team").out).toContain(
    "it leads out of",
  );
});

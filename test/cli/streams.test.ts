import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { FAULTY, POLICY, workshop } from "./run.ts";

const { bash, file, launcher } = workshop();

/** More than a pipe holds, in every format: rules with a limit each stand in a line of their own. */
const LONG = `${POLICY}${Array.from({ length: 2000 }, (_, i) => `      - allow tcp from 10.0.${i >> 8}.${i & 255} to self port 22 limit 5/minute\n`).join("")}`;

describe("standard output", () => {
  test("that nobody reads to the end is nobody's business: no word, and the exit code of SIGPIPE", () => {
    file("long.yaml", LONG);
    const { out, err } = bash("set -o pipefail; ctc compile long.yaml | head -1; echo $?");
    expect({ out, err }).toEqual({ out: "#!/usr/sbin/nft -f\n141\n", err: "" });
  });

  test.each([
    "compile policy.yaml",
    "lint faulty.yaml",
    "verify policy.yaml other.nft",
    "diff policy.yaml other.yaml",
    "trace policy.yaml 'icmp 10.1.2.3 > self echo-request'",
    "golden repository",
    "explain bad-port",
    "init",
    "schema",
    "completion bash",
    "--help",
  ])("on a full device gives a sentence and exit code 2: ctc %s", (command) => {
    file("policy.yaml", POLICY);
    file("faulty.yaml", FAULTY);
    file("other.yaml", POLICY.replace("port 22", "port 23"));
    file("repository/policy.yaml", POLICY);
    bash("ctc compile other.yaml -o other.nft");
    const { exit, err } = bash(`ctc ${command} >/dev/full`);
    expect({ exit, err }).toEqual({
      exit: 2,
      err: "ctc: cannot write to standard output: no space is left on the device\n",
    });
  });

  test("on a terminal ends with where to read on, and elsewhere does not", () => {
    file("faulty.yaml", FAULTY);
    file("faultier.yaml", FAULTY.replace("port 22", "port 99999"));
    const onTerminal = (name: string) =>
      bash(`script -qec "${process.execPath} ${launcher} lint ${name}" /dev/null </dev/null`).out;
    expect(onTerminal("faulty.yaml")).toMatch(/\n`ctc explain unknown-name` says more\r?\n$/);
    expect(onTerminal("faultier.yaml")).toMatch(/\n`ctc explain NAME` says more\r?\n$/);
    expect(bash("ctc lint faulty.yaml").out).toMatch(/\n1 error in faulty\.yaml\n$/);
  });

  test("takes all of a long script through a slow pipe", () => {
    file("long.yaml", LONG);
    const { out } = bash("ctc compile long.yaml | { sleep 0.3; cat; } | tail -1");
    expect(out).toBe("}\n");
  });
});

// A mount namespace is private: what is mounted in it is seen by no other process, and gone with the last one in it.
const unshare = `unshare ${process.getuid?.() === 0 ? "-m" : "-rm"}`;
const canMount = spawnSync("bash", ["-c", `${unshare} mount -t tmpfs tmpfs /mnt`]).status === 0;
if (!canMount && !process.env.CI) {
  console.warn(
    "skipped: the tests of full and read-only file systems, which need to mount (root or user namespaces)",
  );
}

describe.skipIf(!canMount && !process.env.CI)("a file system", () => {
  /** Runs a script with a file system mounted on `disk`. */
  function onDisk(options: string, script: string) {
    return bash(
      `mkdir -p disk; export -f ctc; ${unshare} bash -c "mount -t tmpfs -o ${options} tmpfs disk; ${script}"`,
    );
  }

  test("that is full keeps the old file, and no temporary one", () => {
    file("long.yaml", LONG);
    const { out, err } = onDisk(
      "size=64k",
      "echo old >disk/rules.v4; ctc compile long.yaml -o disk/; echo $?; ls -A disk; cat disk/rules.v4".replaceAll(
        "$",
        "\\$",
      ),
    );
    expect(err).toBe("ctc: cannot write disk/ruleset.nft: no space is left on the device\n");
    expect(out).toBe("2\nrules.v4\nold\n");
  });

  test("that fills up with the second of three files gets none of them", () => {
    file("policy.yaml", POLICY);
    // Pages of 4 KiB: one is left when the folder's own is taken.
    const { out, err } = onDisk(
      "size=8k",
      "echo old >disk/rules.v6; ctc compile policy.yaml -o disk/; echo $?; ls -A disk; cat disk/rules.v6".replaceAll(
        "$",
        "\\$",
      ),
    );
    expect(err).toMatch(/^ctc: cannot write disk\/rules\.v[46]: no space is left on the device\n$/);
    expect(out).toBe("2\nrules.v6\nold\n");
  });

  test("that is read-only gives a sentence", () => {
    file("policy.yaml", POLICY);
    const { out, err } = onDisk(
      "ro",
      "ctc compile policy.yaml -o disk/x.nft; echo $?".replaceAll("$", "\\$"),
    );
    expect({ out, err }).toEqual({
      out: "2\n",
      err: "ctc: cannot write disk/x.nft: the file system is read-only\n",
    });
  });
});

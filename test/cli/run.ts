import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { bundle } from "../../scripts/build.ts";

/** What a command left behind. */
export interface Outcome {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments for Node itself. */
  readonly node?: readonly string[];
}

/** ctc as users run it: a bundle of the present source, in a process and a folder of its own. */
export interface Workshop {
  /** A fresh folder, removed after the tests; commands run in it. */
  readonly folder: string;
  /** The bundle's launcher. */
  readonly launcher: string;
  ctc(args: readonly string[], options?: RunOptions): Outcome;
  /** Runs a shell script in which `ctc` is a function. */
  bash(script: string): Outcome;
  /** Writes a file below the folder and returns its path relative to it. */
  file(name: string, content: string | Uint8Array): string;
}

/** Prepares a workshop for the tests of a file. */
export function workshop(): Workshop {
  const folder = mkdtempSync(join(tmpdir(), "ctc-cli-"));
  const work = join(folder, "work");
  const launcher = join(folder, "dist/ctc.mjs");
  // Not the user's own home: tests leave nothing behind, and start without colours.
  const home = join(folder, "home");
  const environment = { PATH: process.env.PATH ?? "", HOME: home, TERM: "xterm" };

  beforeAll(async () => {
    for (const path of [work, home, join(folder, "dist")]) mkdirSync(path);
    for (const [name, text] of await bundle()) writeFileSync(join(folder, "dist", name), text);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function run(command: string, args: readonly string[], { input = "", env = {} }: RunOptions = {}): Outcome {
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      cwd: work,
      env: { ...environment, ...env },
      input,
      encoding: "utf8",
      timeout: 20_000,
      maxBuffer: 2 ** 28,
    });
    if (error) throw error;
    return { exit: status, out: stdout, err: stderr };
  }

  return {
    folder: work,
    launcher,
    ctc: (args, options) => run(process.execPath, [...(options?.node ?? []), launcher, ...args], options),
    bash: (script) => run("bash", ["-c", `ctc() { '${process.execPath}' '${launcher}' "$@"; }\n${script}`]),
    file(name, content) {
      mkdirSync(join(work, name, ".."), { recursive: true });
      writeFileSync(join(work, name), content);
      return name;
    },
  };
}

/** A small policy without a fault; rules may be added at its end. */
export const POLICY = `version: 1
addresses:
  clients: [10.1.0.0/16, "2001:db8:1::/48"]
policies:
  - name: memcached
    doNotTrack: true
    symmetricAllow: true
    rules:
      - allow tcp from clients to self port 11211
  - name: administration
    rules:
      - allow tcp from 192.0.2.0/24 to self port 22
`;

/** The same with a name that is not declared. */
export const FAULTY = POLICY.replace("from clients", "from clinets");

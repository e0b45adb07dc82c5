import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { bundle } from "../../scripts/build.ts";

const ROOT = join(import.meta.dirname, "../..");

/** What a program left behind, its two outputs in one text as a person sees them. */
export interface Outcome {
  readonly exit: number | null;
  readonly text: string;
}

/** A folder with git, a Node that is new enough and a home of its own: nothing of the user's matters in it. */
export interface Bench {
  readonly folder: string;
  /** Runs a shell script in a folder of the bench. */
  sh(where: string, script: string, env?: Readonly<Record<string, string>>): Outcome;
  /** The same; throws where it fails. */
  must(where: string, script: string, env?: Readonly<Record<string, string>>): string;
  write(path: string, content: string): void;
  read(path: string): string;
  /** Makes ctc's own repository, as others clone it, with a bundle of the present source. Returns its path. */
  release(): Promise<string>;
  destroy(): void;
}

/** Sets up a bench in a temporary folder. */
export function setUpBench(): Bench {
  const folder = mkdtempSync(join(tmpdir(), "ctc-repository-"));
  for (const name of ["bin", "home"]) mkdirSync(join(folder, name));
  // pre-commit's nodeenv asks for `nodejs` first.
  for (const name of ["node", "nodejs"]) symlinkSync(process.execPath, join(folder, "bin", name));
  writeFileSync(
    join(folder, "home/.gitconfig"),
    "[user]\n\tname = Test\n\temail = test@example.org\n[init]\n\tdefaultBranch = main\n[commit]\n\tgpgsign = false\n",
  );
  const environment = {
    PATH: join(folder, "bin") + delimiter + (process.env.PATH ?? ""),
    HOME: join(folder, "home"),
    GIT_CONFIG_NOSYSTEM: "1",
    PRE_COMMIT_HOME: join(folder, "pre-commit"),
    PRE_COMMIT_COLOR: "never",
    // Whatever is installed here must need nothing from elsewhere.
    npm_config_offline: "true",
    LC_ALL: "C.UTF-8",
  };

  function sh(where: string, script: string, env: Readonly<Record<string, string>> = {}): Outcome {
    const { status, stdout, error } = spawnSync("bash", ["-c", `exec 2>&1\n${script}`], {
      cwd: join(folder, where),
      env: { ...environment, ...env },
      encoding: "utf8",
      timeout: 240_000,
      maxBuffer: 2 ** 26,
    });
    if (error) throw error;
    return { exit: status, text: stdout };
  }

  function write(path: string, content: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }

  function must(where: string, script: string, env?: Readonly<Record<string, string>>): string {
    const { exit, text } = sh(where, `set -euo pipefail\n${script}`, env);
    if (exit !== 0) throw new Error(`exit code ${exit}:\n${text}`);
    return text;
  }

  return {
    folder,
    sh,
    must,
    write,
    read: (path) => readFileSync(join(folder, path), "utf8"),
    async release() {
      for (const path of ["LICENSE", "action.yml", "ci", ".pre-commit-hooks.yaml"])
        cpSync(join(ROOT, path), join(folder, "ctc", path), { recursive: true });
      for (const [name, text] of await bundle()) write(`ctc/dist/${name}`, text);
      // Without the tools to work on ctc: pre-commit fetches them, if there are any, and throws them away again.
      const { devDependencies: _, ...manifest } = JSON.parse(
        readFileSync(join(ROOT, "package.json"), "utf8"),
      );
      write("ctc/package.json", JSON.stringify(manifest));
      must("ctc", "chmod +x dist/ctc.mjs && git init -q && git add . && git commit -qm Release");
      return join(folder, "ctc");
    },
    destroy: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Options that make Node say that it is another version, which a launcher that looks at its version believes. */
export function pretendedNode(version: string): Readonly<Record<string, string>> {
  const code = `Object.defineProperty(process,"versions",{value:{...process.versions,node:"${version}"}})`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
}

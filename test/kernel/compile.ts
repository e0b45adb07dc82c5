import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BACKENDS, type Backend, type Scripts } from "./backends.ts";
import { describeKernel } from "./requirements.ts";
import { run } from "./shell.ts";

const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));
const CTC = fileURLToPath(new URL("../../src/cli/ctc.ts", import.meta.url));

/** Changes to the files of an example, by name. */
export type Edits = Readonly<Record<string, (text: string) => string>>;

/** Compiles an example as a user does, after some changes to a copy of its folder. */
export async function compileExample(name: string, edits: Edits = {}): Promise<Scripts> {
  const folder = await mkdtemp(join(tmpdir(), "ctc-test-"));
  try {
    await cp(join(EXAMPLES, name), folder, { recursive: true });
    for (const [file, edit] of Object.entries(edits)) {
      const path = join(folder, file);
      const text = await readFile(path, "utf8");
      const edited = edit(text);
      if (edited === text) throw new Error(`the change to ${name}/${file} changes nothing`);
      await writeFile(path, edited);
    }
    const out = join(folder, "out");
    await run([process.execPath, CTC, "compile", join(folder, "policy.yaml"), "-o", `${out}/`]);
    return await readScripts(out);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The three scripts in a folder. */
export async function readScripts(folder: string): Promise<Scripts> {
  const [nft, v4, v6] = await Promise.all(
    ["ruleset.nft", "rules.v4", "rules.v6"].map((file) => readFile(join(folder, file), "utf8")),
  );
  return { nft: nft!, v4: v4!, v6: v6! };
}

/** The tests of one example, for each way into the kernel. */
export function describeExample(
  name: string,
  body: (backend: Backend, scripts: () => Promise<Scripts>) => void,
): void {
  let compiled: Promise<Scripts> | null = null;
  const scripts = () => {
    compiled ??= compileExample(name);
    return compiled;
  };
  for (const backend of BACKENDS)
    describeKernel(`examples/${name} under ${backend}`, () => body(backend, scripts));
}

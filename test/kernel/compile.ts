import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { emitIpsets } from "../../src/emit/ipset.ts";
import { emitIptables } from "../../src/emit/iptables.ts";
import { emitNft } from "../../src/emit/nft.ts";
import type { SetCosts } from "../../src/lower/ipset/cost.ts";
import { legalise } from "../../src/lower/legalise.ts";
import type { Ruleset } from "../../src/netfilter/ruleset.ts";
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

/** The scripts in a folder, with their sets where there are some. */
export async function readScripts(folder: string): Promise<Scripts> {
  const [nft, v4, v6] = await Promise.all(
    ["ruleset.nft", "rules.v4", "rules.v6"].map((file) => readFile(join(folder, file), "utf8")),
  );
  const sets = join(folder, "ipsets");
  const asked = existsSync(sets) ? { sets: await readFile(sets, "utf8") } : {};
  return { nft: nft!, v4: v4!, v6: v6!, ...asked };
}

/** What is printed of a ruleset, for iptables with sets where they cost less than `costs` says; null: without any. */
export function printed(ruleset: Ruleset, costs: SetCosts | null): Scripts {
  const header = { source: "" };
  const v4 = { family: 4, ruleset: legalise(ruleset, 4, costs) } as const;
  const v6 = { family: 6, ruleset: legalise(ruleset, 6, costs) } as const;
  const { script, names } = emitIpsets(costs ? [v4, v6] : [], header);
  return {
    nft: emitNft(ruleset, header),
    v4: emitIptables(v4.ruleset, 4, header, names),
    v6: emitIptables(v6.ruleset, 6, header, names),
    ...(costs ? { sets: script } : {}),
  };
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

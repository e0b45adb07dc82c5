/**
 * Writes anew what is derived from the source: `grammar/`, the language as people and editors read it; `docs/checks/` and
 * `examples/broken/`, the pages of the checks and their examples. Run by `npm run generate`; tests fail when what is
 * there is not what this would write.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CHECK_FOLDERS, checkFiles } from "./checks.ts";
import { grammarFiles } from "./grammar/files.ts";

const folder = join(import.meta.dirname, "..", "grammar");
rmSync(folder, { recursive: true, force: true });
for (const [path, text] of grammarFiles()) {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const root = join(import.meta.dirname, "..");
for (const one of CHECK_FOLDERS) rmSync(join(root, one), { recursive: true, force: true });
for (const [path, text] of checkFiles()) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/**
 * Writes `grammar/` anew: the language as people and editors read it. Run by `npm run generate`; a test fails when
 * what is there is not what this would write.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { grammarFiles } from "./grammar/files.ts";

const folder = join(import.meta.dirname, "..", "grammar");
rmSync(folder, { recursive: true, force: true });
for (const [path, text] of grammarFiles()) {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

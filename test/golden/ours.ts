import { join } from "node:path";
import { type Goldens, goldensOf } from "../../src/cli/goldens.ts";
import { groundsOf } from "../../src/cli/repository.ts";

const ROOT = join(import.meta.dirname, "../..");

/** The examples and the golden cases of this repository, and what is not as it should be. */
export function ourGoldens(): Goldens {
  const grounds = groundsOf(["examples", "golden"].map((folder) => join(ROOT, folder)));
  if ("error" in grounds) throw new Error(grounds.error);
  return goldensOf(grounds, null);
}

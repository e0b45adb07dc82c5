/**
 * Holds `golden/` against the policies of this repository, with the command that users have; `--update` brings it up to
 * date.
 */
import { main } from "../src/cli/main.ts";

process.chdir(`${import.meta.dirname}/..`);
process.exitCode = await main(["golden", ...process.argv.slice(2), "examples", "golden"]);

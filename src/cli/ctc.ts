#!/usr/bin/env node
/**
 * The launcher. The build lowers its syntax for Node 12, and it imports nothing that an old Node lacks, so that there too
 * a user reads a sentence and no stack trace. Everything else is loaded once the version is known to do.
 */
import { VERSION } from "../version.ts";
import { load } from "./load.ts";

/** The first version with everything that ctc uses; `engines` in package.json says the same. */
const OLDEST = [22, 12];

const [major, minor] = process.versions.node.split(".").map(Number) as [number, number];
if (major < OLDEST[0]! || (major === OLDEST[0] && minor < OLDEST[1]!)) {
  const found = `${process.version} (${process.execPath})`;
  process.stderr.write(
    `ctc: needs Node.js ${OLDEST.join(".")} or newer, and this is ${found}; ` +
      "in a checkout of ctc, `npm ci` installs one that will do\n",
  );
  process.exitCode = 2;
} else if (process.argv.length === 3 && (process.argv[2] === "--version" || process.argv[2] === "-V")) {
  // Answered here because editors and CI scripts ask often; nothing needs to be loaded for it.
  process.stdout.write(`${VERSION}\n`);
} else {
  const args = process.argv.slice(2);
  load(cacheFile(args[0]))
    .then((program) =>
      program.main(args).then((exit) => {
        process.exitCode = exit;
        // So there is a file for each command that exists, and none for a word that is no command.
        if (exit === 0 || exit === 1) program.keep();
      }),
    )
    .catch((error) => {
      process.stderr.write(`ctc: cannot start: ${String(error)}; reinstall ctc\n`);
      process.exitCode = 3;
    });
}

/**
 * Where compiled code is kept between runs: a file for each command, because each uses functions of its own. Null where
 * there is no place for it.
 */
function cacheFile(command: string | undefined): string | null {
  const folder = cacheFolder(process.env, process.getuid ? process.getuid() : -1);
  return folder && `${folder}/${command && /^[a-z]+$/.test(command) ? command : "ctc"}.code`;
}

/**
 * A folder of the user's own for compiled code. Never one below /tmp, where another user could lay down code for root to
 * run; and none in a home that belongs to somebody else, as under `sudo` with $HOME kept.
 */
function cacheFolder(env: NodeJS.ProcessEnv, user: number): string | null {
  const home = env.XDG_CACHE_HOME || env.HOME;
  if (home?.[0] !== "/") return null;
  try {
    if (process.getBuiltinModule("node:fs").statSync(home).uid !== user) return null;
  } catch {
    return null;
  }
  return home + (env.XDG_CACHE_HOME ? "/ctc" : "/.cache/ctc");
}

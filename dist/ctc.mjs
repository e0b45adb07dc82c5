#!/usr/bin/env node

// src/cli/ctc.ts
import * as fs from "node:fs";
import * as nodeModule from "node:module";

// src/version.ts
var VERSION = "0.1.0";

// src/cli/ctc.ts
var OLDEST = [22, 12];
var [major, minor] = process.versions.node.split(".").map(Number);
if (major < OLDEST[0] || major === OLDEST[0] && minor < OLDEST[1]) {
  const found = `${process.version} (${process.execPath})`;
  process.stderr.write(
    `ctc: needs Node.js ${OLDEST.join(".")} or newer, and this is ${found}; in a checkout of ctc, \`npm ci\` installs one that will do
`
  );
  process.exitCode = 2;
} else if (process.argv.length === 3 && (process.argv[2] === "--version" || process.argv[2] === "-V")) {
  process.stdout.write(`${VERSION}
`);
} else {
  const cache = cacheFolder(process.env, process.getuid ? process.getuid() : -1);
  if (cache !== null) nodeModule.enableCompileCache(cache);
  import("./main.mjs").then((program) => program.main(process.argv.slice(2))).then((exit) => {
    process.exitCode = exit;
  }).catch((error) => {
    process.stderr.write(`ctc: cannot start: ${String(error)}; reinstall ctc
`);
    process.exitCode = 3;
  });
}
function cacheFolder(env, user) {
  const home = env.XDG_CACHE_HOME || env.HOME;
  if ((home == null ? void 0 : home[0]) !== "/") return null;
  try {
    if (fs.statSync(home).uid !== user) return null;
  } catch {
    return null;
  }
  return home + (env.XDG_CACHE_HOME ? "/ctc" : "/.cache/ctc");
}

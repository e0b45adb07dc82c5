#!/usr/bin/env node

// src/version.ts
var VERSION = "0.1.0";

// src/cli/load-bundle.ts
var HEADER = 128;
async function load(cache) {
  const fs = process.getBuiltinModule("node:fs");
  const vm = process.getBuiltinModule("node:vm");
  const file = process.getBuiltinModule("node:url").fileURLToPath(new URL("./main.cjs", import.meta.url));
  const { dev, ino, size, ctimeNs } = fs.statSync(file, { bigint: true });
  const origin = `${dev} ${ino} ${size} ${ctimeNs}`.padEnd(HEADER);
  const source = fs.readFileSync(file, "latin1");
  const code = cache === null ? null : readCode(cache, origin);
  const script = new vm.Script(`(function (exports, require, module) {${source}
})`, {
    filename: file,
    ...code ? { cachedData: code } : {}
  });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, process.getBuiltinModule, module);
  return {
    main: module.exports.main,
    keep() {
      if (cache !== null && (!code || script.cachedDataRejected))
        writeCode(cache, origin, script.createCachedData());
    }
  };
}
function readCode(cache, origin) {
  const fs = process.getBuiltinModule("node:fs");
  let fd = null;
  try {
    fd = fs.openSync(cache, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    const stat = fs.fstatSync(fd);
    if (!stat.isFile() || stat.uid !== process.getuid() || (stat.mode & 18) !== 0) return null;
    const bytes = fs.readFileSync(fd);
    return bytes.toString("latin1", 0, HEADER) === origin ? bytes.subarray(HEADER) : null;
  } catch {
    return null;
  } finally {
    if (fd !== null) fs.closeSync(fd);
  }
}
function writeCode(cache, origin, code) {
  const fs = process.getBuiltinModule("node:fs");
  const temporary = `${cache}.${process.pid}.tmp`;
  const folder = cache.slice(0, cache.lastIndexOf("/"));
  try {
    makeFolder(folder.slice(0, folder.lastIndexOf("/")));
    makeFolder(folder);
    fs.writeFileSync(temporary, Buffer.concat([Buffer.from(origin), code]), {
      flag: "wx",
      mode: 384,
      flush: true
    });
    fs.renameSync(temporary, cache);
  } catch {
    attempt(() => fs.unlinkSync(temporary));
  }
}
function makeFolder(path) {
  attempt(() => process.getBuiltinModule("node:fs").mkdirSync(path, { mode: 448 }));
}
function attempt(action) {
  try {
    action();
  } catch {
  }
}

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
  const args = process.argv.slice(2);
  load(cacheFile(args[0])).then(
    (program) => program.main(args).then((exit) => {
      process.exitCode = exit;
      if (exit === 0 || exit === 1) program.keep();
    })
  ).catch((error) => {
    process.stderr.write(`ctc: cannot start: ${String(error)}; reinstall ctc
`);
    process.exitCode = 3;
  });
}
function cacheFile(command) {
  const folder = cacheFolder(process.env, process.getuid ? process.getuid() : -1);
  return folder && `${folder}/${command && /^[a-z]+$/.test(command) ? command : "ctc"}.code`;
}
function cacheFolder(env, user) {
  const home = env.XDG_CACHE_HOME || env.HOME;
  if ((home == null ? void 0 : home[0]) !== "/") return null;
  try {
    if (process.getBuiltinModule("node:fs").statSync(home).uid !== user) return null;
  } catch {
    return null;
  }
  return home + (env.XDG_CACHE_HOME ? "/ctc" : "/.cache/ctc");
}

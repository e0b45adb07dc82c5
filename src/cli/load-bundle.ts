import type { Loaded } from "./load.ts";

/*
 * Part of the launcher: the syntax is lowered for old versions of Node, so Node's modules are only asked for in functions
 * that run when the version is known to do. To import them takes milliseconds, too: Node reads every export of an imported
 * module, and with that of `fs` loads all it has for streams.
 *
 * Most of the time that a small policy takes goes into compiling JavaScript. Node's own cache for that
 * (`module.enableCompileCache`) stores a module before it runs, when V8 has compiled none of its functions yet; here the
 * code is stored after the run, with every function that was used.
 */

/** The length of what stands before the code in a cache file: the words that say what the code was compiled from. */
const HEADER = 128;

/** Loads the bundled program, with its compiled code from the file `cache` where that fits. */
export async function load(cache: string | null): Promise<Loaded> {
  const fs = process.getBuiltinModule("node:fs");
  const vm = process.getBuiltinModule("node:vm");
  const file = process.getBuiltinModule("node:url").fileURLToPath(new URL("./main.cjs", import.meta.url));
  const { dev, ino, size, ctimeNs } = fs.statSync(file, { bigint: true });
  // Whoever changes the file changes this, and cannot help it: unlike the time of modification, nobody sets `ctime`.
  const origin = `${dev} ${ino} ${size} ${ctimeNs}`.padEnd(HEADER);
  // The build leaves nothing but ASCII in it.
  const source = fs.readFileSync(file, "latin1");
  const code = cache === null ? null : readCode(cache, origin);
  const script = new vm.Script(`(function (exports, require, module) {${source}\n})`, {
    filename: file,
    ...(code ? { cachedData: code } : {}),
  });
  const module: { exports: Partial<Pick<Loaded, "main">> } = { exports: {} };
  script.runInThisContext()(module.exports, process.getBuiltinModule, module);
  return {
    main: module.exports.main!,
    keep() {
      if (cache !== null && (!code || script.cachedDataRejected))
        writeCode(cache, origin, script.createCachedData());
    },
  };
}

/** Code that an earlier run has kept; null where there is none of this origin, or none to be trusted. */
function readCode(cache: string, origin: string): Buffer | null {
  const fs = process.getBuiltinModule("node:fs");
  let fd: number | null = null;
  try {
    fd = fs.openSync(cache, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK);
    const stat = fs.fstatSync(fd);
    // Root runs this: nobody else may have written it, or may write to it.
    if (!stat.isFile() || stat.uid !== process.getuid!() || (stat.mode & 0o022) !== 0) return null;
    const bytes = fs.readFileSync(fd);
    return bytes.toString("latin1", 0, HEADER) === origin ? bytes.subarray(HEADER) : null;
  } catch {
    return null;
  } finally {
    if (fd !== null) fs.closeSync(fd);
  }
}

/** Writes a cache file whole, or not at all: V8 takes damaged code at its word. */
function writeCode(cache: string, origin: string, code: Buffer): void {
  const fs = process.getBuiltinModule("node:fs");
  const temporary = `${cache}.${process.pid}.tmp`;
  const folder = cache.slice(0, cache.lastIndexOf("/"));
  try {
    // The folder may be two new ones, `.cache/ctc`. Not with `recursive`, which never returns below /proc.
    makeFolder(folder.slice(0, folder.lastIndexOf("/")));
    makeFolder(folder);
    fs.writeFileSync(temporary, Buffer.concat([Buffer.from(origin), code]), {
      flag: "wx",
      mode: 0o600,
      flush: true,
    });
    fs.renameSync(temporary, cache);
  } catch {
    // A full disk, or a home that cannot be written: the next run compiles again.
    attempt(() => fs.unlinkSync(temporary));
  }
}

function makeFolder(path: string): void {
  attempt(() => process.getBuiltinModule("node:fs").mkdirSync(path, { mode: 0o700 }));
}

/** What fails here has failed before, or shows in what comes next. */
function attempt(action: () => void): void {
  try {
    action();
  } catch {}
}

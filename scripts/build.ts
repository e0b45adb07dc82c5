/**
 * Bundles `src/` into `dist/`, which is committed: pre-commit and `npm install` from git run it without building. The
 * launcher `ctc.mjs` looks at the version of Node in syntax that old ones read, and only then loads `main.cjs`.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type BuildOptions, build, type Plugin } from "esbuild";

const root = join(import.meta.dirname, "..");

const common: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  // The same bytes also where node_modules is a link, as work trees may share one.
  preserveSymlinks: true,
  format: "esm",
  platform: "node",
  outdir: "dist",
  outExtension: { ".js": ".mjs" },
  // Unminified: Node prints the line that crashed, and people read what they are about to run as root.
  minify: false,
  charset: "ascii",
  legalComments: "inline",
  metafile: true,
  write: false,
};

/** The files of `dist/`, by name. The same source gives the same bytes. */
export async function bundle(): Promise<Map<string, string>> {
  const launcher = await build({
    ...common,
    entryPoints: ["src/cli/ctc.ts"],
    target: "node12.20",
    plugins: [
      {
        name: "load-the-bundle",
        setup({ onResolve }) {
          onResolve({ filter: /^\.\/load\.ts$/ }, () => ({ path: join(root, "src/cli/load-bundle.ts") }));
        },
      },
    ],
  });
  const main = await build({
    ...common,
    entryPoints: ["src/cli/main.ts"],
    // A script, because the compiled code of a script can be kept with the functions that ran.
    format: "cjs",
    outExtension: { ".js": ".cjs" },
    target: "node22.12",
    // yaml's build for Node is CommonJS and asks for `process` by `require`, which a module bundle cannot answer.
    alias: { yaml: join(root, "node_modules/yaml/browser/dist/index.js") },
    plugins: [
      // commander can run subcommands that are programs of their own; ctc has none, and starts faster without.
      standIn("node:child_process", "export default {}"),
      // To import this by name makes Node touch every property of `process`, and so open all three standard streams.
      standIn("node:process", "export default globalThis.process"),
    ],
  });
  const files = new Map<string, string>();
  for (const { outputFiles = [] } of [launcher, main]) {
    for (const { path, text } of outputFiles) files.set(basename(path), toAscii(text));
  }
  files.set("THIRD-PARTY.txt", thirdParty(Object.keys(main.metafile!.inputs)));
  return files;
}

/** Puts a few words in place of a module. */
function standIn(module: string, contents: string): Plugin {
  return {
    name: `instead of ${module}`,
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^${module}$`) }, () => ({ path: module, namespace: "stand-in" }));
      onLoad({ filter: new RegExp(`^${module}$`), namespace: "stand-in" }, () => ({ contents }));
    },
  };
}

/**
 * esbuild leaves comments and regular expressions as they are. Node keeps a source of ASCII alone in half the memory, and
 * starts a tenth faster.
 */
function toAscii(text: string): string {
  return text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The licences of the packages that are part of the bundle, which ask to go with every copy. */
function thirdParty(inputs: readonly string[]): string {
  const folders = new Set(inputs.flatMap((input) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? []));
  const sections = [...folders].sort().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    return `${"=".repeat(80)}\n${name} ${version}\n\n${licenceOf(join(root, folder))}\n`;
  });
  return `dist/main.cjs holds these packages:\n\n${sections.join("\n")}`;
}

function licenceOf(folder: string): string {
  const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
  if (!file) throw new Error(`${folder} has no licence file`);
  return readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trim();
}

if (import.meta.main) {
  const files = await bundle();
  rmSync(join(root, "dist"), { recursive: true, force: true });
  mkdirSync(join(root, "dist"));
  for (const [name, text] of files) {
    writeFileSync(join(root, "dist", name), text, { mode: name === "ctc.mjs" ? 0o755 : 0o644 });
    console.log(`dist/${name}: ${Math.round(text.length / 1024)} KiB`);
  }
}

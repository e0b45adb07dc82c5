/**
 * Keeps `golden/` up to date: what is emitted for every example and for every small case. Without `--update` it says what
 * is not as it should be, and exits with 1.
 */
import { readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { addressFilesOf } from "../src/cli/address-files.ts";
import { writeFiles } from "../src/cli/output.ts";
import { compile } from "../src/compile.ts";
import { type Compiled, compareGoldens, type Discrepancy } from "../src/golden/compare.ts";
import { isInScope, type Place, placesOf } from "../src/golden/layout.ts";
import { printDiscrepancies } from "../src/golden/print.ts";
import { formatPretty } from "../src/report/pretty.ts";
import type { Finding } from "../src/source/finding.ts";
import { VERSION } from "../src/version.ts";

const ROOT = join(import.meta.dirname, "..");

/** What these scripts look after. */
const FOLDERS: readonly string[] = ["examples", "golden"];

const MEND = "npm run golden";

/** A policy as it is compiled today. */
export interface GoldenPolicy extends Compiled {
  readonly text: string;
  readonly findings: readonly Finding[];
}

export interface State {
  readonly policies: readonly GoldenPolicy[];
  readonly discrepancies: readonly Discrepancy[];
}

/** The state of all goldens under `root`. */
export function stateOf(root: string = ROOT): State {
  const paths = filesUnder(root).map((path) => relative(root, path).split(sep).join("/"));
  const read = (path: string): string => readFileSync(join(root, path), "utf8");
  const policies = placesOf(paths)
    .filter(({ policy }) => isInScope(policy, FOLDERS))
    .map((place) => compileAt(root, place, read(place.policy)));
  return { policies, discrepancies: compareGoldens({ paths, read }, policies, FOLDERS) };
}

/** What the script prints about a state; empty where everything is as it should be. */
export function reportOf({ policies, discrepancies }: State): string {
  const broken = policies.filter(({ scripts }) => scripts === null);
  const findings = broken.flatMap((policy) => policy.findings.filter(({ level }) => level === "error"));
  const files = broken.map(({ place }) => place.policy);
  const texts = [
    findings.length > 0 ? formatPretty({ findings, files, version: VERSION }) : "",
    printDiscrepancies(discrepancies, MEND),
  ];
  return texts.filter((text) => text !== "").join("\n");
}

/** Writes what is stale or missing and removes what is orphaned. Says what it did; throws where it cannot. */
export function update(discrepancies: readonly Discrepancy[], root: string = ROOT): readonly string[] {
  const done: string[] = [];
  for (const discrepancy of discrepancies) {
    const path = join(root, discrepancy.path);
    switch (discrepancy.kind) {
      case "stale":
      case "missing": {
        const complaint = writeFiles([{ path, text: discrepancy.wanted }], dirname(path));
        if (complaint !== null) throw new Error(complaint);
        done.push(`wrote ${discrepancy.path}`);
        break;
      }
      case "orphaned":
        rmSync(path);
        removeIfEmpty(dirname(path));
        done.push(`removed ${discrepancy.path}`);
        break;
      case "stray":
        break;
    }
  }
  return done;
}

function compileAt(root: string, place: Place, text: string): GoldenPolicy {
  const files = addressFilesOf(join(root, place.policy), null);
  const uses: string[] = [];
  const read = (path: string) => {
    uses.push(join(dirname(place.policy), path).split(sep).join("/"));
    return files.read(path);
  };
  const { findings, outputs } = compile({ name: place.policy, text }, { read });
  const scripts = outputs && {
    nft: outputs.nft(),
    iptables: outputs.iptables(),
    ip6tables: outputs.ip6tables(),
  };
  return { place, text, scripts, uses, findings };
}

function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return [path];
    return entry.name === "node_modules" || entry.name.startsWith(".") ? [] : filesUnder(path);
  });
}

function removeIfEmpty(folder: string): void {
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

if (import.meta.main) {
  const wantsUpdate = process.argv.includes("--update");
  const before = stateOf();
  const done = wantsUpdate ? update(before.discrepancies) : [];
  if (done.length > 0) console.log(done.join("\n"));
  const report = reportOf(wantsUpdate ? stateOf() : before);
  if (report !== "") {
    console.error(report);
    process.exitCode = 1;
  }
}

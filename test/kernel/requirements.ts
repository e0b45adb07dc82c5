import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { describe } from "vitest";
import { attempt } from "./shell.ts";

const PROGRAMS = [
  "ip",
  "nft",
  "iptables-nft-restore",
  "ip6tables-nft-restore",
  "iptables-legacy-restore",
  "ip6tables-legacy-restore",
  "ipset",
  "conntrack",
  "memcached",
  "ping",
];

/** Everything the kernel tests need and do not find here, programs in the folders of `path`; empty where they can run. */
export async function missing(path = process.env.PATH ?? ""): Promise<readonly string[]> {
  if (process.platform !== "linux") return ["Linux"];
  const lacking = PROGRAMS.filter((program) => !isInstalled(program, path));
  if (!isExecutable("/usr/bin/python3")) lacking.push("/usr/bin/python3");
  if (process.getuid?.() !== 0) return [...lacking, "root (network namespaces are made with `ip netns add`)"];
  if (!lacking.includes("ip")) {
    const { code, stderr } = await attempt(["unshare", "--net", "true"]);
    if (code !== 0) lacking.push(`permission to make network namespaces (${stderr.trim()})`);
  }
  return lacking;
}

function isInstalled(program: string, path: string): boolean {
  return path.split(delimiter).some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const lacking = await missing();
const sentence = `The kernel tests need ${lacking.join(", ")}; \`scripts/apt-packages.sh\` installs the programs.`;
if (lacking.length > 0 && !process.env.CI) console.warn(`Skipped. ${sentence}`);

/**
 * `describe` for tests that need a real kernel. Where something is missing they are skipped and one sentence says what;
 * under CI that sentence is a failure, because a suite that skips in CI tests nothing.
 */
export function describeKernel(name: string, body: () => void): void {
  if (lacking.length === 0) describe(name, body);
  else if (process.env.CI) throw new Error(sentence);
  else describe.skip(name, body);
}

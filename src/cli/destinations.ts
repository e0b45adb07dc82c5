import { statSync } from "node:fs";
import { join } from "node:path";
import { PLAIN_TARGETS, SCRIPT_NAMES, TARGETS, type Target } from "../golden/layout.ts";

/** Where the scripts go. */
export type Destinations =
  | { readonly kind: "stdout"; readonly target: Target }
  | {
      readonly kind: "files";
      readonly files: readonly { readonly path: string; readonly target: Target }[];
      /** The folder that all of them go to, and that may have to be made; null where a file was named. */
      readonly folder: string | null;
    };

/** Makes sense of `--target`, `-o` and `--ipset`, any of which may be left out. A target of sets asks for them by itself. */
export function destinationsOf(
  target: Target | null,
  output: string | null,
  withSets: boolean,
): Destinations {
  if (output === null || output === "-") return { kind: "stdout", target: target ?? "nft" };
  if (output.endsWith("/") || statSync(output, { throwIfNoEntry: false })?.isDirectory()) {
    const all = withSets ? TARGETS : PLAIN_TARGETS;
    const files = (target ? [target] : all).map((each) => ({
      path: join(output, SCRIPT_NAMES[each]),
      target: each,
    }));
    return { kind: "files", files, folder: output };
  }
  return { kind: "files", files: [{ path: output, target: target ?? targetByEnding(output) }], folder: null };
}

function targetByEnding(path: string): Target {
  if (path.endsWith(".v4")) return "iptables";
  if (path.endsWith(".v6")) return "ip6tables";
  return /(?:^|[./\\])ipsets?$/.test(path) ? "ipset" : "nft";
}

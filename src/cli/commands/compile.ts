import { type Command, Option } from "commander";
import { TARGETS, type Target } from "../../golden/layout.ts";
import type { Finding } from "../../source/finding.ts";
import { VERSION } from "../../version.ts";
import { addressFilesOf } from "../address-files.ts";
import { destinationsOf } from "../destinations.ts";
import { EXIT, type Exit } from "../exit.ts";
import { writeFiles } from "../output.ts";
import { complain, print, printError } from "../streams.ts";
import { readOrTell, tell } from "../tell.ts";
import { fileName, rootOption } from "./options.ts";

interface Options {
  readonly target?: Target;
  readonly output?: string;
  readonly ipset: boolean;
  readonly root?: string;
  readonly verify: boolean;
}

const AFTER = `
Without -o, one script goes to standard output; load it as root with
  ctc compile policy.yaml | nft -f -
  ctc compile policy.yaml --target iptables | iptables-restore
  ctc compile policy.yaml --target ip6tables | ip6tables-restore

With -o FOLDER (one that exists, or any name that ends in /) all three are
written: ruleset.nft, rules.v4 and rules.v6; with --target only that one. Any
other -o FILE receives one script, by default nft, or what the ending .v4 or .v6
says.

With --ipset the scripts for iptables ask sets where lists are long, and with
-o FOLDER the sets are written beside them, to the file ipsets (by itself:
--target ipset, or a FILE of that name). Load the sets first; what is loaded
already is not in their way, and loading them twice changes nothing:
  ipset restore < ipsets && iptables-restore < rules.v4

Files are replaced whole or not at all, and never when the policy has an
error. Every script is read back first, and proved to do with every packet what
the policy means; one that fails is a bug in ctc, and is not written.`;

/** `ctc compile` */
export function addCompile(program: Command, exit: (code: Exit) => void): void {
  program
    .command("compile")
    .summary("print or write the scripts that a policy means")
    .description("Compiles a policy to scripts that nft and iptables-restore load.")
    .argument("<file>", "the policy; - for standard input")
    .addOption(new Option("-t, --target <target>", "what to emit").choices(TARGETS))
    .option("-o, --output <path>", "write to a file or folder instead of standard output", fileName)
    .option("--ipset", "let iptables ask sets of `ipset` where lists are long", false)
    .option("--no-verify", "do not read the scripts back and prove that they mean what the policy means")
    .addOption(rootOption())
    .addHelpText("after", AFTER)
    .action(async (file: string, options: Options) => exit(await runCompile(file, options)));
}

async function runCompile(file: string, options: Options): Promise<Exit> {
  const asked = options.ipset || options.target === "ipset";
  const destinations = destinationsOf(options.target ?? null, options.output ?? null, asked);
  const targets =
    destinations.kind === "stdout" ? [destinations.target] : destinations.files.map(({ target }) => target);
  const withSets = asked || targets.includes("ipset");
  if (withSets && targets.join() === "nft")
    return complain("--ipset is for the scripts of iptables: name one with --target, or a folder with -o");
  const source = readOrTell(file);
  if (typeof source === "number") return source;
  const { compile } = await import("../../compile.ts");
  const files = addressFilesOf(file, options.root ?? null);
  const { findings, unparsable, outputs, prove } = compile(source, files, withSets);
  if (findings.length > 0) tell(findings, [source.name]);
  if (!outputs || !prove) return unparsable ? EXIT.unusable : EXIT.findings;

  // Scripts and their sets are proved together, whichever of them is asked for.
  const needed = new Set<Target>(targets);
  if (withSets) needed.add("ipset");
  if (targets.includes("ipset")) needed.add("iptables").add("ip6tables");
  const texts: Partial<Record<Target, string>> = {};
  for (const target of needed) texts[target] = outputs[target]();
  if (options.verify) {
    const wrong = prove(texts).findings.filter(({ level }) => level === "error");
    if (wrong.length > 0) return refuse(wrong);
  }

  if (destinations.kind === "stdout") return print(texts[destinations.target]!);
  const complaint = writeFiles(
    destinations.files.map(({ path, target }) => ({ path, text: texts[target]! })),
    destinations.folder,
  );
  if (complaint) return complain(complaint);
  printError(destinations.files.map(({ path }) => `wrote ${path}\n`).join(""));
  return EXIT.clean;
}

/** Refuses to hand out what does not mean what the policy means. */
export function refuse(wrong: readonly Finding[]): Exit {
  tell(wrong, [...new Set(wrong.map(({ span }) => span.source.name))]);
  printError(
    `ctc: nothing was written, because ctc ${VERSION} compiled this policy wrongly: this is a bug in ctc, not in your policy; ` +
      "please report it with the policy, as far as you may share it, and with what is printed above\n",
  );
  return EXIT.bug;
}

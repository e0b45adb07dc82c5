import { type Command, Option } from "commander";
import { harmless } from "../../report/cells.ts";
import { FORMAT_NAMES, FORMATS, type FormatName } from "../../report/formats.ts";
import { VERSION } from "../../version.ts";
import { addressFilesOf } from "../address-files.ts";
import { EXIT, type Exit } from "../exit.ts";
import { nameOf } from "../input.ts";
import { complain, print } from "../streams.ts";
import { printFindings, readOrTell, tell } from "../tell.ts";
import { rootOption } from "./options.ts";

const SCRIPT_FORMATS = ["nft", "iptables", "ip6tables"] as const;

interface Options {
  readonly format: FormatName;
  readonly as?: (typeof SCRIPT_FORMATS)[number];
  readonly ipsets?: string;
  readonly root?: string;
}

const AFTER = `
Without a script, the three that \`ctc compile\` makes are read back and compared.
With scripts, those: golden files, copies changed by hand, or what a host runs:
  iptables-save  | ctc verify policy.yaml - --as iptables
  ip6tables-save | ctc verify policy.yaml - --as ip6tables
  nft list ruleset | ctc verify policy.yaml -

The comparison is a proof for all packets, in every state of connection
tracking: whether they pass, whether they are tracked, and what NAT does to
them. Logs and counters are not compared. What is not understood is never taken
for equal.

It exits with 0 where all is proved equal, with 1 where something differs or is
not understood, and with 2 where a file cannot be read or the policy has errors,
so that nothing could be compared.`;

/** `ctc verify` */
export function addVerify(program: Command, exit: (code: Exit) => void): void {
  program
    .command("verify")
    .summary("prove that scripts do what a policy means")
    .description(
      "Reads scripts back and proves that they do what a policy means, or prints the packets that differ.",
    )
    .argument("<file>", "the policy; - for standard input")
    .argument("[script...]", "scripts for nft or iptables-restore; - for standard input")
    .addOption(
      new Option("--as <format>", "what the scripts are for, where they do not show it").choices(
        SCRIPT_FORMATS,
      ),
    )
    .option(
      "--ipsets <file>",
      "what `ipset save` says, or the ipsets of `ctc compile`, for scripts that ask sets",
    )
    .addOption(
      new Option("-f, --format <format>", "how to print differences").choices(FORMAT_NAMES).default("pretty"),
    )
    .addOption(rootOption())
    .addHelpText("after", AFTER)
    .action(async (file: string, scripts: string[], options: Options) =>
      exit(await runVerify(file, scripts, options)),
    );
}

async function runVerify(file: string, paths: readonly string[], options: Options): Promise<Exit> {
  if ([file, ...paths].filter((path) => path === "-").length > 1)
    return complain("standard input can be read once: only one of the files may be -");
  const policy = readOrTell(file);
  if (typeof policy === "number") return policy;
  const { analyse, outputsOf } = await import("../../compile.ts");
  const { formatOf, ownScripts, readScript } = await import("../../verify/scripts.ts");
  const { verify } = await import("../../verify/verify.ts");

  const analysis = analyse(policy, addressFilesOf(file, options.root ?? null));
  if (!analysis.policy || !analysis.words) {
    tell(analysis.findings, [nameOf(file)]);
    return EXIT.unusable;
  }

  const ipsets = options.ipsets === undefined ? null : readOrTell(options.ipsets);
  if (typeof ipsets === "number") return ipsets;
  const scripts: ReturnType<typeof readScript>[] = [];
  for (const path of paths) {
    const source = readOrTell(path);
    if (typeof source === "number") return source;
    const format = options.as ?? formatOf(source);
    if (format === "ambiguous")
      return complain(
        `${path} may be for iptables or ip6tables: say which with --as iptables or --as ip6tables`,
      );
    scripts.push(readScript(source, format, ipsets));
  }
  if (paths.length === 0) {
    const outputs = outputsOf(analysis.policy);
    scripts.push(
      ...ownScripts({ nft: outputs.nft(), iptables: outputs.iptables(), ip6tables: outputs.ip6tables() }),
    );
  }

  const { findings, unreadable } = verify(analysis.policy, scripts, analysis.words);
  const names = scripts.map(({ source }) => source.name);
  const differs = findings.some(({ level }) => level === "error");
  const code = unreadable ? EXIT.unusable : differs ? EXIT.findings : EXIT.clean;
  if (options.format !== "pretty")
    return print(FORMATS[options.format]({ findings, files: names, version: VERSION })) || code;
  const printed = findings.length > 0 ? printFindings(findings, names) : EXIT.clean;
  if (printed || code) return printed || code;
  return print(`equal for every packet: ${names.map(harmless).join(", ")} and ${harmless(nameOf(file))}\n`);
}

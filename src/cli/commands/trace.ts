import { type Command, Option } from "commander";
import type { TrackedState } from "../../policy/packet.ts";
import { VERSION } from "../../version.ts";
import { addressFilesOf } from "../address-files.ts";
import { EXIT, type Exit } from "../exit.ts";
import { nameOf } from "../input.ts";
import { print } from "../streams.ts";
import { readOrTell, tell } from "../tell.ts";
import { paintFor, screenOf } from "../terminal.ts";
import { rootOption } from "./options.ts";

const STATES = ["new", "established", "related", "invalid"] as const satisfies readonly TrackedState[];

interface Options {
  readonly state: TrackedState;
  readonly via?: string;
  readonly format: "pretty" | "json";
  readonly root?: string;
}

const AFTER = `
A packet is written as people say it, in one argument or in several:
  ctc trace policy.yaml 'tcp 10.1.2.3:40000 > 192.0.2.1:11211 in eth0 flags syn'
  ctc trace policy.yaml 'icmp 10.1.2.3 > self echo-request'
With \`in\` alone it is delivered here, with \`out\` alone sent from here, with both
passed on; \`in lo\` is loopback. Limits are taken to have room.`;

/** `ctc trace` */
export function addTrace(program: Command, exit: (code: Exit) => void): void {
  program
    .command("trace")
    .summary("follow one packet through a policy, and its reply")
    .description("Follows a packet hook by hook, and says which rule decides; then the same for its reply.")
    .argument("<file>", "the policy; - for standard input")
    .argument("<packet...>", "the packet")
    .addOption(
      new Option("-s, --state <state>", "what connection tracking calls the packet")
        .choices(STATES)
        .default("new"),
    )
    .option("--via <device>", "where the packet leaves once its destination is translated")
    .addOption(
      new Option("-f, --format <format>", "how to print it").choices(["pretty", "json"]).default("pretty"),
    )
    .addOption(rootOption())
    .addHelpText("after", AFTER)
    .action(async (file: string, packet: string[], options: Options) =>
      exit(await runTrace(file, packet.join(" "), options)),
    );
}

async function runTrace(file: string, text: string, options: Options): Promise<Exit> {
  const source = readOrTell(file);
  if (typeof source === "number") return source;
  const { understand } = await import("../../compile.ts");
  const { parsePacket } = await import("../../policy/parse-packet.ts");
  const { trace } = await import("../../trace/trace.ts");
  const { formatTrace, formatTraceJson } = await import("../../trace/formats.ts");
  const { policy, findings } = understand(source, addressFilesOf(file, options.root ?? null));
  if (!policy) {
    tell(findings, [nameOf(file)]);
    return EXIT.unusable;
  }
  const packet = parsePacket(text, policy.self);
  if ("fault" in packet) {
    const { fault, help, start, end } = packet;
    const span = { source: { name: "<packet>", text }, start, end };
    tell([{ check: "packet-syntax", level: "error", message: fault, help, span }], ["<packet>"]);
    return EXIT.unusable;
  }
  const traced = trace(policy, packet, { state: options.state, via: options.via ?? null });
  return print(
    options.format === "json"
      ? formatTraceJson(traced, VERSION)
      : formatTrace(traced, paintFor(screenOf("stdout"), process.env)),
  );
}

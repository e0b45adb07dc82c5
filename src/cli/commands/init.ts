import type { Command } from "commander";
import { EXIT, type Exit } from "../exit.ts";
import { writeNewFile } from "../output.ts";
import { complain, print, printError } from "../streams.ts";
import { fileName } from "./options.ts";

/** What `ctc init` prints: a host that serves the web and is administered from a few addresses. */
const START = `# A host that serves the web and is administered over SSH. Change it to fit yours, then
#   ctc compile policy.yaml                 prints the script for nft
#   ctc compile policy.yaml -o firewall/    writes the scripts for nft, iptables and ip6tables
version: 1

addresses:
  # Put your own addresses here before you load anything: nobody else gets in to mend it.
  admins: [192.0.2.0/24, "2001:db8:1::/48"]

services:
  ssh: tcp 22
  web: [tcp 80, tcp 443, udp 443]
  ping: icmp echo-request

# What becomes of a packet that no rule below matches. Answers to what this host asks always come in.
defaults: { input: deny, forward: deny, output: allow }

policies:
  - name: administration
    rules:
      - allow ssh from admins to self
      - allow ping from any to self

  - name: web
    rules:
      - allow web from any to self

  - name: addresses by DHCPv6
    rules:
      # The question goes to a group of routers, so the answer comes from an address that was not asked.
      - allow udp from fe80::/10 port 547 to self port 546
`;

/** `ctc init` */
export function addInit(program: Command, exit: (code: Exit) => void): void {
  program
    .command("init")
    .summary("print a small policy to start from")
    .description("Prints a small policy to start from, or writes it to a new file.")
    .option("-o, --output <file>", "write it to a file that does not exist yet", fileName)
    .action((options: { readonly output?: string }) => exit(runInit(options.output ?? "-")));
}

function runInit(path: string): Exit {
  if (path === "-") return print(START);
  const complaint = writeNewFile({ path, text: START });
  if (complaint) return complain(complaint);
  printError(`wrote ${path}\n`);
  return EXIT.clean;
}

import type { Family } from "../../address/ranges.ts";
import type { ScriptStatement } from "../../netfilter/script.ts";
import { destinationOf, toPorts } from "./nat.ts";

/** How many words follow each option of the targets that are understood. */
export const TARGET_OPTIONS: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map(
  Object.entries({
    ACCEPT: {},
    DROP: {},
    RETURN: {},
    LOG: {
      "--log-prefix": 1,
      "--log-level": 1,
      "--log-tcp-sequence": 0,
      "--log-tcp-options": 0,
      "--log-ip-options": 0,
      "--log-uid": 0,
      "--log-macdecode": 0,
    },
    NFLOG: {
      "--nflog-group": 1,
      "--nflog-prefix": 1,
      "--nflog-range": 1,
      "--nflog-size": 1,
      "--nflog-threshold": 1,
    },
    CT: { "--notrack": 0 },
    NOTRACK: {},
    MASQUERADE: { "--to-ports": 1, "--random": 0, "--random-fully": 0 },
    SNAT: { "--to-source": 1, "--random": 0, "--random-fully": 0, "--persistent": 0 },
    DNAT: { "--to-destination": 1, "--random": 0, "--persistent": 0 },
    REDIRECT: { "--to-ports": 1, "--random": 0 },
    REJECT: { "--reject-with": 1 },
  }).map(([target, options]) => [target, new Map(Object.entries(options))]),
);

/**
 * Targets that do something to a packet, or about it, and then let it walk on. What they change the model does not have, so
 * they are unknown, but they decide nothing.
 */
const CONTINUING: ReadonlySet<string> = new Set([
  "AUDIT",
  "CHECKSUM",
  "CLASSIFY",
  "CONNMARK",
  "CONNSECMARK",
  "CT",
  "DSCP",
  "ECN",
  "HL",
  "HMARK",
  "IDLETIMER",
  "LED",
  "MARK",
  "RATEEST",
  "SECMARK",
  "SET",
  "TCPMSS",
  "TCPOPTSTRIP",
  "TEE",
  "TOS",
  "TRACE",
  "TTL",
]);

/** What a target does, with the text that it logs. */
export interface Target {
  readonly log: string | null;
  /** Null for a target that only logs. */
  readonly statement: ScriptStatement | null;
}

/**
 * What a target with its options does; a sentence where the tool would refuse them. `text` are the words of the script,
 * kept where they are not understood. What two tools might take differently, or no policy can say, is unknown.
 */
export function targetOf(
  name: string,
  options: ReadonlyMap<string, string>,
  family: Family,
  text: string,
): Target | string {
  const act = (statement: ScriptStatement): Target => ({ log: null, statement });
  const unknown = (continues = false): Target => act({ kind: "unknown", text, continues });
  switch (name) {
    case "ACCEPT":
    case "DROP":
    case "RETURN":
      return act({ kind: name === "ACCEPT" ? "accept" : name === "DROP" ? "drop" : "return" });
    case "LOG":
      return { log: options.get("--log-prefix") ?? "", statement: null };
    case "NFLOG":
      return { log: options.get("--nflog-prefix") ?? "", statement: null };
    case "NOTRACK":
      return act({ kind: "mark-untracked" });
    case "CT":
      return options.has("--notrack") && options.size === 1 ? act({ kind: "mark-untracked" }) : unknown(true);
    case "REJECT":
      return act(reject(options.get("--reject-with") ?? null, text));
    case "MASQUERADE": {
      const ports = options.get("--to-ports");
      const range = ports === undefined ? null : toPorts(ports);
      if (ports !== undefined && range === null) return `\`${ports}\` are no ports`;
      if (options.has("--random")) return unknown();
      return act({ kind: "masquerade", ports: range, random: options.has("--random-fully") });
    }
    case "SNAT":
    case "DNAT": {
      const to = options.get(name === "SNAT" ? "--to-source" : "--to-destination");
      const found = to === undefined ? null : destinationOf(family, to);
      if (to === undefined) return `\`${name}\` needs an address`;
      if (found === null) return `\`${to}\` is no address, with or without ports, of IPv${family}`;
      if (found === "unknown" || options.has("--random") || options.has("--persistent")) return unknown();
      if (name === "DNAT") return act({ kind: "dnat", family, ...found });
      return act({ kind: "snat", family, ...found, random: options.has("--random-fully") });
    }
    case "REDIRECT": {
      const to = options.get("--to-ports");
      const ports = to === undefined ? null : toPorts(to);
      if (to !== undefined && ports === null) return `\`${to}\` are no ports`;
      if (ports === null || options.has("--random")) return unknown();
      return act({ kind: "redirect", ports });
    }
    default:
      return unknown(CONTINUING.has(name));
  }
}

const PORT_UNREACHABLE: ReadonlySet<string> = new Set([
  "icmp-port-unreachable",
  "port-unreach",
  "icmp6-port-unreachable",
]);

function reject(how: string | null, text: string): ScriptStatement {
  if (how === null || PORT_UNREACHABLE.has(how)) return { kind: "reject", with: "port-unreachable" };
  if (how === "tcp-reset" || how === "tcp-rst") return { kind: "reject", with: "tcp-reset" };
  return { kind: "reject", with: "other", text };
}

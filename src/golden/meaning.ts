import { analyse } from "../compile.ts";
import type { AddressFiles } from "../language/address-files.ts";
import { readIptables } from "../read/iptables.ts";
import { readNft } from "../read/nft.ts";
import type { Source } from "../source/source.ts";
import { type Script, verify } from "../verify/verify.ts";
import type { Meaning } from "./judge.ts";
import type { Target } from "./layout.ts";

/**
 * Reads an old script back and holds it, for every packet, against what a policy means. The policy must be one without
 * errors.
 */
export function compareMeaning(source: Source, files: AddressFiles, script: Source, target: Target): Meaning {
  const { policy, words } = analyse(source, files);
  if (!policy || !words) throw new Error("a policy with errors means nothing");
  const { findings, unreadable } = verify(policy, [readingOf(script, target)], words);
  const errors = findings.filter(({ level }) => level === "error");
  if (errors.length === 0) return { kind: "equal" };
  const { check, message } = errors[0]!;
  if (unreadable) return { kind: "unknown", reason: `the script cannot be loaded (${message})` };
  if (errors.every((finding) => finding.check === check) && check === "script-unknown")
    return { kind: "unknown", reason: message };
  return { kind: "different", differences: errors };
}

function readingOf(source: Source, target: Target): Script {
  switch (target) {
    case "nft":
      return { source, families: [4, 6], reading: readNft(source) };
    case "iptables":
      return { source, families: [4], reading: readIptables(source, 4) };
    case "ip6tables":
      return { source, families: [6], reading: readIptables(source, 6) };
  }
}

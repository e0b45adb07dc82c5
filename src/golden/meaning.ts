import type { Vocabulary } from "../meaning/vocabulary.ts";
import type { Policy } from "../policy/policy.ts";
import type { Finding } from "../source/finding.ts";
import type { Source } from "../source/source.ts";
import { readScript } from "../verify/scripts.ts";
import { type Script, verify } from "../verify/verify.ts";
import type { Beside } from "./compare.ts";
import type { Meaning } from "./judge.ts";
import type { Target } from "./layout.ts";

/** A policy without errors, and its names for what it speaks of. */
export interface Meant {
  readonly policy: Policy;
  readonly words: () => Vocabulary;
}

/** Reads an old script back, with what stands beside it, and holds it, for every packet, against what a policy means. */
export function compareMeaning(meant: Meant, script: Source, target: Target, beside: Beside): Meaning {
  const { errors, unreadable } = prove(meant, script, target, beside);
  const [first] = errors;
  if (!first) return { kind: "equal" };
  if (unreadable) return { kind: "unknown", reason: `the script cannot be loaded (${first.message})` };
  if (errors.every(({ check }) => check === "script-unknown"))
    return { kind: "unknown", reason: first.message };
  return { kind: "different", differences: errors };
}

/** What is wrong with a script that was just compiled: nothing, if ctc is right. */
export function faultsOf(meant: Meant, script: Source, target: Target, beside: Beside): readonly Finding[] {
  return prove(meant, script, target, beside).errors;
}

function prove({ policy, words }: Meant, script: Source, target: Target, beside: Beside) {
  const { findings, unreadable } = verify(policy, read(script, target, beside), words);
  return { errors: findings.filter(({ level }) => level === "error"), unreadable };
}

/** Sets by themselves do nothing: they mean what the scripts mean that ask them. */
function read(script: Source, target: Target, beside: Beside): readonly Script[] {
  if (target !== "ipset") return [readScript(script, target, beside.ipset ?? null)];
  return (["iptables", "ip6tables"] as const).flatMap((family) => {
    const asking = beside[family];
    return asking ? [readScript(asking, family, script)] : [];
  });
}

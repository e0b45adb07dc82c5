import type { DELIVERIES, Seen } from "../meaning/seen.ts";
import { matchesRule, type View } from "../netfilter/match.ts";
import type { AddressType, Hook, RulesetRule, State, TableName } from "../netfilter/ruleset.ts";
import type { ScriptChain, ScriptRule, ScriptRuleset, ScriptStatement } from "../netfilter/script.ts";
import type { Packet } from "../policy/packet.ts";
import { deliveredHere, sentHere } from "../policy/paths.ts";

/** A rule that a packet met and matched, and the chain that it stands in. */
export interface Met {
  readonly chain: ScriptChain;
  readonly rule: ScriptRule;
}

/** The way of a packet through the base chains of one kind at one hook. */
export interface HookWalk {
  readonly table: TableName;
  readonly hook: Hook;
  /** Every rule that matched, in order; the last one of a walk that ended is the one that ended it. */
  readonly met: readonly Met[];
  /** What ended it; null where the packet came out at the end of its chains, or was accepted. */
  readonly ending: ScriptStatement | { readonly kind: "policy"; readonly chain: ScriptChain } | null;
  /** The rule that ended it, or accepted the packet; null where nothing but the end of a chain did. */
  readonly by: Met | null;
  /** The packet was left untracked. */
  readonly untracked: boolean;
}

/** What a walk knows of its packet beside what the packet shows. */
export interface Walker {
  readonly packet: Packet;
  readonly seen: Seen;
  /** What routing says of the destination, where it is known better than by the packet's path. */
  readonly delivery?: (typeof DELIVERIES)[number];
}

/**
 * Sends one packet through the chains of a script, as a reader would with a finger on the lines. Limits have room, and tests
 * that are not understood pass: this is to show a line, not to prove anything.
 */
export function walkHook(ruleset: ScriptRuleset, table: TableName, hook: Hook, walker: Walker): HookWalk {
  const chains = new Map(ruleset.chains.filter((one) => one.table === table).map((one) => [one.name, one]));
  const view = viewOf(table, hook, walker);
  const met: Met[] = [];
  let untracked = false;

  /** Ends: a statement with its rule, or what happens at the end of the chain. */
  const walk = (chain: ScriptChain): Met | null => {
    for (const rule of chain.rules) {
      if (!passes(rule, view)) continue;
      const here = { chain, rule };
      met.push(here);
      const { statement } = rule;
      switch (statement.kind) {
        case "continue":
          break;
        case "mark-untracked":
          untracked = true;
          break;
        case "unknown":
          if (!statement.continues) return here;
          break;
        case "return":
          return null;
        case "goto": {
          const next = chains.get(statement.chain);
          return next ? walk(next) : null;
        }
        case "jump": {
          const next = chains.get(statement.chain);
          const ended = next ? walk(next) : null;
          if (ended) return ended;
          break;
        }
        default:
          return here;
      }
    }
    return null;
  };

  let by: Met | null = null;
  for (const chain of chains.values()) {
    if (chain.base?.hook !== hook) continue;
    const ended = walk(chain);
    by = ended ?? by;
    const kind = ended?.rule.statement.kind ?? chain.base.policy;
    if (kind === "notrack") untracked = true;
    if (kind === "accept" || kind === "notrack") continue;
    const ending = ended ? ended.rule.statement : ({ kind: "policy", chain } as const);
    return { table, hook, met, ending, by: ended, untracked };
  }
  return { table, hook, met, ending: null, by, untracked };
}

function passes(rule: ScriptRule, view: View): boolean {
  const understood = { ...rule, matches: rule.matches.filter(({ kind }) => kind !== "unknown") };
  return matchesRule(understood as RulesetRule, view, () => true);
}

function viewOf(table: TableName, hook: Hook, { packet, seen, delivery }: Walker): View {
  const hasIn = hook === "prerouting" || hook === "input" || hook === "forward";
  const hasOut = hook === "forward" || hook === "output" || hook === "postrouting";
  const type = delivery ?? (deliveredHere(packet.path) ? "local" : "elsewhere");
  return {
    ...packet,
    in: hasIn ? packet.in : null,
    out: hasOut ? packet.out : null,
    sourceType: sentHere(packet.path) ? "local" : null,
    destinationType: type === "elsewhere" ? null : (type as AddressType),
    // Before connection tracking has looked at it a packet has no connection, which is what `invalid` means.
    state: table === "raw" ? "invalid" : (seen.replace("-translated", "") as State),
    destinationTranslated: seen.endsWith("-translated"),
  };
}

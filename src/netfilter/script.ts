import type { Span } from "../source/source.ts";
import type { Chain, Hook, Match, RulesetRule, Statement } from "./ruleset.ts";

/**
 * A ruleset as a script says it. Every `Ruleset` is one; beyond that it holds what only scripts of others hold, and what
 * a reader did not understand. What is unknown stands in the place where it acts, so that whoever walks the chains meets
 * it and can keep an upper and a lower bound.
 */
export interface ScriptRuleset {
  /**
   * Base chains first, those of one hook in the order in which the kernel calls them: by priority. `table` tells how the
   * kernel calls a chain, whatever table the script puts it in: `raw` before connection tracking, `nat` for the first
   * packet of a flow only, `filter` for everything else. So mangle chains are `filter` chains, at any of the hooks.
   */
  readonly chains: readonly ScriptChain[];
}

export interface ScriptChain extends Omit<Chain, "base" | "rules"> {
  readonly base: ScriptBase | null;
  readonly rules: readonly ScriptRule[];
}

export interface ScriptBase {
  readonly hook: Hook;
  readonly policy: "accept" | "drop";
  /** Lower ones are called first. Absent where the table tells it. */
  readonly priority?: number;
}

export interface ScriptRule extends Omit<RulesetRule, "matches" | "statement"> {
  readonly matches: readonly ScriptMatch[];
  readonly statement: ScriptStatement;
  /** Where the script says so. Absent in rules that no script says. */
  readonly span?: Span;
}

export type ScriptMatch = Match | UnknownMatch;

/** A test that a packet may pass or not: nobody knows. Two of them are independent, even with equal texts. */
export interface UnknownMatch {
  readonly kind: "unknown";
  /** The words of the script. */
  readonly text: string;
}

export type ScriptStatement =
  | Statement
  /** Nothing but the log: the packet walks on to the next rule. */
  | { readonly kind: "continue" }
  /** Leaves the packet untracked and walks on; `notrack` is this and `accept`. Raw table only. */
  | { readonly kind: "mark-untracked" }
  /** Tells the sender in another way than a policy can ask for. */
  | { readonly kind: "reject"; readonly with: "other"; readonly text: string }
  /**
   * Anything may happen to the packet: any verdict, any translation, or none. Where `continues`, it surely walks on to
   * the next rule, neither untracked nor translated, but something of it or about it was changed that no `Match` asks for.
   */
  | { readonly kind: "unknown"; readonly text: string; readonly continues: boolean };

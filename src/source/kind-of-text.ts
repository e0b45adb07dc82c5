import type { Source, Span } from "./source.ts";

/** What a file is written for. */
export type TextKind = "policy" | "nft" | "iptables-restore" | "ipset";

/** How each of them begins, at the margin. */
const BEGINNINGS: readonly (readonly [TextKind, RegExp])[] = [
  ["policy", /^(?:version|interfaces|addresses|services|host|defaults|essentials|policies|nat)[ \t]*:/],
  ["nft", /^(?:#!.*\bnft\b|flush ruleset\b)/],
  [
    "nft",
    /^(?:(?:add|create|delete|destroy|flush)[ \t]+)?table[ \t]+(?:(?:ip6?|inet|arp|bridge|netdev)[ \t]+)?\w/,
  ],
  [
    "iptables-restore",
    /^(?:\*(?:raw|mangle|nat|filter|security)[ \t]*$|:\S+ (?:ACCEPT|DROP|-)(?: \[|[ \t]*$)|-[AIN] )/,
  ],
  ["ipset", /^create \S+ (?:hash|bitmap|list):/],
];

/** A file that is told by its first line. */
export interface ToldText {
  readonly kind: TextKind;
  /** The line that tells it. */
  readonly span: Span;
}

/** Tells what a file is by its first line that says something; null where that line says nothing of the kind. */
export function kindOfText(source: Source): ToldText | null {
  const line = /^(?!#(?!!))(?=.*\S).*$/m.exec(source.text);
  const found = line && BEGINNINGS.find(([, beginning]) => beginning.test(line[0]));
  if (!found) return null;
  return {
    kind: found[0],
    span: { source, start: line.index, end: line.index + line[0].trimEnd().length },
  };
}

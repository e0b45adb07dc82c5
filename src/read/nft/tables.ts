import type { Hook } from "../../netfilter/ruleset.ts";
import type { Span } from "../../source/source.ts";
import { noteUnknown, type ReadLog, reportSyntax, reportWarning } from "../reading.ts";
import type { NamedSet } from "./comparison.ts";
import { type Cursor, kindAt, peek, skipStatement, spanFrom } from "./tokens.ts";

/** The tables that a script builds, as far as they see IP packets, and what it does besides. */
export interface Tables {
  readonly log: ReadLog;
  readonly tables: Map<string, Table>;
  /** What is not understood and may do anything. */
  readonly foreign: Span[];
}

export interface Table {
  readonly family: "inet" | "ip" | "ip6";
  readonly name: string;
  readonly chains: Map<string, ChainDraft>;
  readonly sets: Map<string, NamedSet>;
  /** Where it is written first. */
  readonly span: Span;
  dormant: boolean;
}

export interface ChainDraft {
  readonly name: string;
  base: BaseDraft | null;
  /** The tokens at which its rules begin. Rules are read when all sets are known. */
  rules: RuleDraft[];
}

export type RuleDraft = { readonly at: number } | { readonly unknown: Span };

export interface BaseDraft {
  readonly type: string;
  readonly hook: Hook;
  readonly priority: number;
  policy: "accept" | "drop";
}

export const FAMILIES: ReadonlySet<string> = new Set(["inet", "ip", "ip6", "arp", "bridge", "netdev"]);

/** What a command names: a table, and something in it. */
export interface Place {
  readonly family: string;
  readonly table: string;
}

/** `[family] table [name]`; null where no name stands here. */
export function readPlace(cursor: Cursor): Place | null {
  const family = FAMILIES.has(peek(cursor)) && kindAt(cursor) === "word" ? peek(cursor) : null;
  if (family !== null) cursor.at++;
  const table = readName(cursor);
  return table === null ? null : { family: family ?? "ip", table };
}

export function readName(cursor: Cursor): string | null {
  const kind = kindAt(cursor);
  if (kind !== "word" && kind !== "string") return null;
  const name = peek(cursor);
  cursor.at++;
  return name;
}

export function refuse(cursor: Cursor, first: number, message: string): void {
  skipStatement(cursor);
  reportSyntax(cursor.log, spanFrom(cursor, first), message);
}

export function keyOf({ family, table }: Place): string {
  return `${family} ${table}`;
}

/** Undefined where there is none yet; null for a family that is not understood. */
export function findTable({ tables }: Tables, place: Place): Table | null | undefined {
  return isIp(place.family) ? tables.get(keyOf(place)) : null;
}

export function isIp(family: string): family is Table["family"] {
  return family === "inet" || family === "ip" || family === "ip6";
}

export function addUnknown(cursor: Cursor, chains: Iterable<ChainDraft>, first: number): void {
  const span = spanFrom(cursor, first);
  noteUnknown(cursor.log, "statement", span);
  for (const chain of chains) chain.rules = [{ unknown: span }, ...chain.rules];
}

/** Reports what nft's listing of tables that belong to iptables is worth. */
export function warnOfListing(log: ReadLog, table: Table): void {
  reportWarning(
    log,
    table.span,
    `table \`${table.family} ${table.name}\` belongs to iptables, and nft prints its rules with losses`,
    "read the output of `iptables-nft-save` or `ip6tables-nft-save` instead",
  );
}

import type { Hook } from "../../netfilter/ruleset.ts";
import { numberIn } from "../names.ts";
import { noteUnknown } from "../reading.ts";
import { type ChainDraft, refuse, type Table, type Tables } from "./tables.ts";
import {
  accept,
  atEnd,
  type Cursor,
  isAt,
  kindAt,
  peek,
  skipBlankLines,
  skipBlock,
  skipStatement,
  spanFrom,
} from "./tokens.ts";

export function readChain(cursor: Cursor, tables: Tables, table: Table, name: string, first: number): void {
  const chain: ChainDraft = table.chains.get(name) ?? { name, base: null, rules: [] };
  table.chains.set(name, chain);
  skipBlankLines(cursor);
  if (!accept(cursor, "{")) return;
  while (!isAt(cursor, "}")) {
    if (kindAt(cursor) === "end") {
      refuse(cursor, first, "the closing brace is missing");
      return;
    }
    if (kindAt(cursor) === "newline" || isAt(cursor, ";")) cursor.at++;
    else readLine(cursor, tables, chain);
  }
  cursor.at++;
}

const HOOKS: ReadonlySet<string> = new Set(["prerouting", "input", "forward", "output", "postrouting"]);

/** One line of a chain: what kind of chain it is, or a rule. */
function readLine(cursor: Cursor, tables: Tables, chain: ChainDraft): void {
  const first = cursor.at;
  if (isAt(cursor, "type") && isAt(cursor, "hook", 2)) {
    readBase(cursor, tables, chain);
    return;
  }
  if (isAt(cursor, "policy")) {
    cursor.at++;
    const policy = peek(cursor);
    skipStatement(cursor);
    if (policy !== "accept" && policy !== "drop") {
      refuse(cursor, first, `\`${policy}\` is no policy`);
      return;
    }
    if (!chain.base) return;
    chain.base.policy = policy;
    return;
  }
  if (isAt(cursor, "comment") || isAt(cursor, "flags")) {
    skipStatement(cursor);
    return;
  }
  chain.rules.push({ at: first });
  skipStatement(cursor);
  // A stray closing bracket would end the chain too early, which the caller sees.
  if (cursor.at === first) cursor.at++;
}

/** `type TYPE hook HOOK [device …] priority PRIORITY`. */
function readBase(cursor: Cursor, tables: Tables, chain: ChainDraft): void {
  const first = cursor.at;
  const type = peek(cursor, 1);
  const hook = peek(cursor, 3);
  cursor.at += 4;
  while (!atEnd(cursor) && !isAt(cursor, "priority")) {
    if (isAt(cursor, "{")) skipBlock(cursor);
    else cursor.at++;
  }
  const priority = accept(cursor, "priority") ? readPriority(cursor) : null;
  const span = spanFrom(cursor, first);
  if (priority === null || !atEnd(cursor)) {
    refuse(cursor, first, "this is no priority");
    return;
  }
  if (!HOOKS.has(hook) || !["filter", "nat", "route"].includes(type)) {
    noteUnknown(cursor.log, "table", span);
    tables.foreign.push(span);
    return;
  }
  chain.base = { type, hook: hook as Hook, priority, policy: chain.base?.policy ?? "accept" };
}

/** The names that priorities have in tables of IP packets. */
const PRIORITIES: ReadonlyMap<string, number> = new Map([
  ["raw", -300],
  ["mangle", -150],
  ["dstnat", -100],
  ["filter", 0],
  ["security", 50],
  ["srcnat", 100],
]);

/** `-300`, `filter`, `filter - 5`. */
function readPriority(cursor: Cursor): number | null {
  let base = 0;
  if (kindAt(cursor) === "word") {
    const named = PRIORITIES.get(peek(cursor));
    if (named === undefined) return null;
    base = named;
    cursor.at++;
    if (atEnd(cursor)) return base;
    if (!isAt(cursor, "+") && !isAt(cursor, "-")) return null;
  }
  const sign = accept(cursor, "-") ? -1 : 1;
  accept(cursor, "+");
  const number = kindAt(cursor) === "number" ? numberIn(peek(cursor), 2 ** 31) : null;
  cursor.at++;
  return number === null ? null : base + sign * number;
}

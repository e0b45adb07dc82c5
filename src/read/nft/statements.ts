import type { LimitMatch } from "../../netfilter/ruleset.ts";
import type { ScriptMatch, ScriptStatement } from "../../netfilter/script.ts";
import { protocolTest } from "../alternatives.ts";
import { numberIn, TCP } from "../names.ts";
import { accept, type Cursor, isAt, kindAt, peek } from "./tokens.ts";

const UNITS = ["second", "minute", "hour", "day"] as const;

/** Packets beyond the rate that nft lets through where a script does not say it. */
const DEFAULT_BURST = 5;

/**
 * `limit rate N/UNIT [burst N packets]`; null, and the cursor anywhere, for rates of bytes, for what goes beyond a rate
 * (`over`), and for named limits.
 */
export function readLimit(cursor: Cursor): LimitMatch | null {
  cursor.at++;
  if (!accept(cursor, "rate") || kindAt(cursor) !== "number") return null;
  const count = numberIn(peek(cursor), 0xffff_ffff);
  cursor.at++;
  if (!accept(cursor, "/")) return null;
  const unit = UNITS.find((candidate) => isAt(cursor, candidate));
  cursor.at++;
  if (count === null || unit === undefined) return null;
  if (!accept(cursor, "burst")) return { kind: "limit", count, unit, burst: DEFAULT_BURST };
  const burst = numberIn(peek(cursor), 0xffff_ffff);
  cursor.at++;
  return burst === null || !accept(cursor, "packets") ? null : { kind: "limit", count, unit, burst };
}

/** What a `reject` says, and what nft tests before it: a TCP reset goes to TCP alone, a message of ICMP to one family. */
export interface Rejection {
  readonly matches: readonly ScriptMatch[];
  readonly statement: ScriptStatement;
}

/** `reject [with tcp reset | with icmp|icmpv6|icmpx [type] CODE]`. */
export function readReject(cursor: Cursor): Rejection {
  cursor.at++;
  const unreachable: ScriptStatement = { kind: "reject", with: "port-unreachable" };
  if (!accept(cursor, "with")) return { matches: [], statement: unreachable };
  if (accept(cursor, "tcp")) {
    accept(cursor, "reset");
    return { matches: [protocolTest(TCP)], statement: { kind: "reject", with: "tcp-reset" } };
  }
  const protocol = peek(cursor);
  cursor.at++;
  accept(cursor, "type");
  const code = peek(cursor);
  cursor.at++;
  const matches: readonly ScriptMatch[] =
    protocol === "icmp"
      ? [{ kind: "family", family: 4 }]
      : protocol === "icmpv6"
        ? [{ kind: "family", family: 6 }]
        : [];
  if (code === "port-unreachable") return { matches, statement: unreachable };
  return { matches, statement: { kind: "reject", with: "other", text: `${protocol} ${code}` } };
}

import type { Family, Range } from "../../address/ranges.ts";
import { addressSpan } from "../addresses.ts";
import { portRange } from "../ports.ts";

/** Where a translation leads: the argument of `--to-source` and `--to-destination`. */
export interface Destination {
  readonly addresses: Range<bigint>;
  readonly ports: Range<number> | null;
}

/**
 * `ADDRESS[-ADDRESS][:PORT[-PORT]]`; for IPv6 the addresses stand in one pair of brackets where ports follow
 * (`[2001:db8::1-2001:db8::9]:80-81`). Null for what iptables refuses; `"unknown"` for what it takes and no policy can
 * say: ports without an address, and a range of ports with a base (`:5000-5010/80`).
 */
export function destinationOf(family: Family, text: string): Destination | "unknown" | null {
  const { addresses, ports } = parts(family, text);
  if (ports?.includes("/")) return "unknown";
  const range = ports === null ? null : portRange(ports, "-");
  // An open end, such as `80-`, is no port.
  if (ports !== null && (range === null || ports.startsWith("-") || ports.endsWith("-"))) return null;
  if (addresses === "") return ports === null ? null : "unknown";
  const dash = addresses.indexOf("-");
  const found =
    dash < 0
      ? addressSpan(addresses, addresses)
      : addressSpan(addresses.slice(0, dash), addresses.slice(dash + 1));
  if (found === null || found.family !== family) return null;
  return { addresses: { first: found.first, last: found.last }, ports: range };
}

function parts(family: Family, text: string): { readonly addresses: string; readonly ports: string | null } {
  if (family === 6) {
    const bracketed = /^\[([^[\]]*)\](?::(.*))?$/.exec(text);
    if (bracketed) return { addresses: bracketed[1]!, ports: bracketed[2] ?? null };
    return text.startsWith(":") && !text.startsWith("::")
      ? { addresses: "", ports: text.slice(1) }
      : { addresses: text, ports: null };
  }
  const colon = text.indexOf(":");
  return colon < 0
    ? { addresses: text, ports: null }
    : { addresses: text.slice(0, colon), ports: text.slice(colon + 1) };
}

/** The ports of `--to-ports`; null for what is none. */
export function toPorts(text: string): Range<number> | null {
  return text.startsWith("-") || text.endsWith("-") ? null : portRange(text, "-");
}

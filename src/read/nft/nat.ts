import type { Family, Range } from "../../address/ranges.ts";
import type { ScriptStatement } from "../../netfilter/script.ts";
import { portOf } from "../names.ts";
import type { Case, Step } from "../rule.ts";
import { addressRange } from "./address-tests.ts";
import type { FindSet } from "./comparison.ts";
import { readKeys } from "./keys.ts";
import { partTests } from "./tests.ts";
import { accept, atEnd, type Cursor, isAt, kindAt, peek } from "./tokens.ts";
import { readElements, readValue, type Value } from "./values.ts";

/** Where a translation leads, and how it picks. */
interface Target {
  readonly addresses: (Range<bigint> & { readonly family: Family }) | null;
  readonly ports: Range<number> | null;
}

/**
 * What the words behind `masquerade`, `snat`, `dnat` or `redirect` come to; null where a policy could not say it: other
 * flags than `fully-random`, ports without an address, prefixes, addresses that are hashed.
 */
export function readNat(cursor: Cursor, word: string, find: FindSet): Step | null {
  cursor.at++;
  const family = accept(cursor, "ip") ? 4 : accept(cursor, "ip6") ? 6 : null;
  if (accept(cursor, "to")) {
    const cases = readMapped(cursor, word, family, find);
    if (cases !== undefined) return cases;
  }
  const target = readTarget(cursor);
  const flags = readFlags(cursor);
  if (target === null || flags === null) return null;
  const statement = natStatement(word, family, target, flags);
  return statement === null ? null : { kind: "act", statement };
}

function natStatement(
  word: string,
  family: Family | null,
  { addresses, ports }: Target,
  flags: ReadonlySet<string>,
): ScriptStatement | null {
  const random = flags.has("fully-random");
  if (flags.size > (random ? 1 : 0)) return null;
  if (addresses !== null && family !== null && addresses.family !== family) return null;
  switch (word) {
    case "masquerade":
      return addresses === null ? { kind: "masquerade", ports, random } : null;
    case "redirect":
      return addresses === null && ports !== null && !random ? { kind: "redirect", ports } : null;
    default: {
      if (addresses === null) return null;
      const { first, last } = addresses;
      const where = { family: addresses.family, addresses: { first, last }, ports };
      if (word === "snat") return { kind: "snat", ...where, random };
      return random ? null : { kind: "dnat", ...where };
    }
  }
}

/** `ADDRESS[-ADDRESS][:PORT[-PORT]]`, either part alone, IPv6 in brackets where ports follow; nothing at all. */
function readTarget(cursor: Cursor): Target | null {
  const first = readAddress(cursor);
  if (first === null) return isPorts(cursor) ? withPorts(cursor, null) : { addresses: null, ports: null };
  // nft prints a range of addresses as a prefix where it is one; to keep the host's part it would say `prefix`.
  const last = accept(cursor, "-") ? readAddress(cursor) : null;
  const range = addressRange(last === null ? { kind: "atom", text: first } : { kind: "range", first, last });
  return range === null ? null : withPorts(cursor, range);
}

/** An address, or a prefix; null where none stands here. */
function readAddress(cursor: Cursor): string | null {
  const isBracketed = isAt(cursor, "[") && kindAt(cursor, 1) === "address" && isAt(cursor, "]", 2);
  if (!isBracketed && kindAt(cursor) !== "address") return null;
  const text = peek(cursor, isBracketed ? 1 : 0);
  cursor.at += isBracketed ? 3 : 1;
  return text;
}

function isPorts(cursor: Cursor): boolean {
  return isAt(cursor, ":");
}

function withPorts(cursor: Cursor, addresses: Target["addresses"]): Target | null {
  if (!accept(cursor, ":")) return { addresses, ports: null };
  const ports = portsOf(readValue(cursor));
  return ports === null ? null : { addresses, ports };
}

function portsOf(value: Value | null): Range<number> | null {
  if (value?.kind !== "atom" && value?.kind !== "range") return null;
  const first = portOf(value.kind === "atom" ? value.text : value.first);
  const last = portOf(value.kind === "atom" ? value.text : value.last);
  return first === null || last === null || first > last ? null : { first, last };
}

/** The words that end a translation; null where what stands there is none. */
function readFlags(cursor: Cursor): ReadonlySet<string> | null {
  const flags = new Set<string>();
  while (isAt(cursor, "random") || isAt(cursor, "fully-random") || isAt(cursor, "persistent")) {
    flags.add(peek(cursor));
    cursor.at++;
    accept(cursor, ",");
  }
  return atEnd(cursor) || isAt(cursor, "comment") ? flags : null;
}

/** `KEY map { … }`; undefined, and the cursor where it was, where no key stands here. */
function readMapped(
  cursor: Cursor,
  word: string,
  family: Family | null,
  find: FindSet,
): Step | null | undefined {
  const start = cursor.at;
  const isPort = accept(cursor, ":");
  const keys = readKeys(cursor);
  if (keys === null) {
    cursor.at = start;
    return undefined;
  }
  if (!accept(cursor, "map")) return null;
  const value = isAt(cursor, "{") ? readElements(cursor) : readValue(cursor);
  const flags = readFlags(cursor);
  const set = value?.kind === "named" ? find(value.name) : undefined;
  const elements = value?.kind === "elements" ? value.elements : set?.elements;
  if (!elements || flags === null || set?.uncertain) return null;
  const cases: Case[] = [];
  for (const { key, data, uncertain } of elements) {
    const target =
      data?.kind === "value" && !uncertain ? mappedTarget(data.value, isPort || word === "redirect") : null;
    const statement = target && natStatement(word, family, target, flags);
    const ways = partTests(keys, key, "", find);
    if (!statement || ways === null) return null;
    for (const matches of ways) cases.push({ matches, statement });
  }
  return { kind: "branch", cases };
}

/** `ADDRESS`, `ADDRESS . PORT`, or a port alone. */
function mappedTarget(value: Value, isPort: boolean): Target | null {
  if (isPort) {
    const ports = portsOf(value);
    return ports && { addresses: null, ports };
  }
  if (value.kind !== "concat") {
    const addresses = addressRange(value);
    return addresses && { addresses, ports: null };
  }
  const [address, port] = value.parts;
  const addresses = address ? addressRange(address) : null;
  const ports = portsOf(port ?? null);
  return value.parts.length === 2 && addresses && ports ? { addresses, ports } : null;
}

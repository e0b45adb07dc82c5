import type { Family } from "../../address/ranges.ts";
import type { Side } from "../../netfilter/ruleset.ts";
import { accept, type Cursor, isAt, kindAt, peek } from "./tokens.ts";
import { readRange, type Value } from "./values.ts";

/** What a test asks about. */
export type Key =
  /** With a mask, which only one of several keys has here: the address cut to the bits of that mask. */
  | { readonly kind: "address"; readonly side: Side; readonly family: Family; readonly mask?: Value }
  /** With a null protocol whatever stands where ports do, in packets of any protocol. */
  | { readonly kind: "port"; readonly side: Side; readonly protocol: number | null }
  /** Both ports as one number of 32 bits, which is how nft prints two tests that it made one. */
  | { readonly kind: "ports" }
  | { readonly kind: "protocol" }
  /** The protocol byte of an IPv4 header. */
  | { readonly kind: "protocol-4" }
  /** The first next-header byte of an IPv6 packet, which need not be the upper-layer protocol. */
  | { readonly kind: "next-header" }
  | { readonly kind: "family" }
  | { readonly kind: "ether-type" }
  | { readonly kind: "interface"; readonly side: "in" | "out"; readonly byIndex: boolean }
  | { readonly kind: "icmp-type" | "icmp-code"; readonly family: Family }
  | { readonly kind: "tcp-flags" }
  | { readonly kind: "state" }
  | { readonly kind: "status" }
  | { readonly kind: "address-type"; readonly side: Side }
  /** Something the model does not have, of packets of one family or protocol where those are given. */
  | { readonly kind: "unknown"; readonly family: Family | null; readonly protocol: number | null };

const UNKNOWN: Key = { kind: "unknown", family: null, protocol: null };

/** Words that `meta` may be left out before. */
const BARE_META: ReadonlySet<string> = new Set([
  "mark",
  "iif",
  "iifname",
  "iiftype",
  "iifgroup",
  "oif",
  "oifname",
  "oiftype",
  "oifgroup",
  "skuid",
  "skgid",
  "nftrace",
  "rtclassid",
  "pkttype",
  "cpu",
  "cgroup",
]);

const META: ReadonlySet<string> = new Set([
  ...BARE_META,
  "length",
  "nfproto",
  "l4proto",
  "protocol",
  "priority",
  "random",
  "ibrname",
  "obrname",
  "sdif",
  "sdifname",
  "time",
  "day",
  "hour",
  "secpath",
  "ipsec",
]);

/** Fields of headers that the model does not have, each one word behind the header's name. */
const OTHER_FIELDS: { readonly [header: string]: ReadonlySet<string> } = {
  ip: new Set(["version", "hdrlength", "dscp", "ecn", "length", "id", "frag-off", "ttl", "checksum"]),
  ip6: new Set(["version", "dscp", "ecn", "flowlabel", "length", "hoplimit"]),
  tcp: new Set(["sequence", "ackseq", "doff", "reserved", "window", "checksum", "urgptr"]),
  udp: new Set(["length", "checksum"]),
  udplite: new Set(["checksum"]),
  sctp: new Set(["vtag", "checksum"]),
  dccp: new Set(["type"]),
  ct: new Set(["mark", "direction", "expiration", "helper", "label", "zone", "id", "secmark"]),
};

const WITH_PORTS: { readonly [header: string]: number | null } = {
  tcp: 6,
  udp: 17,
  dccp: 33,
  sctp: 132,
  udplite: 136,
  th: null,
};

/** Reads what a test asks about, several things at once where dots part them; null where nothing known stands here. */
export function readKeys(cursor: Cursor): readonly Key[] | null {
  const start = cursor.at;
  const keys: Key[] = [];
  do {
    const key = readKey(cursor);
    if (key === null) {
      cursor.at = start;
      return null;
    }
    keys.push(key.kind === "address" ? maskedKey(cursor, key, keys.length > 0) : key);
  } while (accept(cursor, "."));
  return keys;
}

/** `ip saddr & 255.255.255.0` as one of several keys; the mask of a single key is left to the comparison. */
function maskedKey(cursor: Cursor, key: Key & { kind: "address" }, isOneOfSeveral: boolean): Key {
  const start = cursor.at;
  const mask = accept(cursor, "&") || accept(cursor, "and") ? readRange(cursor) : null;
  if (mask !== null && (isOneOfSeveral || isAt(cursor, "."))) return { ...key, mask };
  cursor.at = start;
  return key;
}

/** `@th,0,32`: bits behind the IP headers, where the ports are. */
function rawKey(cursor: Cursor): Key | null {
  if (peek(cursor) !== "@th" || !isAt(cursor, ",", 1) || !isAt(cursor, ",", 3)) return null;
  const bits = `${peek(cursor, 2)} ${peek(cursor, 4)}`;
  const key = RAW_PORTS.get(bits);
  if (key === undefined) return null;
  cursor.at += 5;
  return key;
}

const RAW_PORTS: ReadonlyMap<string, Key> = new Map<string, Key>([
  ["0 16", { kind: "port", side: "source", protocol: null }],
  ["16 16", { kind: "port", side: "destination", protocol: null }],
  ["0 32", { kind: "ports" }],
]);

function readKey(cursor: Cursor): Key | null {
  if (kindAt(cursor) === "set") return rawKey(cursor);
  if (kindAt(cursor) !== "word") return null;
  const header = peek(cursor);
  const field = kindAt(cursor, 1) === "word" ? peek(cursor, 1) : "";
  const take = (words: number, key: Key): Key => {
    cursor.at += words;
    return key;
  };
  if (header === "meta") return META.has(field) ? take(2, metaKey(field)) : null;
  if (BARE_META.has(header)) return take(1, metaKey(header));
  if (header === "fib") return fibKey(cursor);
  if (header === "icmp" || header === "icmpv6") {
    if (field !== "type" && field !== "code") return null;
    return take(2, { kind: `icmp-${field}`, family: header === "icmp" ? 4 : 6 });
  }
  const key = headerKey(header, field);
  return key === null ? null : take(2, key);
}

function headerKey(header: string, field: string): Key | null {
  if (Object.hasOwn(OTHER_FIELDS, header) && OTHER_FIELDS[header]!.has(field)) {
    const family = header === "ip" ? 4 : header === "ip6" ? 6 : null;
    return { kind: "unknown", family, protocol: WITH_PORTS[header] ?? null };
  }
  if (header === "ip" || header === "ip6") {
    const family = header === "ip" ? 4 : 6;
    if (field === "saddr") return { kind: "address", side: "source", family };
    if (field === "daddr") return { kind: "address", side: "destination", family };
    if (field === "protocol" && family === 4) return { kind: "protocol-4" };
    return field === "nexthdr" && family === 6 ? { kind: "next-header" } : null;
  }
  if (header === "ct" && (field === "state" || field === "status")) return { kind: field };
  if (header === "tcp" && field === "flags") return { kind: "tcp-flags" };
  if (Object.hasOwn(WITH_PORTS, header) && (field === "sport" || field === "dport"))
    return {
      kind: "port",
      side: field === "sport" ? "source" : "destination",
      protocol: WITH_PORTS[header]!,
    };
  return null;
}

function metaKey(field: string): Key {
  switch (field) {
    case "iifname":
    case "iif":
      return { kind: "interface", side: "in", byIndex: field === "iif" };
    case "oifname":
    case "oif":
      return { kind: "interface", side: "out", byIndex: field === "oif" };
    case "l4proto":
      return { kind: "protocol" };
    case "nfproto":
      return { kind: "family" };
    case "protocol":
      return { kind: "ether-type" };
    default:
      return UNKNOWN;
  }
}

/** `fib daddr type`; with an interface beside the address it is another question. */
function fibKey(cursor: Cursor): Key | null {
  let at = 1;
  const fields: string[] = [];
  do {
    if (kindAt(cursor, at) !== "word") return null;
    fields.push(peek(cursor, at));
    at++;
  } while (isAt(cursor, ".", at) && ++at);
  const asked = peek(cursor, at);
  if (kindAt(cursor, at) !== "word" || !["type", "oif", "oifname"].includes(asked)) return null;
  cursor.at += at + 1;
  if (asked !== "type" || fields.length !== 1) return UNKNOWN;
  if (fields[0] === "saddr") return { kind: "address-type", side: "source" };
  return fields[0] === "daddr" ? { kind: "address-type", side: "destination" } : UNKNOWN;
}

import { type Family, lastAddress, type Range } from "../../address/ranges.ts";
import type { MappedRule } from "../../netfilter/grouped.ts";
import type { Match, Side } from "../../netfilter/ruleset.ts";
import type { Entry, Extents } from "./lines.ts";

/** Fields that a tree halves by their bits. */
export type BitField = Exclude<keyof Extents, "protocol">;

/** A branch: the packets that pass a test, and the lines that can match them. */
export interface Bucket<R extends MappedRule> {
  readonly tests: readonly Match[];
  /** What the test tells of these packets. */
  readonly known: Partial<Extents>;
  readonly entries: readonly Entry<R>[];
}

export interface Partition<R extends MappedRule> {
  /** No packet passes the tests of two. */
  readonly buckets: readonly Bucket<R>[];
  /** Lines for the packets that pass none of the tests. */
  readonly others: readonly Entry<R>[];
}

/** One branch for each protocol that lines ask for. */
export function splitByProtocol<R extends MappedRule>(entries: readonly Entry<R>[]): Partition<R> {
  const protocols = new Set(entries.flatMap(({ extents }) => extents.protocol ?? []));
  return {
    buckets: [...protocols].map((protocol) => ({
      tests: [{ kind: "protocol", protocols: [protocol], negated: false }],
      known: { protocol },
      entries: entries.filter(({ extents }) => extents.protocol === null || extents.protocol === protocol),
    })),
    others: entries.filter(({ extents }) => extents.protocol === null),
  };
}

/** Part of the values of a field, all of whose first bits are equal, and the lines that can match some of them. */
interface Block<R extends MappedRule> {
  readonly first: bigint;
  /** Bits that differ within. */
  readonly bits: number;
  readonly entries: readonly Entry<R>[];
}

/**
 * At most `most` branches by the leading bits of a field: the fullest block is halved until there are as many. Halves that
 * no line asks for cost nothing, so values that lie close together part as well as others. `small`: blocks with so few
 * lines are left in one piece.
 */
export function splitByBits<R extends MappedRule>(
  entries: readonly Entry<R>[],
  field: BitField,
  family: Family,
  protocol: number | null,
  most: number,
  small: number,
): Partition<R> {
  const width = field === "source" || field === "destination" ? (family === 4 ? 32 : 128) : 16;
  let blocks: readonly Block<R>[] = [{ first: 0n, bits: width, entries }];
  while (blocks.length < most) {
    const fullest = blocks.reduce<Block<R> | null>(
      (best, block) =>
        block.bits > 0 && block.entries.length > Math.max(small, best?.entries.length ?? 0) ? block : best,
      null,
    );
    if (fullest === null) break;
    const halves = halved(fullest, field);
    blocks = blocks.flatMap((block) => (block === fullest ? halves : [block]));
  }
  return {
    buckets: blocks.map(({ first, bits, entries: within }) => {
      const range = { first, last: first + (1n << BigInt(bits)) - 1n };
      const known = { [field]: range, ...(protocol === null ? {} : { protocol }) };
      return { tests: testsOf(field, family, protocol, range), known, entries: within };
    }),
    others: [],
  };
}

function halved<R extends MappedRule>(
  { first, bits, entries }: Block<R>,
  field: BitField,
): readonly Block<R>[] {
  const middle = first + (1n << BigInt(bits - 1));
  const lower: Entry<R>[] = [];
  const upper: Entry<R>[] = [];
  for (const entry of entries) {
    const extent = entry.extents[field];
    if (extent === null || extent.first < middle) lower.push(entry);
    if (extent === null || extent.last >= middle) upper.push(entry);
  }
  const parts: readonly Block<R>[] = [
    { first, bits: bits - 1, entries: lower },
    { first: middle, bits: bits - 1, entries: upper },
  ];
  return parts.filter((part) => part.entries.length > 0);
}

function testsOf(
  field: BitField,
  family: Family,
  protocol: number | null,
  range: Range<bigint>,
): readonly Match[] {
  const side: Side = field === "source" || field === "sourcePort" ? "source" : "destination";
  if (field === "source" || field === "destination") {
    if (range.first === 0n && range.last === lastAddress(family)) return [];
    return [{ kind: "address", side, family, ranges: [range], name: null, negated: false }];
  }
  if (protocol === null) throw new Error("ports of no protocol");
  return [
    { kind: "protocol", protocols: [protocol], negated: false },
    {
      kind: "port",
      side,
      ports: [{ first: Number(range.first), last: Number(range.last) }],
      negated: false,
    },
  ];
}

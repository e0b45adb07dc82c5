import { type Family, lastAddress, type Range } from "../../address/ranges.ts";
import type { Match, RulesetRule, Side } from "../../netfilter/ruleset.ts";

/** A line of a chain with what it leaves of each field that a tree can branch by. */
export interface Entry {
  readonly rule: RulesetRule;
  readonly extents: Extents;
}

/** Null: the line matches packets with any value. A range may be wider than what the line matches, never narrower. */
export interface Extents {
  readonly protocol: number | null;
  readonly source: Range<bigint> | null;
  readonly destination: Range<bigint> | null;
  readonly sourcePort: Range<bigint> | null;
  readonly destinationPort: Range<bigint> | null;
}

/** Fields that a tree halves by their bits. */
export type BitField = Exclude<keyof Extents, "protocol">;

const ICMP: { readonly [family in Family]: number } = { 4: 1, 6: 58 };

export function extentsOf(matches: readonly Match[], family: Family): Extents {
  const extents: { -readonly [field in keyof Extents]: Extents[field] } = {
    protocol: null,
    source: null,
    destination: null,
    sourcePort: null,
    destinationPort: null,
  };
  for (const match of matches) {
    if (match.kind === "icmp") extents.protocol = ICMP[family];
    if (match.kind === "protocol" && !match.negated && match.protocols.length === 1)
      extents.protocol = match.protocols[0]!;
    if (match.kind === "address" && !match.negated)
      extents[match.side] = { first: match.ranges[0]!.first, last: match.ranges.at(-1)!.last };
    if (match.kind === "port" && !match.negated)
      extents[`${match.side}Port`] = {
        first: BigInt(match.ports[0]!.first),
        last: BigInt(match.ports.at(-1)!.last),
      };
  }
  return extents;
}

/** A branch: the packets that pass a test, and the lines that can match them. */
export interface Bucket {
  readonly tests: readonly Match[];
  /** The protocol of these packets, where the test settles it. */
  readonly protocol: number | null;
  readonly entries: readonly Entry[];
}

export interface Partition {
  /** No packet passes the tests of two. */
  readonly buckets: readonly Bucket[];
  /** Lines for the packets that pass none of the tests. */
  readonly others: readonly Entry[];
}

/** One branch for each protocol that lines ask for. */
export function splitByProtocol(entries: readonly Entry[]): Partition {
  const protocols = new Set(entries.flatMap(({ extents }) => extents.protocol ?? []));
  return {
    buckets: [...protocols].map((protocol) => ({
      tests: [{ kind: "protocol", protocols: [protocol], negated: false }],
      protocol,
      entries: entries.filter(({ extents }) => extents.protocol === null || extents.protocol === protocol),
    })),
    others: entries.filter(({ extents }) => extents.protocol === null),
  };
}

/** Part of the values of a field, all of whose first bits are equal, and the lines that can match some of them. */
interface Block {
  readonly first: bigint;
  /** Bits that differ within. */
  readonly bits: number;
  readonly entries: readonly Entry[];
}

/**
 * At most `most` branches by the leading bits of a field: the fullest block is halved until there are as many. Halves that
 * no line asks for cost nothing, so values that lie close together part as well as others. `small`: blocks with so few
 * lines are left in one piece.
 */
export function splitByBits(
  entries: readonly Entry[],
  field: BitField,
  family: Family,
  protocol: number | null,
  most: number,
  small: number,
): Partition {
  const width = field === "source" || field === "destination" ? (family === 4 ? 32 : 128) : 16;
  let blocks: readonly Block[] = [{ first: 0n, bits: width, entries }];
  while (blocks.length < most) {
    const fullest = blocks.reduce<Block | null>(
      (best, block) =>
        block.bits > 0 && block.entries.length > Math.max(small, best?.entries.length ?? 0) ? block : best,
      null,
    );
    if (fullest === null) break;
    const halves = halved(fullest, field);
    blocks = blocks.flatMap((block) => (block === fullest ? halves : [block]));
  }
  return {
    buckets: blocks.map(({ first, bits, entries: within }) => ({
      tests: testsOf(field, family, protocol, { first, last: first + (1n << BigInt(bits)) - 1n }),
      protocol: null,
      entries: within,
    })),
    others: [],
  };
}

function halved({ first, bits, entries }: Block, field: BitField): readonly Block[] {
  const half = 1n << BigInt(bits - 1);
  const middle = first + half;
  const parts = [
    {
      first,
      bits: bits - 1,
      entries: entries.filter(({ extents }) => (extents[field]?.first ?? 0n) < middle),
    },
    {
      first: middle,
      bits: bits - 1,
      entries: entries.filter(({ extents }) => extents[field] === null || extents[field].last >= middle),
    },
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

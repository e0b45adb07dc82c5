import type { Family } from "../../address/ranges.ts";
import type { MappedRule } from "../../netfilter/grouped.ts";
import { ANYTHING, type Entry, type Extents, entryOf, reachable } from "./lines.ts";
import { type BitField, type Partition, splitByBits, splitByProtocol } from "./partition.ts";
import { type Branch, type Plan, planOf, type Step } from "./plan.ts";

/** So many lines stand in a leaf of the tree. */
const LEAF = 8;
/**
 * Levels below the root. The kernel refuses chains that lead into each other more than 16 deep under iptables-nft
 * (NFT_JUMP_STACK_SIZE); a line of the tree may lead to a chain that is a tree itself.
 */
const MOST_LEVELS = 5;
/** Lines that a tree may have for each line that it replaces: a line that fits several branches stands in each. */
const MOST_COPIES = 4;

/** A place in the tree, and what is known of the packets that come there. */
interface Node<R extends MappedRule> {
  readonly entries: readonly Entry<R>[];
  readonly region: Extents;
  readonly level: number;
}

/**
 * A decision tree for lines that packets of one family meet: they are sent on by protocol, port or address until few lines
 * are left that can match them. Every line stands in each branch whose packets can come to it, in the old order, so nothing
 * needs to commute.
 */
export function treeOf<R extends MappedRule>(rules: readonly R[], family: Family): Plan<R> {
  let room = (MOST_COPIES - 1) * rules.length;

  const grow = ({ entries, region, level }: Node<R>): Plan<R> => {
    const split = entries.length > LEAF && level < MOST_LEVELS ? bestSplit(entries, region, family) : null;
    if (split === null || split.copies > room) return planOf(entries.map(lineOf));
    room -= split.copies;
    const branches = split.buckets.map(({ tests, known, entries: within }): Branch<R> => {
      const plan = grow({ entries: within, region: { ...region, ...known }, level: level + 1 });
      return { tests, rules: within.map(({ rule }) => rule), plan };
    });
    return planOf([{ kind: "branches", by: "goto", branches }, ...split.others.map(lineOf)]);
  };

  const entries = rules.map((rule) => entryOf(rule, family));
  return grow({ entries: reachable(entries, ANYTHING), region: ANYTHING, level: 0 });
}

function lineOf<R extends MappedRule>({ rule }: Entry<R>): Step<R> {
  return { kind: "line", rule };
}

/** Fields to branch by, the cheaper ones first: every line of iptables has addresses, ports take a match. */
const ADDRESS_FIELDS: readonly BitField[] = ["source", "destination"];
const PORT_FIELDS: readonly BitField[] = ["destinationPort", "sourcePort"];

/** A field that leaves the fullest branch so small a part of the lines is as good as any. */
const WELL = 4;

/** Branches of one node. More would make the tree flatter and each node longer. */
const BRANCHES = 8;

interface Split<R extends MappedRule> extends Partition<R> {
  /** Lines more than before. */
  readonly copies: number;
  /** Lines of the fullest branch. */
  readonly fullest: number;
}

/** The way to branch that leaves least to the fullest branch; null where none leaves much less than there is. */
function bestSplit<R extends MappedRule>(
  entries: readonly Entry<R>[],
  region: Extents,
  family: Family,
): Split<R> | null {
  const protocol = region.protocol ?? onlyProtocol(entries);
  let best: Split<R> | null = null;
  let least = (3 * entries.length) / 4;
  const consider = (partition: Partition<R>): void => {
    const split = counted(partition, region, entries.length);
    if (split.fullest > least || split.copies > entries.length) return;
    least = split.fullest;
    best = split;
  };
  const isPorted = protocol !== null && PORTED.has(protocol);
  // What parts well is not looked at twice.
  for (const field of [...ADDRESS_FIELDS, ...(isPorted ? PORT_FIELDS : [])])
    if (least > entries.length / WELL && isAsked(entries, field))
      consider(splitByBits(entries, field, family, field.endsWith("Port") ? protocol : null, BRANCHES, LEAF));
  if (best !== null || protocol !== null) return best;
  // Even where nearly all lines are for one protocol: below it they can be told apart by their ports.
  const byProtocol = counted(splitByProtocol(entries), region, entries.length);
  return byProtocol.buckets.length > 0 && byProtocol.copies <= entries.length / 2 ? byProtocol : null;
}

/** Leaves out of each branch what its packets never come to. */
function counted<R extends MappedRule>(partition: Partition<R>, region: Extents, before: number): Split<R> {
  const buckets = partition.buckets.map((bucket) => ({
    ...bucket,
    entries: reachable(bucket.entries, { ...region, ...bucket.known }),
  }));
  const sizes = [...buckets.map(({ entries }) => entries.length), partition.others.length];
  const copies = sizes.reduce((sum, size) => sum + size, 0) - before;
  return { ...partition, buckets, copies, fullest: Math.max(...sizes) };
}

function onlyProtocol<R extends MappedRule>(entries: readonly Entry<R>[]): number | null {
  const protocol = entries[0]?.extents.protocol ?? null;
  return entries.every(({ extents }) => extents.protocol === protocol) ? protocol : null;
}

/** TCP, UDP, DCCP, SCTP, UDP-Lite. */
const PORTED: ReadonlySet<number> = new Set([6, 17, 33, 132, 136]);

function isAsked<R extends MappedRule>(entries: readonly Entry<R>[], field: BitField): boolean {
  return entries.some(({ extents }) => extents[field] !== null);
}

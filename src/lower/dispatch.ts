import type { Family } from "../address/ranges.ts";
import type { GroupedRule } from "../netfilter/grouped.ts";
import type { Match, RulesetRule } from "../netfilter/ruleset.ts";
import { OWN_GROUP } from "./build.ts";
import { ANYTHING, type Entry, type Extents, extentsOf, reachable } from "./dispatch/lines.ts";
import { type BitField, type Partition, splitByBits, splitByProtocol } from "./dispatch/partition.ts";
import { commonOrigin } from "./group/origin.ts";

/** So many lines a packet may meet one after another before a tree is worth its chains. */
export const MOST_LINES = 32;
/** So many lines stand in a leaf of the tree. */
const LEAF = 8;
/**
 * Levels below the root. The kernel refuses chains that lead into each other more than 16 deep under iptables-nft
 * (NFT_JUMP_STACK_SIZE); a line of the tree may lead to a chain that is a tree itself.
 */
const MOST_LEVELS = 5;
/** Lines that a tree may have for each line that it replaces: a line that fits several branches stands in each. */
const MOST_COPIES = 4;

/** A line as it was, or one that leads on to others. */
export type Line<R extends GroupedRule> = R | RulesetRule;

/** Makes a chain, named after the group, and gives its name. */
export type AddChain<R extends GroupedRule> = (group: string, rules: readonly Line<R>[]) => string;

/**
 * The same lines of one chain as a decision tree where they are many: the packet is sent on by protocol, port or address
 * until few lines are left that can match it. Every line stands in each branch whose packets can come to it, in the old
 * order, so nothing needs to commute. Lines that act on the chain that they stand in, or that ask a limit, stay where
 * they are and part one tree from the next. `family`: of all packets that come here; null where packets of both do, which
 * are parted first.
 */
export function dispatch<R extends GroupedRule>(
  rules: readonly R[],
  family: Family | null,
  addChain: AddChain<R>,
): readonly Line<R>[] {
  if (rules.length <= MOST_LINES) return rules;
  // What every packet meets first, its state above all, stays in front.
  const head = Math.max(
    0,
    rules.findIndex(({ group }) => group !== OWN_GROUP),
  );
  const lines: Line<R>[] = head <= MOST_LINES ? rules.slice(0, head) : [];
  let run: R[] = [];
  const close = (): void => {
    for (const stretch of stretches(run, family ?? 4))
      lines.push(...(stretch.length > MOST_LINES ? parted(stretch, family, addChain) : stretch));
    run = [];
  };
  for (const rule of rules.slice(lines.length)) {
    if (isMovable(rule)) run.push(rule);
    else {
      close();
      lines.push(rule);
    }
  }
  close();
  return lines;
}

/** A tree for each family that the lines tell apart. */
function parted<R extends GroupedRule>(
  rules: readonly R[],
  family: Family | null,
  addChain: AddChain<R>,
): readonly Line<R>[] {
  const families = new Set(rules.map(familyOf));
  const isOne = family !== null || (families.size === 1 && families.has(null));
  const wanted = isOne ? [null] : ([4, 6] as const).filter((one) => families.has(one) || families.has(null));
  const parts = wanted.map((one) => {
    const some = one === null ? rules : rules.filter((rule) => (familyOf(rule) ?? one) === one);
    const tests: Match[] = one === null ? [] : [{ kind: "family", family: one }];
    return { some, tests, lines: tree(some, one ?? family ?? 4, addChain) };
  });
  if (parts.every(({ lines }) => lines === null)) return rules;
  // Within a tree no packet comes back to a chain that it left: so it is entered by the only jump.
  return parts.map(({ some, tests, lines }) => {
    const chain = addChain(some[0]!.group, lines ?? some);
    return { ...plainLine(tests, some), statement: { kind: "jump", chain } };
  });
}

/** The only family whose packets a line can match; null where it matches both. */
function familyOf({ matches }: GroupedRule): Family | null {
  for (const match of matches) {
    if ("family" in match) return match.family;
    if (match.kind === "tuple")
      for (const field of match.fields) if (field.kind === "address") return field.family;
  }
  return null;
}

/**
 * Parts a run of lines where a long stretch begins or ends that asks for the same fields throughout. Lines of two kinds in
 * one tree would stand in each other's branches; two trees, one after the other, cost a packet less.
 */
function stretches<R extends GroupedRule>(run: readonly R[], family: Family): readonly (readonly R[])[] {
  const kinds: R[][] = [];
  let last = "";
  for (const rule of run) {
    const kind = fieldsOf(rule, family);
    if (kind === last) kinds.at(-1)!.push(rule);
    else kinds.push([rule]);
    last = kind;
  }
  const found: R[][] = [];
  let isMixed = false;
  for (const lines of kinds) {
    const isLong = lines.length > MOST_LINES;
    if (!isLong && isMixed) for (const line of lines) found.at(-1)!.push(line);
    else found.push(lines);
    isMixed = !isLong;
  }
  return found;
}

function fieldsOf(rule: GroupedRule, family: Family): string {
  const extents = extentsOf(rule.matches, family);
  return Object.values(extents)
    .map((extent) => (extent === null ? "-" : "+"))
    .join("");
}

/** Whether a line means the same in a chain of its own, and may stand in several branches. */
function isMovable({ statement, matches }: GroupedRule): boolean {
  return (
    statement.kind !== "goto" && statement.kind !== "return" && matches.every(({ kind }) => kind !== "limit")
  );
}

/** A place in the tree, and what is known of the packets that come there. */
interface Node<R extends GroupedRule> {
  readonly entries: readonly Entry<R>[];
  readonly region: Extents;
  readonly level: number;
}

/** The first lines of the tree, in whose branches the others stand; null where it would be no shorter than the lines are. */
function tree<R extends GroupedRule>(
  rules: readonly R[],
  family: Family,
  addChain: AddChain<R>,
): readonly Line<R>[] | null {
  let room = (MOST_COPIES - 1) * rules.length;

  const linesOf = (node: Node<R>): readonly Line<R>[] => {
    const listed = node.entries.map(({ rule }) => rule);
    if (listed.length <= LEAF || node.level >= MOST_LEVELS) return listed;
    const split = bestSplit(node, family);
    if (split === null || split.copies > room) return listed;
    room -= split.copies;
    const branches = split.buckets.map(({ tests, known, entries }) => {
      const region = { ...node.region, ...known };
      const lines = linesOf({ entries, region, level: node.level + 1 });
      const chain = addChain(entries[0]!.rule.group, lines);
      const origins = entries.map(({ rule }) => rule);
      return { ...plainLine(tests, origins), statement: { kind: "goto" as const, chain } };
    });
    return [...branches, ...split.others.map(({ rule }) => rule)];
  };

  const entries = rules.map((rule) => ({ rule, extents: extentsOf(rule.matches, family) }));
  const lines = linesOf({ entries: reachable(entries, ANYTHING), region: ANYTHING, level: 0 });
  return lines.length >= rules.length ? null : lines;
}

/** A line that acts for many. */
function plainLine(matches: readonly Match[], rules: readonly GroupedRule[]): Omit<RulesetRule, "statement"> {
  return { matches, log: null, origin: commonOrigin(rules), group: "" };
}

/** Branches of one node. More would make the tree flatter and each node longer. */
const BRANCHES = 8;

interface Split<R extends GroupedRule> extends Partition<R> {
  /** Lines more than before. */
  readonly copies: number;
  /** Lines of the fullest branch. */
  readonly fullest: number;
}

/** The way to branch that leaves least to the fullest branch; null where none leaves much less than there is. */
function bestSplit<R extends GroupedRule>({ entries, region }: Node<R>, family: Family): Split<R> | null {
  const protocol = region.protocol ?? onlyProtocol(entries);
  let best: Split<R> | null = null;
  let least = (3 * entries.length) / 4;
  const consider = (partition: Partition<R>): void => {
    const split = counted(partition, region, entries.length);
    if (split.fullest > least || split.copies > entries.length) return;
    least = split.fullest;
    best = split;
  };
  if (protocol !== null && PORTED.has(protocol))
    for (const field of ["destinationPort", "sourcePort"] as const)
      if (isAsked(entries, field)) consider(splitByBits(entries, field, family, protocol, BRANCHES, LEAF));
  for (const field of ["source", "destination"] as const)
    if (isAsked(entries, field)) consider(splitByBits(entries, field, family, null, BRANCHES, LEAF));
  if (best !== null || protocol !== null) return best;
  // Even where nearly all lines are for one protocol: below it they can be told apart by their ports.
  const byProtocol = counted(splitByProtocol(entries), region, entries.length);
  return byProtocol.buckets.length > 0 && byProtocol.copies <= entries.length / 2 ? byProtocol : null;
}

/** Leaves out of each branch what its packets never come to. */
function counted<R extends GroupedRule>(partition: Partition<R>, region: Extents, before: number): Split<R> {
  const buckets = partition.buckets.map((bucket) => ({
    ...bucket,
    entries: reachable(bucket.entries, { ...region, ...bucket.known }),
  }));
  const sizes = [...buckets.map(({ entries }) => entries.length), partition.others.length];
  const copies = sizes.reduce((sum, size) => sum + size, 0) - before;
  return { ...partition, buckets, copies, fullest: Math.max(...sizes) };
}

function onlyProtocol<R extends GroupedRule>(entries: readonly Entry<R>[]): number | null {
  const protocol = entries[0]?.extents.protocol ?? null;
  return entries.every(({ extents }) => extents.protocol === protocol) ? protocol : null;
}

/** TCP, UDP, DCCP, SCTP, UDP-Lite. */
const PORTED: ReadonlySet<number> = new Set([6, 17, 33, 132, 136]);

function isAsked<R extends GroupedRule>(entries: readonly Entry<R>[], field: BitField): boolean {
  return entries.some(({ extents }) => extents[field] !== null);
}

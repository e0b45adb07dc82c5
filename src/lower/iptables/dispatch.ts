import type { Family } from "../../address/ranges.ts";
import type { Match, RulesetRule } from "../../netfilter/ruleset.ts";
import { OWN_GROUP } from "../build.ts";
import { commonOrigin } from "../group/origin.ts";
import {
  type BitField,
  type Entry,
  extentsOf,
  type Partition,
  splitByBits,
  splitByProtocol,
} from "./partition.ts";

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

/** Makes a chain, named after the group, and gives its name. */
export type AddChain = (group: string, rules: readonly RulesetRule[]) => string;

/**
 * The same lines of one chain, legal for iptables and of one family, as a decision tree where they are many: the packet is
 * sent on by protocol, port or address until few lines are left that can match it. Every line stands in each branch whose
 * packets it can match, in the old order, so nothing needs to commute. Lines that act on the chain that they stand in, or
 * that ask a limit, stay where they are and part one tree from the next.
 */
export function dispatch(
  rules: readonly RulesetRule[],
  family: Family,
  addChain: AddChain,
): readonly RulesetRule[] {
  if (rules.length <= MOST_LINES) return rules;
  // What every packet meets first, its state above all, stays in front.
  const head = Math.max(
    0,
    rules.findIndex(({ group }) => group !== OWN_GROUP),
  );
  const lines = head <= MOST_LINES ? rules.slice(0, head) : [];
  let run: RulesetRule[] = [];
  const close = (): void => {
    for (const stretch of stretches(run, family))
      lines.push(...(stretch.length > MOST_LINES ? tree(stretch, family, addChain) : stretch));
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

/**
 * Parts a run of lines where a long stretch begins or ends that asks for the same fields throughout. Lines of two kinds in
 * one tree would stand in each other's branches; two trees, one after the other, cost a packet less.
 */
function stretches(run: readonly RulesetRule[], family: Family): readonly (readonly RulesetRule[])[] {
  const kinds: RulesetRule[][] = [];
  let last = "";
  for (const rule of run) {
    const kind = fieldsOf(rule, family);
    if (kind === last) kinds.at(-1)!.push(rule);
    else kinds.push([rule]);
    last = kind;
  }
  const found: RulesetRule[][] = [];
  let isMixed = false;
  for (const lines of kinds) {
    const isLong = lines.length > MOST_LINES;
    if (!isLong && isMixed) for (const line of lines) found.at(-1)!.push(line);
    else found.push(lines);
    isMixed = !isLong;
  }
  return found;
}

function fieldsOf(rule: RulesetRule, family: Family): string {
  const extents = extentsOf(rule.matches, family);
  return Object.values(extents)
    .map((extent) => (extent === null ? "-" : "+"))
    .join("");
}

/** Whether a line means the same in a chain of its own, and may stand in several branches. */
function isMovable({ statement, matches }: RulesetRule): boolean {
  return (
    statement.kind !== "goto" && statement.kind !== "return" && matches.every(({ kind }) => kind !== "limit")
  );
}

/** A place in the tree, and what is known of the packets that come there. */
interface Node {
  readonly entries: readonly Entry[];
  /** The only protocol, where it is known. */
  readonly protocol: number | null;
  readonly level: number;
}

function tree(rules: readonly RulesetRule[], family: Family, addChain: AddChain): readonly RulesetRule[] {
  let room = (MOST_COPIES - 1) * rules.length;

  const linesOf = (node: Node): readonly RulesetRule[] => {
    const listed = node.entries.map(({ rule }) => rule);
    if (listed.length <= LEAF || node.level >= MOST_LEVELS) return listed;
    const split = bestSplit(node, family);
    if (split === null || split.copies > room) return listed;
    room -= split.copies;
    const branches = split.buckets.map(({ tests, protocol, entries }) => {
      const lines = linesOf({ entries, protocol: protocol ?? node.protocol, level: node.level + 1 });
      const chain = addChain(entries[0]!.rule.group, lines);
      return { ...plainLine(tests, entries), statement: { kind: "goto" as const, chain } };
    });
    return [...branches, ...split.others.map(({ rule }) => rule)];
  };

  const entries = rules.map((rule) => ({ rule, extents: extentsOf(rule.matches, family) }));
  const lines = linesOf({ entries, protocol: null, level: 0 });
  if (lines.length >= rules.length) return rules;
  // Within the tree no packet comes back to a chain that it left: so it is entered by the only jump.
  const chain = addChain(rules[0]!.group, lines);
  return [{ ...plainLine([], entries), statement: { kind: "jump", chain } }];
}

/** A line that acts for many. */
function plainLine(matches: readonly Match[], entries: readonly Entry[]): Omit<RulesetRule, "statement"> {
  return { matches, log: null, origin: commonOrigin(entries.map(({ rule }) => rule)), group: "" };
}

/** Branches of one node. More would make the tree flatter and each node longer. */
const BRANCHES = 8;

interface Split extends Partition {
  /** Lines more than before. */
  readonly copies: number;
}

/** The way to branch that leaves least to the fullest branch; null where none leaves much less than there is. */
function bestSplit(node: Node, family: Family): Split | null {
  const { entries } = node;
  const protocol = node.protocol ?? onlyProtocol(entries);
  let best: Split | null = null;
  let least = (3 * entries.length) / 4;
  const consider = (partition: Partition): void => {
    const split = counted(partition, entries.length);
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
  const byProtocol = counted(splitByProtocol(entries), entries.length);
  return byProtocol.buckets.length > 0 && byProtocol.copies <= entries.length / 2 ? byProtocol : null;
}

function counted(partition: Partition, before: number): Split & { readonly fullest: number } {
  const sizes = [...partition.buckets.map(({ entries }) => entries.length), partition.others.length];
  const copies = sizes.reduce((sum, size) => sum + size, 0) - before;
  return { ...partition, copies, fullest: Math.max(...sizes) };
}

function onlyProtocol(entries: readonly Entry[]): number | null {
  const protocol = entries[0]?.extents.protocol ?? null;
  return entries.every(({ extents }) => extents.protocol === protocol) ? protocol : null;
}

/** TCP, UDP, DCCP, SCTP, UDP-Lite. */
const PORTED: ReadonlySet<number> = new Set([6, 17, 33, 132, 136]);

function isAsked(entries: readonly Entry[], field: BitField): boolean {
  return entries.some(({ extents }) => extents[field] !== null);
}

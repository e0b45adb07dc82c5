import type { Family, PortRanges, Range } from "../../address/ranges.ts";
import { countElements, elementLengths, elementPrefixes } from "../../netfilter/ipset.ts";
import { MOST_LINES } from "../dispatch.ts";
import { LEAST_GROUPED } from "../group.ts";

/** When a list becomes a set. */
export interface SetCosts {
  /** Fewer rules of one shape stay a rule a line, for their reader's sake. What one rule names together is a list anyway. */
  readonly least: number;
  /** Lines of plain tests that asking a set takes a packet as long as. */
  readonly asking: number;
  /** The same for each prefix length that it is asked for: of few elements, which stay in the processor's caches, and of many. */
  readonly length: number;
  readonly coldLength: number;
}

/**
 * Measured on the kernel of reference: asking a set takes 150 to 190 ns, and for each prefix length 30 to 40 ns, or some 160
 * where there are a hundred thousand elements; a line that tests an address 8 ns under iptables-legacy and 28 ns under
 * iptables-nft, one that tests a port 28 ns under both. One script is for both.
 */
export const MEASURED_COSTS: SetCosts = { least: LEAST_GROUPED, asking: 8, length: 2, coldLength: 8 };

/** Elements that are few. */
const FEW_ELEMENTS = 16_384;

/** Branches of a node of a tree, and lines of a leaf: what a packet meets on each level. */
const LEVEL = 8;

/** Ports of one `multiport`, of which a range takes two. */
const PORTS_OF_A_LINE = 15;

/** Whether a packet is through sooner with a set of some addresses than with as many lines, or a tree of them. */
export function isWorthASet(family: Family, ranges: readonly Range<bigint>[], costs: SetCosts): boolean {
  if (ranges.length < 2) return false;
  const prefixes = ranges.flatMap((range) => elementPrefixes(family, range));
  const lengths = elementLengths(prefixes);
  const isFew = countElements(prefixes, lengths) <= FEW_ELEMENTS;
  const length = isFew ? costs.length : costs.coldLength;
  return costs.asking + length * lengths.length <= linesMet(ranges.length);
}

/** Whether a packet is through sooner with a set of some ports than with lines of them. */
export function isWorthASetOfPorts(ports: PortRanges, costs: SetCosts): boolean {
  if (ports.length < 2) return false;
  return costs.asking <= linesMet(linesOfPorts(ports));
}

/** Lines that some ports take without a set. */
export function linesOfPorts(ports: PortRanges): number {
  const numbers = ports.reduce((sum, { first, last }) => sum + (first === last ? 1 : 2), 0);
  return Math.ceil(numbers / PORTS_OF_A_LINE);
}

/** Lines of so many that a packet meets at most, one after the other or in a tree. */
function linesMet(lines: number): number {
  if (lines <= MOST_LINES) return lines;
  return LEVEL * (1 + Math.ceil(Math.log(lines / LEVEL) / Math.log(LEVEL)));
}

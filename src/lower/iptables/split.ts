import {
  type AddressRanges,
  complementAddresses,
  complementPorts,
  type Family,
  type PortRanges,
} from "../../address/ranges.ts";
import type { GroupedMatch } from "../../netfilter/grouped.ts";
import { PROTOCOLS_OF_BITMAPS } from "../../netfilter/ipset.ts";
import type { AddressType, LimitMatch, Match, Side } from "../../netfilter/ruleset.ts";
import { isWorthASet, isWorthASetOfPorts, type SetCosts } from "../ipset/cost.ts";
import type { Addresses, AddressTypes, Conjunction } from "./conjunction.ts";
import type { Devices } from "./devices.ts";

/** Tests that stand in one line. */
export type Tests = readonly GroupedMatch[];

/** A conjunction cut into what one line of iptables can say. */
export interface Split {
  /** Tests that every line can make at once. */
  readonly fixed: Tests;
  /** Of each choice the packet must pass one alternative, and can pass one only. */
  readonly choices: readonly (readonly Tests[])[];
  /** Of each exclusion the packet must pass none. */
  readonly exclusions: readonly (readonly Tests[])[];
  /** Asked last, and once: asking takes a token. */
  readonly limits: readonly LimitMatch[];
  /** The protocols that can pass, where the tests name them. */
  readonly protocols: readonly number[];
}

/** Ports that one `multiport` takes; a range counts for two. */
const MULTIPORT_SLOTS = 15;

/**
 * Cuts a conjunction into lines. Every alternative can be printed by `emit/iptables.ts`. `sets`: when a list of addresses
 * or ports is one line that asks a set; null: never.
 */
export function splitConjunction(all: Conjunction, family: Family, sets: SetCosts | null): Split {
  const parts = [
    deviceParts("in", all.in),
    deviceParts("out", all.out),
    addressParts("source", all.source, family, sets),
    addressParts("destination", all.destination, family, sets),
    ...transportParts(all, family, sets),
    typeParts("source", all.sourceType, family),
    typeParts("destination", all.destinationType, family),
  ];
  const fixed: GroupedMatch[] = [...all.tuples];
  if (all.states) fixed.push({ kind: "state", states: all.states, negated: false });
  if (all.dnat) fixed.push({ kind: "dnat-status" });
  return {
    fixed: [...parts.flatMap((part) => (part.among?.length === 1 ? part.among[0]! : [])), ...fixed],
    choices: parts.flatMap(({ among }) => (among && among.length > 1 ? [among] : [])),
    exclusions: parts.flatMap(({ except }) => (except.length > 0 ? [except] : [])),
    limits: all.limits,
    protocols: all.protocols ?? [],
  };
}

/** One of `among` (null: anything), and none of `except`. */
interface Part {
  readonly among: readonly Tests[] | null;
  readonly except: readonly Tests[];
}

const anything: Part = { among: null, except: [] };

function deviceParts(side: "in" | "out", { among, except }: Devices): Part {
  const test = (device: string, negated: boolean): Tests => [
    { kind: "interface", side, devices: [device], negated },
  ];
  // A line has room for one device, so a single exclusion fits only where nothing else is asked.
  if (!among && except.length === 1) return { among: [test(except[0]!, true)], except: [] };
  return {
    among: among?.map((device) => test(device, false)) ?? null,
    except: except.map((device) => test(device, false)),
  };
}

/**
 * Says a set of addresses as the rule does, by what is in it or by what is not; the other way where that is one line.
 * A range that is no prefix is one line as well, by `iprange`.
 */
function addressParts(side: Side, addresses: Addresses | null, family: Family, sets: SetCosts | null): Part {
  if (!addresses) return anything;
  const { ranges, byOthers, name } = addresses;
  const test = (range: AddressRanges[number], negated: boolean): Tests => [
    { kind: "address", side, family, ranges: [range], name: null, negated },
  ];
  const others = complementAddresses(ranges, family);
  if (others.length === 1 && (byOthers || ranges.length > 1)) {
    return { among: [test(others[0]!, true)], except: [] };
  }
  const named = byOthers ? others : ranges;
  if (sets && isWorthASet(family, named, sets))
    return {
      among: [[{ kind: "address", side, family, ranges: named, name, negated: byOthers }]],
      except: [],
    };
  return byOthers && ranges.length > 1
    ? { among: null, except: others.map((range) => test(range, false)) }
    : { among: ranges.map((range) => test(range, false)), except: [] };
}

/**
 * On IPv6 `addrtype` ands MULTICAST with whatever else a list names (`match_type6` in the kernel's xt_addrtype.c), and a
 * list that no address can meet is a test that never holds: so multicast stands in a list of its own.
 */
function typeParts(side: Side, types: AddressTypes | null, family: Family): Part {
  if (!types) return anything;
  const test = (some: readonly AddressType[]): Match => ({
    kind: "address-type",
    side,
    types: some,
    negated: types.negated,
  });
  const others = types.types.filter((type) => type !== "multicast");
  const mixed = family === 6 && others.length > 0 && others.length < types.types.length;
  if (!mixed) return { among: [[test(types.types)]], except: [] };
  const lists = [test(others), test(["multicast"])];
  return { among: types.negated ? [lists] : lists.map((list) => [list]), except: [] };
}

/** Ports mean nothing without their protocol, so lines that ask for one carry the other. */
function transportParts(all: Conjunction, family: Family, sets: SetCosts | null): readonly Part[] {
  if (all.icmp) {
    return [{ among: all.icmp.map((type) => [{ kind: "icmp", family, types: [type] }]), except: [] }];
  }
  const protocol = (number: number, negated: boolean): Match => ({
    kind: "protocol",
    protocols: [number],
    negated,
  });
  if (!all.protocols) {
    if (all.sourcePorts || all.destinationPorts) throw new Error("ports of no protocol");
    const [first, ...more] = all.otherProtocols;
    if (first === undefined) return [];
    if (more.length === 0) return [{ among: [[protocol(first, true)]], except: [] }];
    return [{ among: null, except: all.otherProtocols.map((number) => [protocol(number, false)]) }];
  }
  const opening: Tests = all.opening === null ? [] : [{ kind: "opening", negated: !all.opening }];
  const inSet = all.protocols.every((number) => PROTOCOLS_OF_BITMAPS.has(number));
  const ofPorts = inSet ? sets : null;
  const sources = portTests("source", all.sourcePorts, ofPorts);
  const destinations = portTests("destination", all.destinationPorts, ofPorts);
  const both = sources.length > 1 && destinations.length > 1;
  const [only, ...others] = all.protocols;
  if (both && only !== undefined && others.length === 0) {
    return [
      { among: sources.map((ports) => [protocol(only, false), ...ports, ...opening]), except: [] },
      { among: destinations.map((ports) => [protocol(only, false), ...ports]), except: [] },
    ];
  }
  const among = all.protocols.flatMap((number) =>
    sources.flatMap((from) =>
      destinations.map((to) => [protocol(number, false), ...from, ...to, ...opening]),
    ),
  );
  return [{ among, except: [] }];
}

/**
 * Some ports as alternatives, each of which fits into one `multiport`, or into a set; a lone empty one where any port will
 * do.
 */
function portTests(side: Side, ports: PortRanges | null, sets: SetCosts | null): readonly Tests[] {
  if (!ports) return [[]];
  const others = complementPorts(ports);
  if (slots(others) < slots(ports) && slots(others) <= MULTIPORT_SLOTS) {
    return [[{ kind: "port", side, ports: others, negated: true }]];
  }
  if (sets && isWorthASetOfPorts(ports, sets)) return [[{ kind: "port", side, ports, negated: false }]];
  return chunks(ports).map((chunk) => [{ kind: "port", side, ports: chunk, negated: false }]);
}

function chunks(ports: PortRanges): readonly PortRanges[] {
  const found: PortRanges[number][][] = [];
  let free = 0;
  for (const range of ports) {
    const size = slots([range]);
    if (size > free) {
      found.push([]);
      free = MULTIPORT_SLOTS;
    }
    found.at(-1)!.push(range);
    free -= size;
  }
  return found;
}

function slots(ports: PortRanges): number {
  return ports.reduce((sum, { first, last }) => sum + (first === last ? 1 : 2), 0);
}

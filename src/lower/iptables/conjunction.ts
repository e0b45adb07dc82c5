import {
  type AddressRanges,
  complementAddresses,
  complementPorts,
  type Family,
  intersectRanges,
  type PortRanges,
} from "../../address/ranges.ts";
import type { GroupedMatch, GroupedRule, TupleMatch } from "../../netfilter/grouped.ts";
import type { AddressType, Hook, IcmpMatch, LimitMatch, State } from "../../netfilter/ruleset.ts";
import { allDevices, type Devices, narrowDevices } from "./devices.ts";

/**
 * The tests of a rule with everything on one field brought together: what one packet of one family must be. A null
 * field is not looked at. Sets of ports and addresses are never negated here; how to say them is decided later.
 */
export interface Conjunction {
  in: Devices;
  out: Devices;
  protocols: readonly number[] | null;
  /** Looked at only where `protocols` is null. */
  otherProtocols: readonly number[];
  sourcePorts: PortRanges | null;
  destinationPorts: PortRanges | null;
  icmp: readonly IcmpMatch[] | null;
  opening: boolean | null;
  source: Addresses | null;
  destination: Addresses | null;
  sourceType: AddressTypes | null;
  destinationType: AddressTypes | null;
  states: readonly State[] | null;
  dnat: boolean;
  readonly tuples: TupleMatch[];
  readonly limits: LimitMatch[];
}

export interface Addresses {
  readonly ranges: AddressRanges;
  /** Whether the rule names the addresses that are not among them. */
  readonly byOthers: boolean;
  /** The declared name of what the rule names; null where it was written in place, or is what several tests leave. */
  readonly name: string | null;
}

/** Types that a packet's address must have, or must not have. */
export interface AddressTypes {
  readonly types: readonly AddressType[];
  readonly negated: boolean;
}

const EVERY_STATE: readonly State[] = ["established", "related", "new", "invalid", "untracked"];
const ICMP: { readonly [family in Family]: number } = { 4: 1, 6: 58 };
const TCP = 6;

/**
 * Brings the tests of a rule together; null when no packet of the family can pass them at that hook. `hook` is null in
 * a chain that rules jump to, where it is not known.
 */
export function conjunctionOf(rule: GroupedRule, family: Family, hook: Hook | null): Conjunction | null {
  const all: Conjunction = {
    in: allDevices,
    out: allDevices,
    protocols: null,
    otherProtocols: [],
    sourcePorts: null,
    destinationPorts: null,
    icmp: null,
    opening: null,
    source: null,
    destination: null,
    sourceType: null,
    destinationType: null,
    states: null,
    dnat: false,
    tuples: [],
    limits: [],
  };
  const { statement } = rule;
  if ((statement.kind === "snat" || statement.kind === "dnat") && statement.family !== family) return null;
  for (const match of rule.matches) if (!narrow(all, match, family, hook)) return null;
  return settle(all, family) ? all : null;
}

/** Adds one test; false when nothing is left. */
function narrow(all: Conjunction, match: GroupedMatch, family: Family, hook: Hook | null): boolean {
  switch (match.kind) {
    case "family":
      return match.family === family;
    case "address": {
      if (match.family !== family) return false;
      const ranges = match.negated ? complementAddresses(match.ranges, family) : match.ranges;
      const known = all[match.side];
      const common = known ? intersectRanges(known.ranges, ranges) : ranges;
      const byOthers = match.negated && known?.byOthers !== false;
      all[match.side] = { ranges: common, byOthers, name: known ? null : match.name };
      return common.length > 0;
    }
    case "address-type": {
      const field = match.side === "source" ? "sourceType" : "destinationType";
      all[field] = narrowTypes(all[field], match);
      return all[field].negated || all[field].types.length > 0;
    }
    case "interface": {
      // Where the kernel knows no such device, its name is empty: only `*` matches that.
      if (hook !== null && !knownDevices[hook].includes(match.side)) {
        return match.negated !== match.devices.includes("*");
      }
      const narrowed = narrowDevices(all[match.side], match);
      if (narrowed === null) return false;
      all[match.side] = narrowed;
      return true;
    }
    case "protocol":
      if (match.negated) all.otherProtocols = union(all.otherProtocols, match.protocols);
      else narrowProtocols(all, match.protocols);
      return true;
    case "port": {
      const field = match.side === "source" ? "sourcePorts" : "destinationPorts";
      const ports = match.negated ? complementPorts(match.ports) : match.ports;
      all[field] = intersectRanges(all[field] ?? [{ first: 0, last: 65535 }], ports);
      return all[field].length > 0;
    }
    case "icmp":
      if (match.family !== family) return false;
      narrowProtocols(all, [ICMP[family]]);
      all.icmp = all.icmp ? commonTypes(all.icmp, match.types) : withoutDoubles(match.types);
      return all.icmp.length > 0;
    case "opening":
      narrowProtocols(all, [TCP]);
      if (all.opening === match.negated) return false;
      all.opening = !match.negated;
      return true;
    case "state":
      all.states = (all.states ?? EVERY_STATE).filter(
        (state) => match.states.includes(state) !== match.negated,
      );
      return all.states.length > 0;
    case "dnat-status":
      all.dnat = true;
      return true;
    case "tuple":
      all.tuples.push(match);
      return match.fields.every((field) => field.kind !== "address" || field.family === family);
    case "limit":
      all.limits.push(match);
      return true;
  }
}

/** Which devices the kernel knows where. */
const knownDevices: { readonly [hook in Hook]: readonly ("in" | "out")[] } = {
  prerouting: ["in"],
  input: ["in"],
  forward: ["in", "out"],
  output: ["out"],
  postrouting: ["out"],
};

/** Drops what is no condition any more; false when nothing is left. */
function settle(all: Conjunction, family: Family): boolean {
  if (all.protocols) {
    all.protocols = all.protocols.filter((protocol) => !all.otherProtocols.includes(protocol));
    all.otherProtocols = [];
    if (all.protocols.length === 0) return false;
  }
  for (const side of ["source", "destination"] as const) {
    if (all[side] && complementAddresses(all[side].ranges, family).length === 0) all[side] = null;
    const field = `${side}Type` as const;
    // IPv6 has no broadcast addresses, and ip6tables refuses to ask for them.
    if (family === 6 && all[field]) {
      all[field] = { ...all[field], types: all[field].types.filter((type) => type !== "broadcast") };
    }
    if (all[field]?.types.length === 0) {
      if (!all[field].negated) return false;
      all[field] = null;
    }
    const ports = `${side}Ports` as const;
    if (all[ports] && complementPorts(all[ports]).length === 0) all[ports] = null;
  }
  if (all.states?.length === EVERY_STATE.length) all.states = null;
  return true;
}

function narrowProtocols(all: Conjunction, protocols: readonly number[]): void {
  const known = all.protocols ?? protocols;
  all.protocols = [...new Set(protocols)].filter((protocol) => known.includes(protocol));
}

/** Types besides these four exist, so what is not among some of them cannot be said by naming the others. */
function narrowTypes(known: AddressTypes | null, { types, negated }: AddressTypes): AddressTypes {
  if (!known) return { types: [...new Set(types)], negated };
  if (known.negated && negated) return { types: union(known.types, types), negated };
  const wanted = known.negated ? types : known.types;
  const other = known.negated ? known : { types, negated };
  return { types: wanted.filter((type) => other.types.includes(type) !== other.negated), negated: false };
}

function commonTypes(a: readonly IcmpMatch[], b: readonly IcmpMatch[]): readonly IcmpMatch[] {
  const common = a.flatMap((x) =>
    b
      .filter((y) => x.type === y.type && (x.code === null || y.code === null || x.code === y.code))
      .map((y) => ({ type: x.type, code: x.code ?? y.code })),
  );
  return withoutDoubles(common);
}

/** A pair beside the same type with every code says nothing, and would let a packet match twice. */
function withoutDoubles(types: readonly IcmpMatch[]): readonly IcmpMatch[] {
  return types.filter(
    ({ type, code }, index) =>
      !types.some(
        (other, at) => other.type === type && (other.code === code ? at < index : other.code === null),
      ),
  );
}

function union<T>(a: readonly T[], b: readonly T[]): readonly T[] {
  return [...new Set([...a, ...b])];
}

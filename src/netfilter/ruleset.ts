import type { AddressRanges, Family, PortRanges, Range } from "../address/ranges.ts";

/**
 * A ruleset as data: what the lowering builds, what `emit/` prints and what `read/` reads back. One ruleset serves both
 * families; a rule that speaks of one family's addresses or ICMP matches packets of that family only.
 */
export interface Ruleset {
  /** Base chains first, in the order in which a packet meets them; then the chains that rules jump to. */
  readonly chains: readonly Chain[];
}

export type TableName = "raw" | "nat" | "filter";
export type Hook = "prerouting" | "input" | "forward" | "output" | "postrouting";

export interface Chain {
  readonly table: TableName;
  /** Unique within its table. */
  readonly name: string;
  /** Where the kernel calls it; null for a chain that rules jump to. */
  readonly base: { readonly hook: Hook; readonly policy: "accept" | "drop" } | null;
  readonly rules: readonly RulesetRule[];
}

/** Matches every packet that all its matches match. */
export interface RulesetRule {
  readonly matches: readonly Match[];
  /** The packet is logged before the statement acts; null where it is not. */
  readonly log: { readonly prefix: string } | null;
  readonly statement: Statement;
  /** `policy.yaml:23 memcached`. It may hold anything a policy name may hold: printers must make it harmless. */
  readonly origin: string;
  /** Rules of one group stand together under this heading. The same caution holds. */
  readonly group: string;
}

export type Side = "source" | "destination";

/** The connection-tracking states of a packet; exactly one holds. */
export type State = "new" | "established" | "related" | "invalid" | "untracked";

/** What the routing table says an address is. */
export type AddressType = "local" | "broadcast" | "anycast" | "multicast";

export type Match =
  | { readonly kind: "family"; readonly family: Family }
  | AddressMatch
  /** `fib daddr type`, `-m addrtype`. A type that a family does not have never holds there. */
  | {
      readonly kind: "address-type";
      readonly side: Side;
      readonly types: readonly AddressType[];
      readonly negated: boolean;
    }
  /** A trailing `*` stands for every device that starts so. */
  | {
      readonly kind: "interface";
      readonly side: "in" | "out";
      readonly devices: readonly string[];
      readonly negated: boolean;
    }
  /** The upper-layer protocol, whatever IPv6 extension headers stand before it. */
  | { readonly kind: "protocol"; readonly protocols: readonly number[]; readonly negated: boolean }
  /** Only beside a protocol match that is not negated and names nothing but protocols with ports. */
  | { readonly kind: "port"; readonly side: Side; readonly ports: PortRanges; readonly negated: boolean }
  /** ICMP for family 4, ICMPv6 for family 6. Implies family and protocol; never negated. */
  | { readonly kind: "icmp"; readonly family: Family; readonly types: readonly IcmpMatch[] }
  /** TCP with SYN and without ACK. Only beside a protocol match for TCP alone. Negated: any other TCP packet. */
  | { readonly kind: "opening"; readonly negated: boolean }
  | { readonly kind: "state"; readonly states: readonly State[]; readonly negated: boolean }
  /** The packet's connection has its destination translated. */
  | { readonly kind: "dnat-status" }
  | LimitMatch;

export interface AddressMatch {
  readonly kind: "address";
  readonly side: Side;
  readonly family: Family;
  /** Not empty. Matches on one declared name share one array, so a printer can print one set for all of them. */
  readonly ranges: AddressRanges;
  /** The declared name of these addresses; null where they were written in place. */
  readonly name: string | null;
  readonly negated: boolean;
}

/** A null code is every code. */
export interface IcmpMatch {
  readonly type: number;
  readonly code: number | null;
}

/** A token bucket. Evaluated last, because asking takes a token. */
export interface LimitMatch {
  readonly kind: "limit";
  readonly count: number;
  readonly unit: "second" | "minute" | "hour" | "day";
  /** Packets. */
  readonly burst: number;
}

export type Statement =
  | { readonly kind: "accept" }
  | { readonly kind: "drop" }
  /** A TCP reset, or ICMP port-unreachable. With `tcp-reset` only beside a protocol match for TCP alone. */
  | { readonly kind: "reject"; readonly with: "tcp-reset" | "port-unreachable" }
  /** Leaves the packet untracked and accepts it as far as this chain is concerned. Raw table only. */
  | { readonly kind: "notrack" }
  | { readonly kind: "jump"; readonly chain: string }
  | { readonly kind: "goto"; readonly chain: string }
  | { readonly kind: "return" }
  /** Ports only beside a protocol match that names nothing but protocols with ports. */
  | { readonly kind: "masquerade"; readonly ports: Range<number> | null; readonly random: boolean }
  | {
      readonly kind: "snat";
      readonly family: Family;
      readonly addresses: Range<bigint>;
      readonly ports: Range<number> | null;
      readonly random: boolean;
    }
  | {
      readonly kind: "dnat";
      readonly family: Family;
      readonly addresses: Range<bigint>;
      readonly ports: Range<number> | null;
    }
  | { readonly kind: "redirect"; readonly ports: Range<number> };

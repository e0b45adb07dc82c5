import type { AddressRanges, Family, PortRanges, Range } from "../address/ranges.ts";
import type { Defaults, IcmpType, TimeUnit } from "../language/ast.ts";
import type { Source, Span } from "../source/source.ts";

/** A policy with every name resolved: what the evaluator, the lowering and the checks work on. */
export interface Policy {
  readonly source: Source;
  /** The rules of all policies in document order, mirrors of `symmetricAllow` in their places. First match wins. */
  readonly rules: readonly Rule[];
  readonly sourceNat: readonly SourceNat[];
  readonly destinationNat: readonly DestinationNat[];
  readonly defaults: Defaults;
  readonly essentials: boolean;
  /** What `self` is; null: whatever the kernel delivers to this host. */
  readonly self: AddressSet | null;
}

/** A set of addresses of both families. One declared name is one object, wherever it is used. */
export interface AddressSet {
  /** The declared name, where the set is exactly one name; null for what is written in place. */
  readonly name: string | null;
  readonly v4: AddressRanges;
  readonly v6: AddressRanges;
}

/** One end of a packet: a condition on its address. */
export interface Peer {
  /** The condition holds for what is *not* in the rest. */
  readonly negated: boolean;
  /** `any` is among the addresses. */
  readonly any: boolean;
  /** `self` is among the addresses. */
  readonly self: boolean;
  readonly addresses: AddressSet;
}

/** A kind of traffic; a rule matches any of its list. */
export interface Traffic {
  /** IANA protocol number; null for every protocol. ICMP of both families is two entries. */
  readonly protocol: number | null;
  /** Set where the protocol belongs to one family (ICMP, ICMPv6); null for both. */
  readonly family: Family | null;
  readonly icmp: IcmpType | null;
  /** Null for every port; set only with a protocol that has ports. */
  readonly sourcePorts: PortRanges | null;
  readonly destinationPorts: PortRanges | null;
}

/** Devices; a trailing `*` stands for every device that starts so. */
export interface Interfaces {
  readonly negated: boolean;
  readonly devices: readonly string[];
}

/** What a packet must be. `in` excludes packets this host sends, `out` those it receives. */
export interface Match {
  readonly traffic: readonly Traffic[];
  readonly source: Peer;
  readonly destination: Peer;
  readonly in: Interfaces | null;
  readonly out: Interfaces | null;
  /**
   * An opening is a TCP packet with SYN and without ACK. `only`: openings only; `never`: every packet, of whatever
   * protocol, that is none; `any`: no matter.
   */
  readonly openings: "any" | "only" | "never";
}

export interface Limit {
  readonly count: number;
  readonly unit: TimeUnit;
  readonly burst: number;
}

export interface Rule {
  readonly action: "allow" | "deny" | "reject";
  /** False for the rules of a `doNotTrack` policy. */
  readonly tracked: boolean;
  readonly match: Match;
  readonly limit: Limit | null;
  /** The log prefix; null where nothing is logged. */
  readonly log: string | null;
  readonly origin: Origin;
}

/** Where a rule comes from. */
export interface Origin {
  /** Name of the policy, `nat` for NAT sentences. As written: it may hold anything. */
  readonly policy: string;
  /** The sentence. */
  readonly span: Span;
  /**
   * What `symmetricAllow` adds: `replies`, the way back without TCP openings; `mirror`, the way back with them;
   * `mirror-guard`, the deny of TCP openings.
   */
  readonly role: "written" | "replies" | "mirror" | "mirror-guard";
}

/** `masquerade` (pool null: the address of the outgoing interface) and `snat`. `in` is never set: see `language/`. */
export interface SourceNat {
  readonly match: Match;
  readonly pool: NatTarget | null;
  readonly masquerade: boolean;
  readonly ports: Range<number> | null;
  /** Ports are drawn fully at random. */
  readonly random: boolean;
  readonly origin: Origin;
}

/** `redirect` (target null: this host) and `dnat`. `match.out` is never set. */
export interface DestinationNat {
  readonly match: Match;
  readonly target: NatTarget | null;
  readonly redirect: boolean;
  readonly ports: Range<number> | null;
  readonly origin: Origin;
}

/** One contiguous range of addresses for each family that the sentence translates. */
export interface NatTarget {
  readonly v4: Range<bigint> | null;
  readonly v6: Range<bigint> | null;
}

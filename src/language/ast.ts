import type { Family } from "../address/ranges.ts";
import type { Source, Span } from "../source/source.ts";

/**
 * A policy file as it was written: values are checked one by one, names are not resolved yet. Every node knows the
 * words it came from.
 */
export interface Document {
  readonly source: Source;
  readonly interfaces: readonly InterfaceDeclaration[];
  readonly addresses: readonly AddressDeclaration[];
  readonly services: readonly ServiceDeclaration[];
  /** `host.addresses`; null where the file leaves it out and `self` is what the kernel delivers to this host. */
  readonly hostAddresses: readonly AddressNode[] | null;
  readonly defaults: Defaults;
  readonly essentials: boolean;
  readonly policies: readonly PolicyNode[];
  readonly nat: readonly NatNode[];
}

export type Verdict = "allow" | "deny";

/** What becomes of a packet that no rule matches, by path. */
export interface Defaults {
  readonly input: Verdict;
  readonly forward: Verdict;
  readonly output: Verdict;
}

/** A word and where it stands. */
export interface Word {
  readonly text: string;
  readonly span: Span;
}

export interface InterfaceDeclaration {
  readonly name: Word;
  /** Device names; a trailing `*` stands for every device that starts so. */
  readonly devices: readonly Word[];
}

export interface AddressDeclaration {
  readonly name: Word;
  /** The members that stand in the policy file or in the address file it names. */
  readonly members: readonly AddressNode[];
}

export interface ServiceDeclaration {
  readonly name: Word;
  readonly members: readonly TrafficNode[];
}

export interface PolicyNode {
  readonly name: Word;
  readonly doNotTrack: boolean;
  /** `false`; `replies` (written `true`) limits the TCP mirror to replies; `both` mirrors without that limit. */
  readonly symmetricAllow: false | "replies" | "both";
  /** Where `symmetricAllow` is written, for findings about it. */
  readonly symmetricAllowSpan: Span | null;
  /** Where `doNotTrack` is written, for findings about it. */
  readonly doNotTrackSpan: Span | null;
  readonly rules: readonly RuleNode[];
  /** The policy's whole mapping. */
  readonly span: Span;
}

export type AddressNode = AnyNode | SelfNode | NameNode | LiteralNode;

export interface AnyNode {
  readonly kind: "any";
  readonly span: Span;
}

export interface SelfNode {
  readonly kind: "self";
  readonly span: Span;
}

export interface NameNode {
  readonly kind: "name";
  readonly name: string;
  readonly span: Span;
}

/** An address, a CIDR or a range: the addresses from `first` to `last`, both included. */
export interface LiteralNode {
  readonly kind: "literal";
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
  readonly span: Span;
}

/** Ports from `first` to `last`, both included. */
export interface PortRangeNode {
  readonly kind: "range";
  readonly first: number;
  readonly last: number;
  readonly span: Span;
}

export interface PortsNode {
  readonly negated: boolean;
  /** A name stands for the ports of that service. */
  readonly ports: readonly (PortRangeNode | NameNode)[];
  readonly span: Span;
}

export interface PeerNode {
  readonly negated: boolean;
  readonly addresses: readonly AddressNode[];
  readonly ports: PortsNode | null;
  readonly span: Span;
}

/** A protocol with what belongs to it, or the name of a service. */
export type TrafficNode = ProtocolNode | NameNode;

export interface ProtocolNode {
  readonly kind: "protocol";
  /** IANA protocol number; `"icmp"` is ICMP (1) on IPv4 and ICMPv6 (58) on IPv6. */
  readonly protocol: number | "icmp";
  /** The ICMP types that one written type name or number stands for; null for every type. */
  readonly icmp: IcmpNode | null;
  /** Destination ports, as a service declares them (`tcp 11211`); null for every port. Never set in a rule's own traffic. */
  readonly ports: PortsNode | null;
  readonly span: Span;
}

/** Per family, the type and code; null where the written name has no meaning in that family. A null code is every code. */
export interface IcmpNode {
  readonly v4: IcmpType | null;
  readonly v6: IcmpType | null;
  readonly span: Span;
}

export interface IcmpType {
  readonly type: number;
  readonly code: number | null;
}

export interface InterfacesNode {
  readonly negated: boolean;
  /** Names of declared interfaces, or devices. */
  readonly names: readonly Word[];
  readonly span: Span;
}

export type TimeUnit = "second" | "minute" | "hour" | "day";

export interface LimitNode {
  readonly count: number;
  readonly unit: TimeUnit;
  /** Packets that may pass at once. */
  readonly burst: number;
  readonly span: Span;
}

export interface LogNode {
  /** Empty where no prefix is written. */
  readonly prefix: string;
  readonly span: Span;
}

export interface RuleNode {
  readonly action: "allow" | "deny" | "reject";
  readonly actionSpan: Span;
  readonly traffic: TrafficNode | null;
  readonly from: PeerNode;
  readonly to: PeerNode;
  readonly in: InterfacesNode | null;
  readonly out: InterfacesNode | null;
  readonly limit: LimitNode | null;
  readonly log: LogNode | null;
  /** Where `replies` is written; null where it is not. */
  readonly replies: Span | null;
  /** The whole sentence. */
  readonly span: Span;
}

interface NatClauses {
  readonly traffic: TrafficNode | null;
  /** Null where the clause is left out: any. */
  readonly from: PeerNode | null;
  readonly to: PeerNode | null;
  readonly in: InterfacesNode | null;
  readonly out: InterfacesNode | null;
  readonly actionSpan: Span;
  readonly span: Span;
}

export type NatNode = SourceNatNode | DestinationNatNode;

/** `masquerade …` and `snat … -> POOL`. */
export interface SourceNatNode extends NatClauses {
  readonly kind: "masquerade" | "snat";
  /** Of `snat`, the addresses to take; null for `masquerade`. */
  readonly pool: readonly AddressNode[] | null;
  /** `ports 1024-29999`; null where the kernel chooses. */
  readonly ports: PortRangeNode | null;
  /** Where `keep-ports` is written; null where it is not, and ports are fully random. */
  readonly keepPorts: Span | null;
}

/** `dnat … -> ADDRESS [port P]` and `redirect … -> port P`. */
export interface DestinationNatNode extends NatClauses {
  readonly kind: "dnat" | "redirect";
  /** Of `dnat`, the new destination; null for `redirect`. */
  readonly target: readonly AddressNode[] | null;
  /** The new port or ports; null where the port stays. */
  readonly port: PortRangeNode | null;
}

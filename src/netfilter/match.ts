import { type Family, holds } from "../address/ranges.ts";
import type { Box, Field, GroupedMatch, MappedRule } from "./grouped.ts";
import type { AddressType, LimitMatch, State, Statement } from "./ruleset.ts";

/** A packet as the rules at one hook see it. */
export interface View {
  readonly family: Family;
  /** Null where the kernel knows none. */
  readonly in: string | null;
  readonly out: string | null;
  readonly source: bigint;
  readonly destination: bigint;
  /** What the routing table says of the addresses; null for unicast addresses of others. */
  readonly sourceType: AddressType | null;
  readonly destinationType: AddressType | null;
  readonly protocol: number;
  /** Null where the protocol has no ports. */
  readonly sourcePort: number | null;
  readonly destinationPort: number | null;
  /** Set for ICMP on IPv4 and for ICMPv6 on IPv6. */
  readonly icmp: { readonly type: number; readonly code: number } | null;
  /** TCP with SYN and without ACK. */
  readonly opening: boolean;
  readonly state: State;
  /** The packet belongs to a connection whose destination is translated. */
  readonly destinationTranslated: boolean;
}

/** Whether a limit still has a token for a packet that reached it. */
export type LimitOracle = (limit: LimitMatch, rule: MappedRule) => boolean;

/** Whether all tests of a rule pass. Limits are asked last, in order, and only of packets that pass everything else. */
export function matchesRule(rule: MappedRule, packet: View, limit: LimitOracle): boolean {
  const { statement } = rule;
  // A translation to addresses of one family does not happen to packets of the other.
  if ((statement.kind === "snat" || statement.kind === "dnat") && statement.family !== packet.family)
    return false;
  const limits = rule.matches.filter((match) => match.kind === "limit");
  return (
    rule.matches.every((match) => match.kind === "limit" || matches(match, packet)) &&
    limits.every((one) => limit(one, rule))
  );
}

/** What a rule does to a packet; null where the packet walks on to the next rule. Tests are made as `matchesRule` says. */
export function statementFor(rule: MappedRule, packet: View, limit: LimitOracle): Statement | null {
  if (!matchesRule(rule, packet, limit)) return null;
  const { statement } = rule;
  if (statement.kind !== "map") return statement;
  const holds = inBox(statement.fields, packet);
  return statement.cases.find(({ box }) => holds(box))?.verdict ?? null;
}

function matches(match: Exclude<GroupedMatch, LimitMatch>, packet: View): boolean {
  switch (match.kind) {
    case "family":
      return packet.family === match.family;
    case "address":
      return packet.family === match.family && holds(match.ranges, packet[match.side]) !== match.negated;
    case "address-type": {
      const type = match.side === "source" ? packet.sourceType : packet.destinationType;
      return (type !== null && match.types.includes(type)) !== match.negated;
    }
    case "interface":
      // A device that is not there has an empty name in the kernel, which `*` matches.
      return match.devices.some((device) => isDevice(packet[match.side] ?? "", device)) !== match.negated;
    case "protocol":
      return match.protocols.includes(packet.protocol) !== match.negated;
    case "port": {
      const port = match.side === "source" ? packet.sourcePort : packet.destinationPort;
      return port !== null && holds(match.ports, port) !== match.negated;
    }
    case "icmp":
      return packet.family === match.family && match.types.some((type) => isIcmp(packet.icmp, type));
    case "opening":
      return packet.protocol === 6 && packet.opening !== match.negated;
    case "state":
      return match.states.includes(packet.state) !== match.negated;
    case "dnat-status":
      return packet.destinationTranslated;
    case "tuple":
      return match.boxes.some(inBox(match.fields, packet));
  }
}

/** A function that tells whether a packet lies in a box. */
function inBox(fields: readonly Field[], packet: View): (box: Box) => boolean {
  const values = fields.map((field) => fieldValue(field, packet));
  return (box) =>
    box.every(({ first, last }, at) => {
      const value = values[at];
      return value !== null && value !== undefined && first <= value && value <= last;
    });
}

/** Null where the packet has no such field. */
function fieldValue(field: Field, packet: View): bigint | null {
  switch (field.kind) {
    case "address":
      return packet.family === field.family ? packet[field.side] : null;
    case "protocol":
      return BigInt(packet.protocol);
    case "port": {
      const port = field.side === "source" ? packet.sourcePort : packet.destinationPort;
      return port === null ? null : BigInt(port);
    }
  }
}

function isDevice(name: string, pattern: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function isIcmp(
  icmp: View["icmp"],
  { type, code }: { readonly type: number; readonly code: number | null },
): boolean {
  return icmp !== null && icmp.type === type && (code === null || icmp.code === code);
}

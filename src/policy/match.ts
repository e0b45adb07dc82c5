import type { PortRanges } from "../address/ranges.ts";
import { complementPorts, intersectRanges, mergeRanges } from "../address/ranges.ts";
import type {
  InterfacesNode,
  PeerNode,
  PortsNode,
  ProtocolNode,
  ServiceDeclaration,
  TrafficNode,
} from "../language/ast.ts";
import { hasPorts } from "../language/protocols.ts";
import { suggest } from "../language/suggest.ts";
import type { Log } from "../source/finding.ts";
import type { Span } from "../source/source.ts";
import { type Names, reportUnknown, servicePorts } from "./names.ts";
import { ICMP, ICMPV6 } from "./packet.ts";
import type { Interfaces, Match, Peer, Traffic } from "./policy.ts";

/** The clauses that rules and NAT sentences share. */
export interface Clauses {
  readonly traffic: TrafficNode | null;
  readonly from: PeerNode | null;
  readonly to: PeerNode | null;
  readonly in: InterfacesNode | null;
  readonly out: InterfacesNode | null;
  readonly replies?: Span | null;
  readonly span: Span;
}

const ANYONE: Peer = {
  negated: false,
  any: true,
  self: false,
  addresses: { name: null, v4: [], v6: [] },
};

/** What the clauses of a sentence match; null after reporting why they cannot be understood. */
export function resolveMatch(clauses: Clauses, names: Names, log: Log): Match | null {
  const traffic = resolveTraffic(clauses, names, log);
  const source = resolvePeer(clauses.from, names);
  const destination = resolvePeer(clauses.to, names);
  const incoming = resolveInterfaces(clauses.in, names, log);
  const outgoing = resolveInterfaces(clauses.out, names, log);
  if (!traffic) return null;
  return {
    traffic,
    source,
    destination,
    in: incoming,
    out: outgoing,
    openings: clauses.replies ? "never" : "any",
  };
}

function resolvePeer(node: PeerNode | null, names: Names): Peer {
  if (!node) return ANYONE;
  const { any, self, set } = names.addresses(node.addresses);
  return { negated: node.negated, any, self, addresses: set };
}

/** A word that no declaration knows is a device, unless it looks like a declared name gone wrong. */
function resolveInterfaces(node: InterfacesNode | null, names: Names, log: Log): Interfaces | null {
  if (!node) return null;
  const devices = node.names.flatMap(({ text, span }) => {
    const declared = names.interface(text);
    if (declared) return declared.devices.map((device) => device.text);
    const near = /^[A-Za-z_-]+$/.test(text) ? suggest(text, names.interfaceNames) : null;
    if (near) reportUnknown(log, "interface", text, span, near);
    return [text];
  });
  return { negated: node.negated, devices: [...new Set(devices)] };
}

/** Traffic of a sentence with the ports of its ends; null after reporting what is wrong. */
function resolveTraffic(clauses: Clauses, names: Names, log: Log): readonly Traffic[] | null {
  const members = trafficMembers(clauses.traffic, names);
  if (!members) return null;
  const sourcePorts = clauses.from?.ports ?? null;
  const destinationPorts = clauses.to?.ports ?? null;
  for (const ports of [sourcePorts, destinationPorts])
    if (ports && !havePorts(members, ports, clauses, log)) return null;

  const traffic: Traffic[] = [];
  let failed = false;
  for (const member of members) {
    const source = resolvePorts(sourcePorts, member, names, log);
    const destination = resolvePorts(destinationPorts, member, names, log);
    if (source === undefined || destination === undefined) {
      failed = true;
      continue;
    }
    const own = member?.ports ? (resolvePorts(member.ports, member, names, log) ?? null) : null;
    const both = own && destination ? intersectRanges(own, destination) : (own ?? destination);
    if (both?.length === 0 || source?.length === 0) continue;
    traffic.push(...asTraffic(member, source, both));
  }
  if (failed) return null;
  if (traffic.length === 0) {
    const own = clauses.traffic?.kind === "name";
    log.report({
      check: "unmatchable-rule",
      level: "error",
      message: own
        ? "no packet can match: the ports of the service and the ports of `to` have none in common"
        : "no packet can match: this leaves no port at all",
      span: destinationPorts?.span ?? sourcePorts?.span ?? clauses.span,
      help: own ? "leave one of the two out" : "name the ports that are meant",
    });
    return null;
  }
  return mergeTraffic(traffic);
}

/** The protocols of a sentence, `[null]` for every protocol; null where the service is unknown. */
function trafficMembers(node: TrafficNode | null, names: Names): readonly (ProtocolNode | null)[] | null {
  if (!node) return [null];
  if (node.kind === "protocol") return [node];
  const service = names.traffic(node);
  return service ? service.members.filter((member) => member.kind === "protocol") : null;
}

/** Whether every member has ports. Where the sentence names a protocol itself, reading it has reported this already. */
function havePorts(
  members: readonly (ProtocolNode | null)[],
  ports: PortsNode,
  clauses: Clauses,
  log: Log,
): boolean {
  const portless = members.find((member) => !member || !hasPorts(member.protocol));
  if (portless === undefined) return true;
  const { traffic } = clauses;
  if (portless && traffic?.kind === "name")
    log.report({
      check: "port-without-protocol",
      level: "error",
      message: `\`${traffic.name}\` is not only for protocols that have ports`,
      span: ports.span,
      related: [
        { span: traffic.span, text: "the service" },
        { span: portless.span, text: "this has no ports" },
      ],
      help: "leave the ports out, or split the service",
    });
  return false;
}

/** Ports of one end for one protocol: null where all ports match, undefined after reporting that none can be meant. */
function resolvePorts(
  node: PortsNode | null,
  member: ProtocolNode | null,
  names: Names,
  log: Log,
): PortRanges | null | undefined {
  if (!node || !member) return null;
  const ranges: PortRanges[number][] = [];
  for (const port of node.ports) {
    if (port.kind === "range") {
      ranges.push({ first: port.first, last: port.last });
      continue;
    }
    const service = names.portsOf(port);
    const ports = service && typeof member.protocol === "number" && servicePorts(service, member.protocol);
    if (!ports) {
      if (service) reportNoPorts(service, port.span, member, log);
      return undefined;
    }
    ranges.push(...ports);
  }
  const merged = mergeRanges(ranges);
  return node.negated ? complementPorts(merged) : merged;
}

function reportNoPorts(service: ServiceDeclaration, span: Span, member: ProtocolNode, log: Log): void {
  log.report({
    check: "port-without-protocol",
    level: "error",
    message: `\`${service.name.text}\` has no ports for the protocol of this rule`,
    span,
    related: [
      { span: member.span, text: "the protocol" },
      { span: service.name.span, text: `\`${service.name.text}\` is declared here` },
    ],
    help: "write the port's number, or a service of that protocol",
  });
}

function asTraffic(
  member: ProtocolNode | null,
  sourcePorts: PortRanges | null,
  destinationPorts: PortRanges | null,
): Traffic[] {
  if (!member) return [{ protocol: null, family: null, icmp: null, sourcePorts, destinationPorts }];
  const { protocol, icmp } = member;
  const both = [
    { family: 4, number: ICMP, icmp: icmp?.v4 ?? null },
    { family: 6, number: ICMPV6, icmp: icmp?.v6 ?? null },
  ] as const;
  const isIcmp = both.filter(
    (kind) => (protocol === "icmp" || protocol === kind.number) && (!icmp || kind.icmp !== null),
  );
  if (isIcmp.length > 0 || protocol === "icmp")
    return isIcmp.map((kind) => ({
      protocol: kind.number,
      family: kind.family,
      icmp: kind.icmp,
      sourcePorts: null,
      destinationPorts: null,
    }));
  return [{ protocol, family: null, icmp: null, sourcePorts, destinationPorts }];
}

/** Puts entries that differ in nothing but their destination ports into one, so that no packet matches two of them. */
function mergeTraffic(traffic: readonly Traffic[]): readonly Traffic[] {
  if (traffic.length < 2) return traffic;
  const merged = new Map<string, Traffic>();
  for (const entry of traffic) {
    const { protocol, family, icmp, sourcePorts } = entry;
    const key = JSON.stringify([protocol, family, icmp, sourcePorts]);
    const other = merged.get(key);
    const destinationPorts =
      other?.destinationPorts && entry.destinationPorts
        ? mergeRanges([...other.destinationPorts, ...entry.destinationPorts])
        : other
          ? null
          : entry.destinationPorts;
    merged.set(key, { ...entry, destinationPorts });
  }
  return [...merged.values()];
}

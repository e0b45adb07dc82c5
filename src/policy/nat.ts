import type { AddressRanges, Family, Range } from "../address/ranges.ts";
import type { AddressNode, DestinationNatNode, NatNode, SourceNatNode } from "../language/ast.ts";
import type { Log } from "../source/finding.ts";
import type { Span } from "../source/source.ts";
import { checkMatch, familiesOf } from "./check-match.ts";
import { resolveMatch } from "./match.ts";
import type { Names } from "./names.ts";
import { PROTOCOLS_WITH_PORTS } from "./packet.ts";
import type { AddressSet, DestinationNat, Match, NatTarget, Origin, Policy, SourceNat } from "./policy.ts";

/** Resolves the `nat:` section. Source and destination NAT act at different hooks, so each keeps an order of its own. */
export function resolveNat(
  nodes: readonly NatNode[],
  names: Names,
  self: AddressSet | null,
  log: Log,
): Pick<Policy, "sourceNat" | "destinationNat"> {
  const sourceNat: SourceNat[] = [];
  const destinationNat: DestinationNat[] = [];
  for (const node of nodes) {
    const match = resolveMatch(node, names, log);
    if (!match || !checkMatch(match, node, self, log)) continue;
    const origin: Origin = { policy: "nat", span: node.span, role: "written" };
    switch (node.kind) {
      case "masquerade":
      case "snat": {
        const resolved = resolveSource(node, match, origin, names, self, log);
        if (resolved) sourceNat.push(resolved);
        break;
      }
      case "dnat":
      case "redirect": {
        const resolved = resolveDestination(node, match, origin, names, self, log);
        if (resolved) destinationNat.push(resolved);
        break;
      }
    }
  }
  return { sourceNat, destinationNat };
}

function resolveSource(
  node: SourceNatNode,
  match: Match,
  origin: Origin,
  names: Names,
  self: AddressSet | null,
  log: Log,
): SourceNat | null {
  if (node.ports && !portsFit(match, node, node.ports.span, log)) return null;
  const pool = node.pool ? resolveTarget(node.pool, names, log) : null;
  const fitting = node.pool ? fitFamilies(match, pool, node.pool, self, log) : match;
  if (!fitting) return null;
  return {
    match: fitting,
    pool,
    masquerade: node.kind === "masquerade",
    ports: node.ports && { first: node.ports.first, last: node.ports.last },
    random: node.keepPorts === null,
    origin,
  };
}

function resolveDestination(
  node: DestinationNatNode,
  match: Match,
  origin: Origin,
  names: Names,
  self: AddressSet | null,
  log: Log,
): DestinationNat | null {
  if (node.port && !portsNeeded(match, node, node.port.span, log)) return null;
  const target = node.target ? resolveTarget(node.target, names, log) : null;
  const fitting = node.target ? fitFamilies(match, target, node.target, self, log) : match;
  if (!fitting) return null;
  return {
    match: fitting,
    target,
    redirect: node.kind === "redirect",
    ports: node.port && { first: node.port.first, last: node.port.last },
    origin,
  };
}

/** The kernel takes one contiguous range of each family. */
function resolveTarget(nodes: readonly AddressNode[], names: Names, log: Log): NatTarget | null {
  const { isKnown, any, self, set } = names.addresses(nodes);
  if (!isKnown) return null;
  const span = spanOf(nodes);
  const fault = any || self ? "`any` and `self` are no addresses to translate to" : contiguityFault(set);
  if (fault) {
    log.report({
      check: "nat-target",
      level: "error",
      message: fault,
      span,
      help: "write one address or one range for each IP version, for example `192.0.2.40-192.0.2.43`",
    });
    return null;
  }
  return { v4: set.v4[0] ?? null, v6: set.v6[0] ?? null };
}

function contiguityFault(set: AddressSet): string | null {
  const gap = (ranges: AddressRanges): boolean => ranges.length > 1;
  if (gap(set.v4) || gap(set.v6))
    return "the kernel translates to one contiguous range of addresses, and these have gaps";
  return set.v4.length + set.v6.length === 0 ? "there is no address here to translate to" : null;
}

/** The match narrowed to the families that are translated; null after reporting that none is left. */
function fitFamilies(
  match: Match,
  target: NatTarget | null,
  nodes: readonly AddressNode[],
  self: AddressSet | null,
  log: Log,
): Match | null {
  if (!target) return null;
  const families = familiesOf(match, self).filter((family) => targetOf(target, family) !== null);
  const traffic = families.flatMap((family) =>
    match.traffic
      .filter((entry) => entry.family === null || entry.family === family)
      .map((entry) => ({ ...entry, family })),
  );
  if (families.length === 2) return match;
  if (families.length === 1) return { ...match, traffic };
  log.report({
    check: "families-cannot-meet",
    level: "error",
    message: "this sentence translates to another IP version than it matches",
    span: spanOf(nodes),
    help: "translate IPv4 to IPv4 and IPv6 to IPv6",
  });
  return null;
}

/** The range of a family that a target translates to; null where it does not translate the family. */
export function targetOf(target: NatTarget, family: Family): Range<bigint> | null {
  return family === 4 ? target.v4 : target.v6;
}

/** Source ports may be narrowed as long as some of the traffic has ports: the rest keeps what it has. */
function portsFit(match: Match, node: NatNode, span: Span, log: Log): boolean {
  const fits = match.traffic.some(({ protocol }) => protocol === null || PROTOCOLS_WITH_PORTS.has(protocol));
  if (!fits) reportPorts(node, span, log);
  return fits;
}

/** A new destination port means something only to protocols with ports. */
function portsNeeded(match: Match, node: NatNode, span: Span, log: Log): boolean {
  const fits = match.traffic.every(({ protocol }) => protocol !== null && PROTOCOLS_WITH_PORTS.has(protocol));
  if (!fits) reportPorts(node, span, log);
  return fits;
}

/** Where the sentence names a protocol itself, reading it has reported this already. */
function reportPorts({ traffic }: NatNode, span: Span, log: Log): void {
  if (traffic?.kind !== "name") return;
  log.report({
    check: "port-without-protocol",
    level: "error",
    message: `\`${traffic.name}\` is not only for protocols that have ports`,
    span,
    related: [{ span: traffic.span, text: "the service" }],
    help: "leave the port out, or split the service",
  });
}

function spanOf(nodes: readonly AddressNode[]): Span {
  const first = nodes[0]!.span;
  return { source: first.source, start: first.start, end: nodes.at(-1)!.span.end };
}

import type { Family } from "../address/ranges.ts";
import type { IcmpType } from "../language/ast.ts";
import { TCP } from "./packet.ts";
import type { Match, Rule, Traffic } from "./policy.ts";

/** ICMP types that answer each other, by family. No other type has a reply (`invmap` in nf_conntrack_proto_icmp.c and its IPv6 twin). */
const ICMP_REVERSES: Readonly<Record<Family, ReadonlyMap<number, number>>> = {
  4: new Map([
    [8, 0],
    [0, 8],
    [13, 14],
    [14, 13],
    [15, 16],
    [16, 15],
    [17, 18],
    [18, 17],
  ]),
  6: new Map([
    [128, 129],
    [129, 128],
    [139, 140],
    [140, 139],
  ]),
};

/** The ICMP type of the reply to a type; undefined where the type has no reply. */
export function icmpReverse(family: Family, type: number): number | undefined {
  return ICMP_REVERSES[family].get(type);
}

/** Traffic of the replies; empty where no reply exists. */
function reverseTraffic(traffic: Traffic): Traffic[] {
  let icmp: IcmpType | null = null;
  if (traffic.icmp) {
    const type = icmpReverse(traffic.family ?? 4, traffic.icmp.type);
    if (type === undefined) return [];
    icmp = { type, code: traffic.icmp.code };
  }
  return [{ ...traffic, icmp, sourcePorts: traffic.destinationPorts, destinationPorts: traffic.sourcePorts }];
}

/** The replies to what a match matches: ends and interfaces swapped; null where nothing of it has a reply. */
export function reverseMatch(match: Match): Match | null {
  const traffic = match.traffic.flatMap(reverseTraffic);
  if (traffic.length === 0) return null;
  return {
    traffic,
    source: match.destination,
    destination: match.source,
    in: match.out,
    out: match.in,
    openings: "any",
  };
}

/**
 * The rules that `symmetricAllow` puts right behind an allow. With `replies` the way back is closed to TCP openings and
 * openings in that direction are denied: a server that is broken into cannot use its own port to reach its clients. An
 * allow of `replies` alone gets no such deny, because its mirror direction is the one that opens.
 */
export function mirrorsOf(rule: Rule, symmetricAllow: false | "replies" | "both"): Rule[] {
  if (!symmetricAllow || rule.action !== "allow") return [];
  const match = reverseMatch(rule.match);
  if (!match) return [];
  const back: Rule = {
    ...rule,
    match: symmetricAllow === "both" ? match : { ...match, openings: "never" },
    limit: null,
    log: null,
    origin: { ...rule.origin, role: symmetricAllow === "both" ? "mirror" : "replies" },
  };
  if (symmetricAllow === "both" || rule.match.openings === "never") return [back];
  const tcp = match.traffic.filter(({ protocol }) => protocol === TCP || protocol === null);
  if (tcp.length === 0) return [back];
  const guard: Rule = {
    ...back,
    action: "deny",
    match: {
      ...match,
      traffic: tcp.map((traffic) => ({ ...traffic, protocol: TCP })),
      openings: "only",
    },
    origin: { ...rule.origin, role: "mirror-guard" },
  };
  return [back, guard];
}

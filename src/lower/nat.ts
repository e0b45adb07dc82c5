import { type Family, intersectRanges, type Range } from "../address/ranges.ts";
import type { Chain, Statement, Match as Test } from "../netfilter/ruleset.ts";
import { targetOf } from "../policy/nat.ts";
import { canTakePath } from "../policy/paths.ts";
import type { DestinationNat, Policy, Rule, SourceNat } from "../policy/policy.ts";
import { buildChain, type ChainBuilder, describeOrigin } from "./build.ts";
import { type HookView, OUTPUT, POSTROUTING, PREROUTING } from "./hooks.ts";
import { type Line, linesAt } from "./lines.ts";

/** Protocols whose ports NAT can rewrite: TCP, UDP, DCCP, SCTP. */
const TRANSLATED_PORTS: readonly number[] = [6, 17, 33, 132];

const GROUP = "nat";

/**
 * The NAT table. Destinations change before routing, for what arrives and for what this host sends; sources change
 * last. The first sentence that matches wins, as in the policy.
 */
export function lowerNat(policy: Policy): Chain[] {
  return [
    ...natChain("prerouting", (chain) => {
      for (const nat of policy.destinationNat) addDestination(chain, nat, policy, PREROUTING);
    }),
    ...natChain("output", (chain) => {
      for (const nat of policy.destinationNat) addDestination(chain, nat, policy, OUTPUT);
    }),
    ...natChain("postrouting", (chain) => {
      for (const nat of policy.sourceNat) addSource(chain, nat, policy);
    }),
  ];
}

/**
 * Whether packets whose destination a sentence rewrites may then match a rule. The filter sees them so, though the raw
 * table saw them with the destination they came with.
 */
export function mayBeTranslatedInto(nat: DestinationNat, { match }: Rule): boolean {
  const portFits = match.traffic.some(
    ({ destinationPorts }) =>
      !nat.ports || !destinationPorts || intersectRanges([nat.ports], destinationPorts).length > 0,
  );
  if (!portFits) return false;
  const { any, self, negated, addresses } = match.destination;
  if (!nat.target || any || self || negated) return true;
  const meets = (target: Range<bigint> | null, ranges: readonly Range<bigint>[]): boolean =>
    target !== null && intersectRanges([target], ranges).length > 0;
  return meets(nat.target.v4, addresses.v4) || meets(nat.target.v6, addresses.v6);
}

function natChain(
  hook: "prerouting" | "output" | "postrouting",
  fill: (chain: ChainBuilder) => void,
): Chain[] {
  const builder = buildChain("nat", hook);
  fill(builder);
  if (builder.rules.length === 0) return [];
  return [{ table: "nat", name: hook, base: { hook, policy: "accept" }, rules: builder.rules }];
}

function addDestination(chain: ChainBuilder, nat: DestinationNat, policy: Policy, view: HookView): void {
  const add = (lines: readonly Line[], statement: Statement): void =>
    chain.add(lines, { statement, origin: describeOrigin(nat.origin), group: GROUP });
  if (!view.paths.some((path) => canTakePath(nat.match, path, policy.self !== null))) return;
  const lines = linesAt(nat.match, view, policy.self);
  const { target, ports } = nat;
  if (!target) {
    if (ports) add(lines, { kind: "redirect", ports });
    return;
  }
  for (const family of [4, 6] as const) {
    const addresses = targetOf(target, family);
    if (!addresses) continue;
    add(
      lines.flatMap((line) => ofFamily(line, family)),
      { kind: "dnat", family, addresses, ports },
    );
  }
}

function addSource(chain: ChainBuilder, nat: SourceNat, policy: Policy): void {
  const { random, ports, pool } = nat;
  for (const line of linesAt(nat.match, POSTROUTING, policy.self))
    for (const { line: tests, ports: narrowed } of withPorts(line, ports)) {
      const add = (lines: readonly Line[], statement: Statement): void =>
        chain.add(lines, { statement, origin: describeOrigin(nat.origin), group: GROUP });
      if (!pool) {
        add([tests], { kind: "masquerade", ports: narrowed, random });
        continue;
      }
      for (const family of [4, 6] as const) {
        const addresses = targetOf(pool, family);
        if (addresses)
          add(ofFamily(tests, family), { kind: "snat", family, addresses, ports: narrowed, random });
      }
    }
}

/** The line for one family; none where it speaks of the other. */
function ofFamily(line: Line, family: Family): Line[] {
  const spoken = line.flatMap((test) => ("family" in test ? [test.family] : []));
  if (spoken.some((other) => other !== family)) return [];
  return [spoken.length > 0 ? line : [{ kind: "family", family }, ...line]];
}

/** A narrowed port range holds for protocols with ports; the rest of the traffic is translated without one. */
function withPorts(
  line: Line,
  ports: Range<number> | null,
): { readonly line: Line; readonly ports: Range<number> | null }[] {
  if (!ports || line.some(({ kind }) => kind === "icmp")) return [{ line, ports: null }];
  const test = line.find((one) => one.kind === "protocol");
  const of = (protocols: readonly number[]): Line => {
    const narrowed: Test = { kind: "protocol", protocols, negated: false };
    return test ? line.map((one) => (one === test ? narrowed : one)) : [narrowed, ...line];
  };
  if (!test)
    return [
      { line: of(TRANSLATED_PORTS), ports },
      { line, ports: null },
    ];
  const hasPorts = (protocol: number): boolean => TRANSLATED_PORTS.includes(protocol);
  const parts = [
    { line: of(test.protocols.filter(hasPorts)), ports },
    { line: of(test.protocols.filter((protocol) => !hasPorts(protocol))), ports: null },
  ];
  return parts.filter((part) => part.line.some((one) => one.kind === "protocol" && one.protocols.length > 0));
}

import type { Family, Range } from "../address/ranges.ts";
import type { Chain, Statement, Match as Test } from "../netfilter/ruleset.ts";
import { targetOf } from "../policy/nat.ts";
import type { Path } from "../policy/packet.ts";
import { canTakePath } from "../policy/paths.ts";
import type { AddressSet, DestinationNat, Match, Policy, Rule, SourceNat } from "../policy/policy.ts";
import { buildChain, type ChainBuilder, describeOrigin } from "./build.ts";
import { type HookView, OUTPUT, POSTROUTING, PREROUTING } from "./hooks.ts";
import { type Line, linesAt } from "./lines.ts";
import { mayOverlap } from "./overlap.ts";

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
 * Whether packets whose destination a sentence rewrites may then take one of the paths and match a rule. The filter sees
 * them so, though raw saw them with the destination that they came with.
 */
export function mayBeTranslatedInto(
  nat: DestinationNat,
  { match }: Rule,
  paths: readonly Path[],
  self: AddressSet | null,
): boolean {
  const taken = pathsAfter(nat, self).filter((path) => paths.includes(path));
  if (taken.length === 0) return false;
  return mayOverlap({ ...translatedMatch(nat), out: null }, match, taken, self);
}

/** The paths of translated packets. What is redirected stays on this host; what is sent elsewhere may come back to it. */
function pathsAfter({ match, redirect }: DestinationNat, self: AddressSet | null): readonly Path[] {
  const arrives = ["input", "forward"] as const;
  const leaves = ["output", "loopback"] as const;
  const comes = (paths: readonly Path[]): boolean =>
    paths.some((path) => canTakePath(match, path, self !== null));
  return [
    ...(comes(arrives) ? (redirect ? (["input"] as const) : arrives) : []),
    ...(comes(leaves) ? (redirect ? (["loopback"] as const) : leaves) : []),
  ];
}

/** What the packets of a sentence look like once they are translated. */
function translatedMatch({ match, target, ports }: DestinationNat): Match {
  const addresses: AddressSet = {
    name: null,
    v4: target?.v4 ? [target.v4] : [],
    v6: target?.v6 ? [target.v6] : [],
  };
  return {
    ...match,
    traffic: ports
      ? match.traffic.map((traffic) => ({ ...traffic, destinationPorts: [ports] }))
      : match.traffic,
    destination: { negated: false, any: target === null, self: false, addresses },
    // Loopback has devices of its own, whatever the packet was to leave by.
    in: null,
  };
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
  for (const line of linesAt(nat.match, POSTROUTING, policy.self, ["forward", "output"]))
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

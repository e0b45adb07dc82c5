import type { AddressRanges, Family } from "../address/ranges.ts";
import { single } from "../address/ranges.ts";
import { forget } from "../packets/forget.ts";
import type { Diagram } from "../packets/nodes.ts";
import { targetOf } from "../policy/nat.ts";
import { type Path, TCP } from "../policy/packet.ts";
import { PATHS } from "../policy/paths.ts";
import type { AddressSet, DestinationNat, SourceNat } from "../policy/policy.ts";
import { FATE } from "./fates.ts";
import type { Meaning } from "./meaning.ts";
import { cubesOf, DEFAULT_NAT_PORTS, type PacketCube } from "./world.ts";

const PORTFUL = [TCP, 17, 33, 132].map(single);

/** The first packets of the flows that a source NAT sentence translates, as they leave; and as they came. */
export interface Translated {
  readonly before: Diagram;
  /** Ends and ports as the far side sees them. What answers such a packet is what raw meets first on the way back. */
  readonly after: Diagram;
}

/**
 * Flows of each source NAT sentence of the policy. `flows` are the packets that open tracked flows. After the translation
 * the packet looks like one that this host sends; where a pool is not made of this host's own addresses, like a forwarded
 * one.
 */
export function translateSources(flows: Diagram, family: Family, meaning: Meaning): Translated[] {
  const { sourceNat } = meaning.policy;
  const space = meaning.space(family);
  return firstMatched(sourceNat, family, meaning, ["forward", "output"]).map((matched, i) =>
    translateSource(sourceNat[i]!, space.intersection(flows, matched), family, meaning),
  );
}

function translateSource(nat: SourceNat, before: Diagram, family: Family, meaning: Meaning): Translated {
  const space = meaning.space(family);
  const pool = nat.pool && targetOf(nat.pool, family);
  const ports = nat.ports ? [nat.ports] : DEFAULT_NAT_PORTS;
  const none = single(meaning.world.devices.numberOf(null));
  const source = pool ? { source: [pool] } : ownAddress(nat, family, meaning.policy.self);
  const sent: PacketCube = { path: [single(PATHS.indexOf("output"))], in: [none], ...source };
  const passed: PacketCube = {
    path: [single(PATHS.indexOf("forward"))],
    in: { except: [none] },
    ...source,
  };
  const shapes = pool ? [sent, passed] : [sent];
  const looks = space.set(
    shapes.flatMap((shape) => [
      { ...shape, protocol: PORTFUL, sourcePort: ports },
      { ...shape, protocol: { except: PORTFUL } },
    ]),
  );
  const rest = forget(space, before, ["path", "in", "source", "sourcePort"]);
  return { before, after: space.intersection(space.intersection(rest, looks), meaning.answerable(family)) };
}

/**
 * Flows of each destination NAT sentence of the policy: what comes in, and what the filter sees of it once it is translated
 * and routed.
 */
export function translateDestinations(family: Family, meaning: Meaning): Translated[] {
  const { destinationNat } = meaning.policy;
  if (destinationNat.length === 0) return [];
  const space = meaning.space(family);
  const opens = space.union(
    space.set([{ opening: [single(1)] }]),
    space.set([{ protocol: { except: [single(TCP)] } }]),
  );
  const raw = meaning.fates(family, "untracking", "packet");
  const reachesNat = space.difference(
    space.intersection(opens, meaning.possible(family)),
    space.where(raw, FATE.untracked, FATE.droppedEarly),
  );
  return firstMatched(destinationNat, family, meaning, PATHS).map((matched, i) =>
    translateDestination(destinationNat[i]!, space.intersection(reachesNat, matched), family, meaning),
  );
}

function translateDestination(
  nat: DestinationNat,
  before: Diagram,
  family: Family,
  meaning: Meaning,
): Translated {
  const space = meaning.space(family);
  const rest = forget(space, before, [
    "path",
    "out",
    "destination",
    ...(nat.ports ? (["destinationPort"] as const) : []),
  ]);
  const target = nat.target && targetOf(nat.target, family);
  const paths = nat.redirect ? ["input", "loopback"] : ["forward", "output"];
  const looks = space.set([
    {
      path: paths.map((path) => single(PATHS.indexOf(path as never))).sort((a, b) => a.first - b.first),
      ...(target && { destination: [target] }),
      ...(nat.ports && { destinationPort: [nat.ports] }),
    },
  ]);
  return { before, after: space.intersection(space.intersection(rest, looks), meaning.possible(family)) };
}

/** What each sentence matches and none before it does. */
function firstMatched(
  sentences: readonly (SourceNat | DestinationNat)[],
  family: Family,
  { policy, world }: Meaning,
  paths: readonly Path[],
): Diagram[] {
  const space = world.spaces[family];
  let taken = space.nothing;
  return sentences.map(({ match }) => {
    const matched = space.set(cubesOf(match, family, policy.self, world.devices, paths));
    const first = space.difference(matched, taken);
    taken = space.union(taken, matched);
    return first;
  });
}

/**
 * The addresses that masquerade may put in: one of the interface that the packet leaves by. Where the policy lists this
 * host's addresses it is one of those. Where it does not, it may be any, but none of those that the sentence is there to
 * hide: a host that hides its own network behind an address of that network would not need to.
 */
function ownAddress({ match }: SourceNat, family: Family, self: AddressSet | null): PacketCube {
  const of = (set: AddressSet): AddressRanges => (family === 4 ? set.v4 : set.v6);
  if (self && of(self).length > 0) return { source: of(self) };
  const { any, self: isSelf, negated, addresses } = match.source;
  const hidden = of(addresses);
  return any || isSelf || negated || hidden.length === 0 ? {} : { source: { except: hidden } };
}

import { type Family, lastAddress, single } from "../address/ranges.ts";
import { forget } from "../packets/forget.ts";
import type { Diagram } from "../packets/nodes.ts";
import { LOOPBACK, type Path } from "../policy/packet.ts";
import { PATHS } from "../policy/paths.ts";
import type { AddressSet, DestinationNat } from "../policy/policy.ts";
import { possiblePackets } from "./fates.ts";
import { DELIVERIES, type SeenSpace, type SeenWorld } from "./seen.ts";
import type { Translation } from "./translations.ts";
import { groupAddresses, type PacketCube } from "./world.ts";

type Delivery = (typeof DELIVERIES)[number];

/**
 * The packets that can exist, with what routing can say of their destinations. Where a policy lists this host's addresses
 * it is believed: nothing that is for them leaves, and nothing from them is passed on.
 */
export function possibleSeen(family: Family, world: SeenWorld, self: AddressSet | null): Diagram {
  const space = world.seenSpaces[family];
  const own = self ? (family === 4 ? self.v4 : self.v6) : [];
  const strays = space.set(
    own.length === 0
      ? []
      : [
          { path: pathsOf(["forward", "output"]), destination: own },
          { path: pathsOf(["forward"]), source: own },
        ],
  );
  const packets = space.difference(possiblePackets(family, world), strays);
  return space.intersection(packets, deliveriesOf(family, world));
}

/**
 * What routing can say of a destination, by the path that it leads to. Where a rewritten destination sends a packet off
 * loopback, or back to it, it is the address of one host: nobody translates to a group.
 */
function deliveriesOf(family: Family, world: SeenWorld): Diagram {
  const space = world.seenSpaces[family];
  if (space.fields.find(({ name }) => name === "delivery")!.domain.ranks === 1) return space.everything;
  const [multicast, ...broadcast] = groupAddresses(family);
  const groups = [multicast!, ...broadcast];
  const lo = [single(world.devices.numberOf(LOOPBACK))];
  const to = (
    path: Path,
    deliveries: readonly Delivery[],
    destination: NonNullable<PacketCube["destination"]>,
    out?: PacketCube["out"],
  ) => ({
    path: [single(PATHS.indexOf(path))],
    delivery: deliveries
      .map((one) => DELIVERIES.indexOf(one))
      .sort()
      .map(single),
    destination,
    ...(out && { out }),
  });
  const one = { except: groups };
  const host: readonly Delivery[] = family === 4 ? ["local"] : ["local", "anycast"];
  const near: readonly Delivery[] = family === 4 ? [...host, "broadcast"] : host;
  const away: readonly Delivery[] = family === 4 ? ["elsewhere", "broadcast"] : ["elsewhere"];
  const others = { except: lo };
  return space.set([
    to("input", ["multicast"], [multicast!]),
    to("input", ["broadcast"], broadcast),
    to("input", near, one),
    to("forward", ["elsewhere"], [{ first: 0n, last: lastAddress(family) }]),
    to("output", ["multicast"], [multicast!], others),
    to("output", ["broadcast"], broadcast, others),
    to("output", away, one, others),
    to("output", ["elsewhere"], one, lo),
    to("loopback", ["multicast"], [multicast!], lo),
    to("loopback", ["broadcast"], broadcast, lo),
    to("loopback", near, one, lo),
    to("loopback", host, one, others),
  ]);
}

/** What packets become when a sentence rewrites their destination, as the filter sees them. */
export type Rewriter = (
  translation: Pick<Translation, "addresses" | "ports">,
  nat: Pick<DestinationNat, "redirect">,
  before: Diagram,
) => Diagram;

/**
 * What destination NAT makes of packets: a new destination, and for that reason a way that only the host knows, any that can
 * be. What arrived is delivered here or passed on; what was sent from here leaves, or comes back on loopback. Of the latter
 * the filter goes on seeing the device that it was to leave by. Sentences share what does not depend on them.
 */
export function rewriter(family: Family, world: SeenWorld, self: AddressSet | null): Rewriter {
  const space = world.seenSpaces[family];
  const { devices } = world;
  const possible = possibleSeen(family, world, self);
  const deliveries = deliveriesOf(family, world);
  const received = onPaths(space, ["input", "forward"]);
  const emitted = onPaths(space, ["output", "loopback"]);
  const nowhere = [single(devices.numberOf(null))];
  const own = self ? (family === 4 ? self.v4 : self.v6) : [];
  const toSelf = space.set(own.length > 0 ? [{ destination: own }] : []);

  return ({ addresses, ports }, { redirect }, before) => {
    const looks = {
      ...(addresses && { destination: [addresses] }),
      ...(ports && { destinationPort: [ports] }),
    };
    const changed = [
      "delivery",
      "path",
      "destination",
      ...(ports ? (["destinationPort"] as const) : []),
    ] as const;

    const arrived = forget(space, space.intersection(before, received), [...changed, "out"]);
    const arriving = space.intersection(
      space.intersection(
        arrived,
        space.set([{ ...looks, path: pathsOf(redirect ? ["input"] : ["input", "forward"]) }]),
      ),
      possible,
    );

    const left = forget(space, space.intersection(before, emitted), [...changed, "in"]);
    const leaving = space.difference(
      space.set(redirect ? [] : [{ ...looks, path: pathsOf(["output"]), in: nowhere }]),
      toSelf,
    );
    const returning = space.set([
      { ...looks, path: pathsOf(["loopback"]), in: [single(devices.numberOf(LOOPBACK))] },
    ]);
    const sent = space.intersection(space.intersection(left, space.union(leaving, returning)), deliveries);
    return space.union(arriving, sent);
  };
}

/** The same packets behind the filter, as source NAT sees them: with the device that they really leave by. */
export function leavingAfter(after: Diagram, family: Family, world: SeenWorld): Diagram {
  const space = world.seenSpaces[family];
  const { devices } = world;
  const lo = single(devices.numberOf(LOOPBACK));
  const real = { except: [single(devices.numberOf(null)), lo] };
  const sent = onPaths(space, ["output", "loopback"]);
  const rerouted = space.intersection(
    forget(space, space.intersection(after, sent), ["out"]),
    space.set([
      { path: pathsOf(["output"]), out: real },
      { path: pathsOf(["loopback"]), out: [lo] },
    ]),
  );
  return space.union(space.difference(after, sent), rerouted);
}

/** Everything that takes one of these paths. */
export function onPaths(space: SeenSpace, paths: readonly Path[]): Diagram {
  return space.set([{ path: pathsOf(paths) }]);
}

function pathsOf(paths: readonly Path[]): { first: number; last: number }[] {
  return paths
    .map((path) => PATHS.indexOf(path))
    .sort((a, b) => a - b)
    .map(single);
}

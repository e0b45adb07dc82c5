import { type Family, lastAddress } from "../address/ranges.ts";
import { forget } from "../packets/forget.ts";
import type { Diagram } from "../packets/nodes.ts";
import type { Path } from "../policy/packet.ts";
import { PATHS } from "../policy/paths.ts";
import type { AddressSet, DestinationNat } from "../policy/policy.ts";
import { possiblePackets } from "./fates.ts";
import { DELIVERIES, type SeenWorld } from "./seen.ts";
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
  if (space.fields.find(({ name }) => name === "delivery")!.domain.ranks === 1) return packets;
  const [multicast, ...broadcast] = groupAddresses(family);
  const groups = [multicast!, ...broadcast];
  const local: readonly Delivery[] = family === 4 ? ["local", "broadcast"] : ["local", "anycast"];
  const to = (path: Path, deliveries: readonly Delivery[], destination: PacketCube["destination"]) => ({
    path: [single(PATHS.indexOf(path))],
    delivery: deliveries
      .map((one) => DELIVERIES.indexOf(one))
      .sort()
      .map(single),
    destination: destination!,
  });
  const others = { except: groups };
  const here = (["input", "loopback"] as const).flatMap((path) => [
    to(path, ["multicast"], [multicast!]),
    to(path, local, others),
    ...(broadcast.length > 0 ? [to(path, ["broadcast"], broadcast)] : []),
  ]);
  const sent: readonly Delivery[] = family === 4 ? ["elsewhere", "broadcast"] : ["elsewhere"];
  const delivered = space.set([
    ...here,
    to("output", ["multicast"], [multicast!]),
    to("output", sent, others),
    ...(broadcast.length > 0 ? [to("output", ["broadcast"], broadcast)] : []),
    to("forward", ["elsewhere"], [{ first: 0n, last: lastAddress(family) }]),
  ]);
  return space.intersection(packets, delivered);
}

/**
 * What packets become when their destination is rewritten: a new destination, and for that reason a way that only the
 * host knows: any that is `possible`. What arrived is delivered here or passed on; what was sent from here leaves, or comes back on loopback.
 */
export function rewritten(
  { addresses, ports }: Pick<Translation, "addresses" | "ports">,
  { redirect }: Pick<DestinationNat, "redirect">,
  before: Diagram,
  family: Family,
  world: SeenWorld,
  possible: Diagram,
): Diagram {
  const space = world.seenSpaces[family];
  const after = (
    from: readonly Path[],
    to: readonly Path[],
    forgotten: readonly ("in" | "out")[],
  ): Diagram => {
    const rest = forget(space, space.intersection(before, space.set([{ path: pathsOf(from) }])), [
      "delivery",
      "path",
      ...forgotten,
      "destination",
      ...(ports ? (["destinationPort"] as const) : []),
    ]);
    const looks = space.set([
      {
        path: pathsOf(to),
        ...(addresses && { destination: [addresses] }),
        ...(ports && { destinationPort: [ports] }),
      },
    ]);
    return space.intersection(rest, looks);
  };
  const arriving = after(["input", "forward"], redirect ? ["input"] : ["input", "forward"], ["out"]);
  const sent = after(["output", "loopback"], redirect ? ["loopback"] : ["output", "loopback"], ["in", "out"]);
  return space.intersection(space.union(arriving, sent), possible);
}

function pathsOf(paths: readonly Path[]): { first: number; last: number }[] {
  return paths
    .map((path) => PATHS.indexOf(path))
    .sort((a, b) => a - b)
    .map(single);
}

function single(value: number): { first: number; last: number } {
  return { first: value, last: value };
}

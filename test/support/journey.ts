import type { SimulatedPacket, Surroundings } from "../../src/netfilter/simulate.ts";
import type { Packet, TrackedState } from "../../src/policy/packet.ts";
import type { DestinationNat } from "../../src/policy/policy.ts";
import { HOST_ADDRESS } from "./random-packet.ts";

/** Where the small world routes what was translated: to this host, or out of `eth1`. */
function routed(packet: Packet, destination: bigint, destinationPort: number | null): Packet {
  const isHere = destination === HOST_ADDRESS[packet.family];
  const sentHere = packet.path === "output" || packet.path === "loopback";
  const path = isHere ? (sentHere ? "loopback" : "input") : sentHere ? "output" : "forward";
  return {
    ...packet,
    path,
    in: path === "loopback" ? "lo" : sentHere ? null : packet.in,
    out: path === "input" ? null : path === "loopback" ? "lo" : "eth1",
    destination,
    destinationPort,
  };
}

/** The packet after a destination NAT sentence, which takes the first address and port that it may. */
export function translated(packet: Packet, nat: DestinationNat): Packet {
  const target = nat.target && (packet.family === 4 ? nat.target.v4 : nat.target.v6);
  return routed(
    packet,
    target ? target.first : HOST_ADDRESS[packet.family],
    nat.ports ? nat.ports.first : packet.destinationPort,
  );
}

/** The packet for the simulator, which wants to know what routing says of its ends. */
export function simulated(packet: Packet, state: TrackedState): SimulatedPacket {
  const { icmp, path, ...rest } = packet;
  const isHere = path === "input" || path === "loopback";
  const isFromHere = path === "output" || path === "loopback";
  return {
    ...rest,
    path,
    icmp,
    state,
    sourceType: isFromHere ? "local" : null,
    destinationType: isHere ? "local" : null,
  } as SimulatedPacket;
}

export const surroundings: Surroundings = {
  ownAddress: ({ family }) => HOST_ADDRESS[family],
  route(packet) {
    const { path, out, destination } = routed(packet as unknown as Packet, packet.destination, null);
    return { path, out, destinationType: destination === HOST_ADDRESS[packet.family] ? "local" : null };
  },
};

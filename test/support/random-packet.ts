import fc from "fast-check";
import type { Packet, Path, TrackedState } from "../../src/policy/packet.ts";
import { DEVICES } from "./random-policy.ts";

/** Packets of the small world of `random-policy.ts`, at and right beside the boundaries of its rules. */

const V4 = [
  "10.0.0.1",
  "10.0.0.2",
  "10.0.0.5",
  "10.0.0.6",
  "10.0.0.127",
  "10.0.0.128",
  "10.1.0.0",
  "192.0.2.7",
  "8.8.8.8",
];
const V6 = [1n, 2n, 5n, 6n].map((host) => (0xfd00n << 112n) + host);
const V6_FAR = [(0x20010db8n << 96n) + 7n, (0x20010db8n << 96n) + 8n, 0x2a00n << 112n];

function v4(text: string): bigint {
  return text.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n);
}

export const HOST_ADDRESS = { 4: v4("10.0.0.1"), 6: (0xfd00n << 112n) + 1n } as const;
const ADDRESSES = { 4: V4.map(v4), 6: [...V6, ...V6_FAR] } as const;
const PORTS = [52, 53, 54, 78, 79, 80, 81, 82, 90, 443, 1024, 40000, 65535];

export interface Sample {
  readonly packet: Packet;
  readonly state: TrackedState;
}

/** Packets that can exist: what is delivered here has one of the host's addresses, what is forwarded has not. */
export const randomPacket: fc.Arbitrary<Sample> = fc
  .record({
    family: fc.constantFrom(4 as const, 6 as const),
    path: fc.constantFrom<Path>("input", "input", "forward", "output", "loopback"),
    state: fc.constantFrom<TrackedState>("new", "new", "new", "established", "related", "invalid"),
    in: fc.constantFrom(...DEVICES),
    out: fc.constantFrom(...DEVICES),
    source: fc.nat(),
    destination: fc.nat(),
    protocol: fc.constantFrom(6, 6, 6, 17, 17, 1, 58, 47, 132),
    sourcePort: fc.constantFrom(...PORTS),
    destinationPort: fc.constantFrom(...PORTS),
    icmpType: fc.constantFrom(0, 3, 8, 11, 1, 2, 128, 129, 135, 143, 137),
    icmpCode: fc.constantFrom(0, 4),
    opening: fc.boolean(),
  })
  .map(({ family, path, state, ...draw }) => {
    const addresses = ADDRESSES[family];
    const others = addresses.filter((address) => address !== HOST_ADDRESS[family]);
    const pick = (list: readonly bigint[], n: number): bigint => list[n % list.length]!;
    const portful = draw.protocol === 6 || draw.protocol === 17 || draw.protocol === 132;
    const isIcmp = draw.protocol === (family === 4 ? 1 : 58);
    const packet: Packet = {
      family,
      path,
      in: path === "output" ? null : path === "loopback" ? "lo" : draw.in,
      out: path === "input" ? null : path === "loopback" ? "lo" : draw.out,
      source: path === "input" || path === "forward" ? pick(others, draw.source) : HOST_ADDRESS[family],
      destination:
        path === "output" || path === "forward" ? pick(others, draw.destination) : HOST_ADDRESS[family],
      protocol: draw.protocol,
      sourcePort: portful ? draw.sourcePort : null,
      destinationPort: portful ? draw.destinationPort : null,
      icmp: isIcmp ? { type: draw.icmpType, code: draw.icmpCode } : null,
      opening: draw.protocol === 6 && draw.opening,
    };
    return { packet, state };
  });

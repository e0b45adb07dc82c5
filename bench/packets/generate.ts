import type { Family, Range } from "../../src/address/ranges.ts";
import type { Condition } from "../../src/packets/domain.ts";
import type { MatchRule } from "../../src/packets/rules.ts";
import type { Cube } from "../../src/packets/space.ts";

/** The fields a packet filter looks at, in a good order for diagrams. */
export interface Fields {
  readonly [field: string]: number | bigint;
  readonly path: number;
  readonly in: number;
  readonly out: number;
  readonly opening: number;
  readonly protocol: number;
  readonly destinationPort: number;
  readonly destination: bigint;
  readonly source: bigint;
  readonly sourcePort: number;
}

export type BenchRule = MatchRule<Fields>;

/** What kind of rules to make. */
export interface Mix {
  readonly name: string;
  readonly says: string;
  readonly denies: number;
  readonly ports: number;
  /** Share of rules without a port, without a source, without a destination; never without both ends. */
  readonly anyPort: number;
  readonly anySource: number;
  readonly anyDestination: number;
  readonly portRanges: number;
  /** How many addresses prefixes are drawn around: few make long chains of nested prefixes. */
  readonly centres: number;
  /** Prefix lengths for IPv4; those of IPv6 are 32 + twice as long. */
  readonly lengths: readonly number[];
}

export const MIXES: readonly Mix[] = [
  {
    name: "services",
    says: "allows of a /28 and one of many ports",
    denies: 0,
    ports: 4000,
    anyPort: 0,
    anySource: 0,
    anyDestination: 1,
    portRanges: 0,
    centres: 0,
    lengths: [28],
  },
  {
    name: "firewall",
    says: "mixed prefixes, some wildcards and port ranges, 15 % denies",
    denies: 0.15,
    ports: 200,
    anyPort: 0.1,
    anySource: 0.15,
    anyDestination: 0.15,
    portRanges: 0.1,
    centres: 400,
    lengths: [8, 12, 16, 16, 20, 24, 24, 24, 28, 32, 32, 32],
  },
  {
    name: "hard",
    says: "8 ports, deeply nested prefixes, wildcards on both ends, 50 % denies",
    denies: 0.5,
    ports: 8,
    anyPort: 0.2,
    anySource: 0.3,
    anyDestination: 0.3,
    portRanges: 0.1,
    centres: 64,
    lengths: [16, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32],
  },
];

/** Verdicts of the generated rules. */
export const ALLOW = 1;
export const DENY = 2;
export const UNTRACKED = 3;

/** A small generator of random numbers (mulberry32), so that every run measures the same rules. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** `count` rules of a mix for one family. */
export function generate(mix: Mix, count: number, family: Family, seed = 1): BenchRule[] {
  const next = random(seed * 7 + family);
  const below = (n: number): number => Math.floor(next() * n);
  const bits = family === 4 ? 32 : 128;
  const address = (): bigint => {
    let value = 0n;
    for (let i = 0; i < bits; i += 32) value = (value << 32n) | BigInt(below(2 ** 32));
    return value;
  };
  const centres = Array.from({ length: mix.centres }, address);
  const ports = Array.from({ length: mix.ports }, () => 1 + below(65535));
  const prefix = (): Range<bigint>[] => {
    const drawn = mix.lengths[below(mix.lengths.length)]!;
    const length = family === 4 ? drawn : 32 + 2 * drawn;
    const host = BigInt(bits - length);
    let base = address();
    if (centres.length > 0) {
      // Keeps the first half of the centre, sometimes more.
      const keep = BigInt(Math.min(bits - 1, below(bits)));
      const mask = ((1n << keep) - 1n) << (BigInt(bits) - keep);
      base = (centres[below(centres.length)]! & mask) | (base & ~mask);
    }
    const first = (base >> host) << host;
    return [{ first, last: first + (1n << host) - 1n }];
  };
  const port = (): Range<number>[] => {
    const first = ports[below(ports.length)]!;
    if (next() >= mix.portRanges) return [{ first, last: first }];
    return [{ first, last: Math.min(65535, first + below(2000)) }];
  };
  return Array.from({ length: count }, () => {
    const cube: { -readonly [F in keyof Fields]?: Condition<Fields[F]> } = {
      path: only(0, 3),
      protocol: only(next() < 0.7 ? 6 : 17),
    };
    if (next() >= mix.anyPort) cube.destinationPort = port();
    const wildcard = next();
    if (wildcard >= mix.anySource) cube.source = prefix();
    if (wildcard < 1 - mix.anyDestination) cube.destination = prefix();
    const verdict = next() < mix.denies ? DENY : next() < 0.5 ? ALLOW : UNTRACKED;
    return { match: [cube], verdict };
  });
}

/** The rule for the answers: ends swapped, input for output. */
export function reversed({ match, verdict }: BenchRule): BenchRule {
  return { match: match.map(reversedCube), verdict };
}

function reversedCube(cube: Cube<Fields>): Cube<Fields> {
  const back: { -readonly [F in keyof Fields]?: Condition<Fields[F]> } = { path: only(1, 3) };
  if (cube.protocol) back.protocol = cube.protocol;
  if (cube.destinationPort) back.sourcePort = cube.destinationPort;
  if (cube.source) back.destination = cube.source;
  if (cube.destination) back.source = cube.destination;
  return back;
}

function only(...values: readonly number[]): Range<number>[] {
  return values.map((value) => ({ first: value, last: value }));
}

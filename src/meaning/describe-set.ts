import { printRange } from "../address/print.ts";
import { type Family, mergeRanges, type Range, type Ranges } from "../address/ranges.ts";
import { ICMP_TYPES } from "../language/icmp.ts";
import { nameOfProtocol } from "../language/protocols.ts";
import { coverOf } from "../packets/cover.ts";
import type { Condition } from "../packets/domain.ts";
import type { Diagram } from "../packets/nodes.ts";
import { ICMP, ICMPV6, LOOPBACK, TCP } from "../policy/packet.ts";
import { PATHS } from "../policy/paths.ts";
import type { AddressSet } from "../policy/policy.ts";
import type { Meaning } from "./meaning.ts";
import { portsOf, type Vocabulary } from "./vocabulary.ts";
import { groupAddresses, type PacketCube, type PacketSpace, type World } from "./world.ts";

/** More lines than this nobody reads. */
const MOST_LINES = 3;
/** A list of more values than this says less than the packet that is shown anyway. */
const MOST_VALUES = 4;
/** Values of a long list that are shown where it is cut. */
const SHOWN_VALUES = 3;

/** What it takes to name packets. */
interface Subject {
  readonly policy: { readonly self: AddressSet | null };
  readonly world: World;
}

/** The packets of a set, by family; a family without such packets is left out. */
export type Sets = { readonly [F in Family]?: Diagram };

/**
 * Sets of packets in the policy's own words, a line for each large cube: `tcp clients → self port 11211 in wan`. What is
 * not in `universe` cannot be meant, so a line may hold more of it than the set does. Null where it would not be short.
 */
export function describeSets(
  sets: Sets,
  universe: (family: Family) => Diagram,
  meaning: Meaning,
  words: Vocabulary,
): readonly string[] | null {
  const lines = new Map<string, Family | null>();
  for (const family of [4, 6] as const) {
    const set = sets[family];
    if (set === undefined || set === meaning.space(family).nothing) continue;
    const cubes = wideCubes(set, universe(family), family, meaning.space(family));
    if (!cubes) return null;
    for (const cube of cubes) {
      const line = describeCube(cube, family, meaning, words);
      if (line === null) return null;
      const known = lines.get(line);
      lines.set(line, known === undefined || known === family ? family : null);
    }
    if (lines.size > MOST_LINES) return null;
  }
  if (lines.size === 0) return null;
  // Where both families are concerned, but not alike, a name of addresses of both would say too much.
  const isMixed = sets[4] !== undefined && sets[6] !== undefined;
  return [...lines].map(([line, family]) =>
    isMixed && family !== null && !/\d[.:]/.test(line) ? `${line}, over IPv${family}` : line,
  );
}

/** Large parts of a set in words. */
export interface Parts {
  /** The largest first; lists that are long are cut. */
  readonly lines: readonly string[];
  /** The lines name every packet of the set. */
  readonly isWhole: boolean;
}

/**
 * The largest parts of a set, at most `most`, in the policy's own words. Unlike `describeSets` it always has something to
 * say: of a set of many parts it names some, and of a long list of addresses its beginning.
 */
export function describeParts(
  set: Diagram,
  universe: Diagram,
  family: Family,
  subject: Subject,
  words: Vocabulary,
  most: number,
): Parts {
  const space = subject.world.spaces[family];
  const lines = new Set<string>();
  let left = set;
  for (let count = 0; left !== space.nothing && count < most; count++) {
    const [cube] = coverOf(space, left, 1).cubes;
    if (!cube) break;
    const wide = widen(cube, set, universe, family, space);
    for (const line of linesOf(wide, family, subject, words)) lines.add(line);
    left = space.difference(left, space.set([wide]));
  }
  return { lines: [...lines], isWhole: left === space.nothing };
}

/** A cube in words, a line for each path that packets of it take. */
function linesOf(cube: PacketCube, family: Family, subject: Subject, words: Vocabulary): string[] {
  const paths = cube.path && single(cube.path) === null ? pathsIn(cube.path) : [cube.path];
  return paths.flatMap((path) => {
    const { path: _, ...rest } = cube;
    const line = describeCube({ ...rest, ...(path && { path }) }, family, subject, words, true);
    return line === null ? [] : [line];
  });
}

function pathsIn(condition: Condition<number>): Condition<number>[] {
  const { negated, ranges } = parts(condition);
  return PATHS.flatMap((_, i) =>
    ranges.some(({ first, last }) => first <= i && i <= last) === negated ? [] : [[{ first: i, last: i }]],
  );
}

/** A few cubes that together are the set, as far as the universe goes; null where they are many. */
function wideCubes(
  set: Diagram,
  universe: Diagram,
  family: Family,
  space: PacketSpace,
): readonly PacketCube[] | null {
  const cubes: PacketCube[] = [];
  let left = set;
  while (left !== space.nothing) {
    const [cube] = coverOf(space, left, 1).cubes;
    if (!cube || cubes.length === MOST_LINES) return null;
    const wide = widen(cube, set, universe, family, space);
    cubes.push(wide);
    left = space.difference(left, space.set([wide]));
  }
  return cubes;
}

/** Leaves out the conditions that only keep out what is not in the universe. */
function widen(
  cube: PacketCube,
  set: Diagram,
  universe: Diagram,
  family: Family,
  space: PacketSpace,
): PacketCube {
  const fits = (wider: PacketCube): boolean =>
    space.subset(space.intersection(space.set([wider]), universe), set);
  const groups = groupAddresses(family);
  let wide = cube;
  // The path comes last: `self` says it, and it makes most device conditions idle.
  for (const field of (Object.keys(cube) as (keyof PacketCube)[]).reverse()) {
    const { [field]: condition, ...open } = wide;
    if (fits(open)) wide = open;
    else if ((field === "source" || field === "destination") && condition && "except" in condition) {
      const { except } = condition as { readonly except: Ranges<bigint> };
      const fewer = {
        ...open,
        [field]: { except: except.filter(({ first }) => !groups.some((group) => group.first === first)) },
      };
      if (fits(fewer)) wide = fewer;
    }
  }
  return wide;
}

/** With `cut`, long lists are cut; without, a cube that has one has no words: null. */
function describeCube(
  cube: PacketCube,
  family: Family,
  { policy, world }: Subject,
  words: Vocabulary,
  cut = false,
): string | null {
  const paths = single(cube.path);
  const path = paths === null ? null : PATHS[paths]!;
  if (cube.path && path === null) return null;
  // Nothing but TCP has openings, so a wide cube may leave the protocol out.
  const opens = single(cube.opening) === 1;
  const protocol = opens ? TCP : single(cube.protocol);
  const icmp = family === 4 ? ICMP : ICMPV6;
  const isIcmp = protocol === icmp;
  if (isIcmp && cube.sourcePort && !cut) return null;

  /** A list of values; null where it is long. */
  const listed = <T>(values: readonly T[], text: (value: T) => string): string | null => {
    if (values.length <= MOST_VALUES) return values.map(text).join(", ");
    if (!cut) return null;
    return `${values.slice(0, SHOWN_VALUES).map(text).join(", ")} and ${values.length - SHOWN_VALUES} more`;
  };
  const address = (end: "source" | "destination", here: boolean): string | null => {
    const condition = cube[end];
    if (
      here &&
      (!condition || (policy.self && sameRanges(condition, family === 4 ? policy.self.v4 : policy.self.v6)))
    )
      return "self";
    if (!condition) return "any";
    const { negated, ranges } = parts(condition);
    const text = words.address(family, ranges) ?? listed(ranges, (range) => printRange(family, range));
    return text === null ? null : `${negated ? "not " : ""}${text}`;
  };
  const ports = (condition: Condition<number> | undefined): string | null => {
    if (!condition || isIcmp) return "";
    const { negated, ranges } = parts(condition);
    const name = protocol === null ? null : words.service(protocol, ranges);
    const text = name ?? listed(ranges, (range) => portsOf([range]));
    return text === null ? null : ` port ${negated ? "not " : ""}${text}`;
  };
  const device = (word: "in" | "out"): string | null => {
    const condition = cube[word];
    if (!condition || path === "loopback") return "";
    const names = words.interfaces(condition, world.devices);
    if (names !== null) return ` ${word} ${names}`;
    return cut ? ` ${word} ${devicesIn(condition, world)}` : null;
  };
  const sent = path === "output" || path === "loopback";
  const delivered = path === "input" || path === "loopback";
  const phrases = [
    opens ? "tcp " : traffic(cube, family, isIcmp, cut),
    address("source", sent),
    ports(cube.sourcePort),
    " → ",
    address("destination", delivered),
    ports(cube.destinationPort),
    device("in"),
    device("out"),
    path === "forward" ? ", forwarded" : "",
    // A literal address does not say that this is its host.
    cut && ((sent && cube.source) || (delivered && cube.destination)) ? `, ${path}` : "",
    cube.opening ? (opens ? ", openings" : ", no openings") : "",
  ];
  return phrases.includes(null) ? null : phrases.join("");
}

/** Devices of which some have no name: "others" stands for those. */
function devicesIn(condition: Condition<number>, { devices }: World): string {
  const { negated, ranges } = parts(condition);
  const names = ranges.flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, i) => first + i).flatMap((number) => {
      const device = devices.nameOf(number);
      return device === null || device === LOOPBACK ? [] : [devices.isLiteral(number) ? device : "others"];
    }),
  );
  return `${negated ? "not " : ""}${[...new Set(names)].join(", ")}`;
}

/** The first words: protocols, with the types of ICMP; null where they are many. */
function traffic(
  { protocol, destinationPort, sourcePort }: PacketCube,
  family: Family,
  isIcmp: boolean,
  cut: boolean,
): string | null {
  if (!protocol) return "";
  const { negated, ranges } = parts(protocol);
  const most = cut ? SHOWN_VALUES : MOST_VALUES;
  const numbers = ranges.flatMap(({ first, last }) =>
    Array.from({ length: Math.min(last - first + 1, most + 1) }, (_, i) => first + i),
  );
  if (numbers.length > most && !cut) return null;
  const names = numbers
    .slice(0, most)
    .map((number) => nameOfProtocol(number) ?? String(number))
    .join(", ");
  if (!isIcmp) return `${negated ? "not " : ""}${names}${numbers.length > most ? " and others" : ""} `;
  if (!destinationPort) return "icmp ";
  const types = parts(destinationPort);
  if (types.negated || types.ranges.some(({ first, last }) => first !== last)) {
    if (!cut) return null;
    return `icmp ${types.negated ? "not " : ""}${portsOf(types.ranges)} `;
  }
  const code = sourcePort ? `/${portsOf(parts(sourcePort).ranges)}` : "";
  return `icmp ${types.ranges.map(({ first }) => nameOfType(family, first)).join(", ")}${code} `;
}

function nameOfType(family: Family, type: number): string {
  for (const [name, { v4, v6 }] of ICMP_TYPES) {
    const named = family === 4 ? v4 : v6;
    if (named?.type === type && named.code === null) return name;
  }
  return String(type);
}

function parts<T extends bigint | number>(
  condition: Condition<T>,
): { readonly negated: boolean; readonly ranges: Ranges<T> } {
  return "except" in condition
    ? { negated: true, ranges: condition.except }
    : { negated: false, ranges: condition };
}

/** The one value that a condition allows; null where there are more. */
function single(condition: Condition<number> | undefined): number | null {
  if (!condition || "except" in condition || condition.length !== 1) return null;
  const { first, last } = condition[0]!;
  return first === last ? first : null;
}

function sameRanges(condition: Condition<bigint>, ranges: Ranges<bigint>): boolean {
  if ("except" in condition) return false;
  const merged: readonly Range<bigint>[] = mergeRanges(condition);
  return (
    merged.length === ranges.length &&
    merged.every(({ first, last }, i) => first === ranges[i]!.first && last === ranges[i]!.last)
  );
}

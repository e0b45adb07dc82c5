import type { Ranges } from "../address/ranges.ts";
import { mergeRanges, single } from "../address/ranges.ts";
import { LOOPBACK } from "../policy/packet.ts";
import type { Interfaces } from "../policy/policy.ts";

/**
 * The devices that policies can tell apart, numbered: no device at all, loopback, each device that is named, one more
 * for each wildcard ("another device that starts so"), and one for all the rest.
 */
export interface Devices {
  readonly count: number;
  /** The number of a device; of no device for null. */
  numberOf(device: string | null): number;
  /** A device of this number; null for "no device". */
  nameOf(number: number): string | null;
  /** Whether a number is that of a device which some clause names, and not of one that stands for many. */
  isLiteral(number: number): boolean;
  /** The numbers of the devices that a clause names, its negation not yet applied. */
  matching(interfaces: Interfaces): Ranges<number>;
}

const NO_DEVICE = 0;

/** Numbers the devices of some interface clauses. */
export function numberDevices(clauses: Iterable<Interfaces | null>): Devices {
  const literals = new Set([LOOPBACK]);
  const stems = new Set<string>();
  for (const clause of clauses)
    for (const device of clause?.devices ?? [])
      if (device.endsWith("*")) stems.add(device.slice(0, -1));
      else literals.add(device);

  const another = (stem: string): string => anotherDevice(stem, literals, stems);
  const names = [...literals, ...[...stems].sort().map(another), freshDevice(STARTS, literals, [...stems])];
  const numbers = new Map(names.map((name, i) => [name, i + 1]));
  const matched = new Map<string, Ranges<number>>();
  /** The numbers of the devices that one word of a clause names. */
  function numbersOf(device: string): number[] {
    if (device.endsWith("*"))
      return names.flatMap((name, i) => (name.startsWith(device.slice(0, -1)) ? [i + 1] : []));
    const number = numbers.get(device);
    return number === undefined ? [] : [number];
  }
  const stemsLongestFirst = [...stems].sort((a, b) => b.length - a.length);

  return {
    count: names.length + 1,
    numberOf(device) {
      if (device === null) return NO_DEVICE;
      const literal = numbers.get(device);
      if (literal !== undefined) return literal;
      const stem = stemsLongestFirst.find((one) => device.startsWith(one));
      return numbers.get(stem === undefined ? names.at(-1)! : another(stem))!;
    },
    nameOf: (number) => (number === NO_DEVICE ? null : names[number - 1]!),
    isLiteral: (number) => number !== NO_DEVICE && number <= literals.size,
    matching({ devices }) {
      // Many rules ask for the same few devices.
      const key = devices.join(" ");
      const known = matched.get(key);
      if (known) return known;
      const found = mergeRanges(devices.flatMap(numbersOf).map(single));
      matched.set(key, found);
      return found;
    },
  };
}

/** A device of a stem that is none of the named ones, and starts with no longer stem. */
function anotherDevice(stem: string, taken: ReadonlySet<string>, stems: ReadonlySet<string>): string {
  return freshDevice(
    [stem],
    taken,
    [...stems].filter((other) => !stem.startsWith(other)),
  );
}

/** How the device may start that stands for all that no clause names, the likeliest first. */
const STARTS = ["eth", "port", "dev", ..."abcdefghijklmnopqrstuvwxyz"];

/** A device that starts in one of these ways, is none of the taken ones, and starts with none of `others`. */
function freshDevice(
  starts: readonly string[],
  taken: ReadonlySet<string>,
  others: readonly string[],
): string {
  for (const start of starts) {
    if (others.some((other) => start.startsWith(other))) continue;
    for (const suffix of suffixes()) {
      const name = start + suffix;
      if (!taken.has(name) && !others.some((other) => name.startsWith(other))) return name;
    }
  }
  throw new RangeError(`every device that starts with ${starts.join(" or ")} is named`);
}

/** `0`, `1`, … and then letters, for the policy that names all of these. */
function* suffixes(): Generator<string> {
  for (let i = 0; i < 10_000; i++) yield String(i);
  for (let i = 0; i < 10_000; i++) yield `x${i}`;
}

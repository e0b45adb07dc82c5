import { type Family, lastAddress, mergeRanges, type Range } from "../../address/ranges.ts";
import { addressOf, addressSpan, type FamilyRange, prefixOf } from "../addresses.ts";
import { type Alternatives, NEVER } from "../alternatives.ts";
import { type Comparison, elementKeys, type FindSet, flatten } from "./comparison.ts";
import type { Key } from "./keys.ts";
import type { Value } from "./values.ts";

type AddressKey = Key & { kind: "address" };

/** A test of an address; null where it is not known what it asks for. */
export function addressTest(key: AddressKey, comparison: Comparison, find: FindSet): Alternatives | null {
  const { family, side } = key;
  const { operator, value } = comparison;
  const negated = operator === "!=";
  const ranges = addressRanges(key, comparison, find);
  if (ranges === null) return null;
  if (ranges.length === 0) return negated ? [[{ kind: "family", family }]] : NEVER;
  if (ranges.length === 1 && ranges[0]!.first === 0n && ranges[0]!.last === lastAddress(family))
    return negated ? NEVER : [[{ kind: "family", family }]];
  const name = value.kind === "named" ? value.name : null;
  return [[{ kind: "address", side, family, ranges, name, negated }]];
}

function addressRanges(
  { family }: AddressKey,
  { operator, mask, value }: Comparison,
  find: FindSet,
): readonly Range<bigint>[] | null {
  if (operator === "!") return null;
  const isEquality = operator === "is" || operator === "==" || operator === "!=";
  if (mask !== null) {
    const values = isEquality ? flatten(value, find) : null;
    return values && maskedRanges(family, values, mask);
  }
  if (value.kind === "named") {
    const set = find(value.name);
    if (!set || set.uncertain || !isEquality) return null;
    const cache = `address ${family}`;
    if (!set.known.has(cache)) set.known.set(cache, merged(elementKeys(set.elements), family));
    return set.known.get(cache) as readonly Range<bigint>[] | null;
  }
  const ranges = merged(flatten(value, find), family);
  const [only] = ranges ?? [];
  if (isEquality) return ranges;
  if (!only || ranges?.length !== 1 || only.first !== only.last) return null;
  const bound = only.first;
  const [first, last] =
    operator === "<"
      ? [0n, bound - 1n]
      : operator === "<="
        ? [0n, bound]
        : operator === ">"
          ? [bound + 1n, lastAddress(family)]
          : [bound, lastAddress(family)];
  return first > last ? [] : [{ first, last }];
}

/** `ip saddr & 255.255.0.0 { 10.1.0.0, 10.3.0.0 }`, where the ones of the mask come first. */
function maskedRanges(
  family: Family,
  values: readonly Value[],
  mask: Value,
): readonly Range<bigint>[] | null {
  const hostBits = hostBitsOf(mask, family);
  if (hostBits === null) return null;
  const ranges: Range<bigint>[] = [];
  for (const value of values) {
    const one = addressRange(value);
    if (one?.family !== family || one.first !== one.last) return null;
    // No address has a bit set where it was cut off.
    if ((one.first & hostBits) === 0n) ranges.push({ first: one.first, last: one.first | hostBits });
  }
  return mergeRanges(ranges);
}

/** By mask: the elements of a set are read one by one, all under the same. */
const knownBits = new WeakMap<Value, { readonly family: Family; readonly bits: bigint | null }>();

/** The bits that a mask cuts off; null where it is none of the family. */
function hostBitsOf(mask: Value, family: Family): bigint | null {
  const known = knownBits.get(mask);
  if (known?.family === family) return known.bits;
  const ones = mask.kind === "atom" ? addressOf(mask.text) : null;
  const zeros = ones?.family === family ? lastAddress(family) ^ ones.value : null;
  const bits = zeros !== null && (zeros & (zeros + 1n)) === 0n ? zeros : null;
  knownBits.set(mask, { family, bits });
  return bits;
}

function merged(values: readonly Value[] | null, family: Family): readonly Range<bigint>[] | null {
  if (values === null) return null;
  const ranges: Range<bigint>[] = [];
  for (const value of values) {
    const range = addressRange(value);
    if (range?.family !== family) return null;
    ranges.push({ first: range.first, last: range.last });
  }
  return mergeRanges(ranges);
}

/** The addresses that a value is; null where it is none. */
export function addressRange(value: Value): FamilyRange | null {
  if (value.kind === "atom") return prefixOf(value.text);
  return value.kind === "range" ? addressSpan(value.first, value.last) : null;
}

import type { Family } from "../../address/ranges.ts";
import type { ScriptMatch } from "../../netfilter/script.ts";
import { ICMP, ICMPV6, TCP } from "../names.ts";
import type { Key } from "./keys.ts";
import type { Element, Value } from "./values.ts";

/** How a key is compared; `is` where the script has nothing between the two. */
export type Operator = "is" | "==" | "!=" | "!" | "<" | ">" | "<=" | ">=";

export interface Comparison {
  readonly operator: Operator;
  /** `& MASK` behind the key. */
  readonly mask: Value | null;
  readonly value: Value;
  /** The words of the whole test. */
  readonly text: string;
}

/** A set of the script, by its name. */
export interface NamedSet {
  readonly name: string;
  readonly elements: Element[];
  /** Nobody knows what it holds: elements come and go. */
  uncertain: boolean;
  /** What tests of it came to before, so that many rules share one array. */
  readonly known: Map<string, unknown>;
}

export type FindSet = (name: string) => NamedSet | undefined;

/** What holds in any case where a test of this key passes: nft asks for it before it looks. */
export function implied(key: Key): readonly ScriptMatch[] {
  const family = (value: Family): ScriptMatch => ({ kind: "family", family: value });
  const protocol = (value: number): ScriptMatch => ({ kind: "protocol", protocols: [value], negated: false });
  switch (key.kind) {
    case "address":
      return [family(key.family)];
    case "protocol-4":
      return [family(4)];
    case "next-header":
      return [family(6)];
    case "icmp-type":
    case "icmp-code":
      return [family(key.family), protocol(key.family === 4 ? ICMP : ICMPV6)];
    case "tcp-flags":
      return [protocol(TCP)];
    case "port":
      return key.protocol === null ? [] : [protocol(key.protocol)];
    case "unknown":
      return [
        ...(key.family === null ? [] : [family(key.family)]),
        ...(key.protocol === null ? [] : [protocol(key.protocol)]),
      ];
    default:
      return [];
  }
}

/** The values that a test compares with one by one, those of sets included; null where a set is not known. */
export function flatten(value: Value, find: FindSet): readonly Value[] | null {
  if (value.kind === "named") {
    const set = find(value.name);
    return !set || set.uncertain ? null : elementKeys(set.elements);
  }
  return value.kind === "elements" ? elementKeys(value.elements) : [value];
}

export function elementKeys(elements: readonly Element[]): readonly Value[] | null {
  return elements.some(({ uncertain }) => uncertain) ? null : elements.map(({ key }) => key);
}

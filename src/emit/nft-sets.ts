import { printAddress, printRange } from "../address/print.ts";
import { lastAddress, type Range } from "../address/ranges.ts";
import {
  type Box,
  commonSize,
  type Field,
  type MappedRuleset,
  type TupleMatch,
  type Verdict,
  type VerdictMap,
} from "../netfilter/grouped.ts";
import type { AddressMatch, TableName } from "../netfilter/ruleset.ts";
import { printPorts, protocolName } from "./protocols.ts";
import { identifier } from "./text.ts";

/** Up to so many elements stand in the rule itself. */
const INLINE_ELEMENTS = 8;
/** The same for elements of several fields, which are long. */
const INLINE_TUPLES = 2;

/** A set, or a map from what its elements begin with to verdicts, as it is declared. */
export interface NamedSet {
  readonly kind: "set" | "map";
  readonly name: string;
  /** `ipv4_addr`, `ipv4_addr . inet_proto . inet_service`. */
  readonly type: string;
  /** Whether elements may be ranges. The kernel hashes single values, which is faster. */
  readonly interval: boolean;
  readonly elements: readonly string[];
}

/** Lists that may be declared. */
type List = AddressMatch["ranges"] | TupleMatch["boxes"] | VerdictMap["cases"];

/** The sets and maps that are declared, by the array that their uses share. */
export type SetNames = ReadonlyMap<List, SetUse>;

/** What a rule says to ask a set. */
export interface SetUse {
  readonly name: string;
  /** What the packet's fields are cut to multiples of first; null where they are asked for as they are. */
  readonly sizes: readonly bigint[] | null;
}

/**
 * The lists that are too long to stand in a rule, each once however many rules use it, in order of use; and all maps.
 * `verdictText`: how a verdict is said in the chains of a table.
 */
export function collectSets(
  ruleset: MappedRuleset,
  verdictText: (table: TableName, verdict: Verdict) => string,
): {
  readonly declared: readonly NamedSet[];
  readonly names: SetNames;
} {
  const declared: NamedSet[] = [];
  const names = new Map<List, SetUse>();
  const byContent = new Map<string, string>();
  const makeName = setNames();
  for (const [table, match] of listUses(ruleset)) {
    const list = listOf(match);
    if (names.has(list)) continue;
    if (match.kind === "address") {
      if (list.length <= INLINE_ELEMENTS) continue;
      const name = makeName(match);
      names.set(list, { name, sizes: null });
      declared.push(addressSet(name, match));
      continue;
    }
    if (match.kind === "tuple" && list.length <= INLINE_TUPLES) continue;
    // What comes and what is answered are often the same set, asked for by the other end.
    const boxes = match.kind === "tuple" ? match.boxes : match.cases.map(({ box }) => box);
    const sizes = maskable(match.fields, boxes);
    const content =
      match.kind === "tuple"
        ? tupleSet(match.fields, boxes, sizes)
        : verdictMap(match, sizes, (verdict) => verdictText(table, verdict));
    const key = JSON.stringify([content, sizes?.map(String)]);
    const name = byContent.get(key) ?? makeName(match);
    names.set(list, { name, sizes });
    if (byContent.has(key)) continue;
    byContent.set(key, name);
    declared.push({ name, ...content });
  }
  return { declared, names };
}

type ListUse = AddressMatch | TupleMatch | VerdictMap;

function* listUses(ruleset: MappedRuleset): Generator<readonly [TableName, ListUse]> {
  for (const { table, rules } of ruleset.chains) {
    for (const { matches, statement } of rules) {
      for (const match of matches)
        if (match.kind === "address" || match.kind === "tuple") yield [table, match];
      if (statement.kind === "map") yield [table, statement];
    }
  }
}

function listOf(use: ListUse): List {
  switch (use.kind) {
    case "address":
      return use.ranges;
    case "tuple":
      return use.boxes;
    case "map":
      return use.cases;
  }
}

/** Gives out names. No word of nft's language ends in `-v4`, `-v6` or `-set`, so none is mistaken for one. */
function setNames(): (match: ListUse) => string {
  const counts = new Map<string, number>();
  return (match) => {
    const base = identifier(match.name ?? "", match.kind === "address" ? "addresses" : "group", 60);
    const family = match.kind === "address" ? match : match.fields.find(({ kind }) => kind === "address");
    const tail = family?.kind === "address" ? `v${family.family}` : "set";
    // A count that is part of another name cannot make two names equal: the last number tells how many came before.
    for (;;) {
      const key = `${base}-${tail}`;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      if (count === 1) return key;
      const numbered = `${base}-${count}-${tail}`;
      if (counts.has(numbered)) continue;
      counts.set(numbered, 1);
      return numbered;
    }
  };
}

function addressSet(name: string, { family, ranges }: AddressMatch): NamedSet {
  const elements = ranges.map((range) => printRange(family, range));
  return { kind: "set", name, type: `ipv${family}_addr`, interval: true, elements };
}

/** The sizes of all boxes, where nothing but addresses is more than one value: ports stay as they are, for the reader's sake. */
function maskable(fields: readonly Field[], boxes: readonly Box[]): readonly bigint[] | null {
  const sizes = commonSize(boxes);
  return sizes?.every((size, at) => size === 1n || fields[at]!.kind === "address") ? sizes : null;
}

type Content = Omit<NamedSet, "name">;

function tupleSet(fields: readonly Field[], boxes: readonly Box[], sizes: readonly bigint[] | null): Content {
  const type = fields.map(fieldType).join(" . ");
  const elements = boxes.map((box) =>
    tupleText(fields, sizes ? box.map(({ first }) => ({ first, last: first })) : box),
  );
  return { kind: "set", type, interval: sizes === null, elements };
}

function verdictMap(
  { fields, cases }: VerdictMap,
  sizes: readonly bigint[] | null,
  verdictText: (verdict: Verdict) => string,
): Content {
  const boxes = cases.map(({ box }) => box);
  const { type, interval, elements } = tupleSet(fields, boxes, sizes);
  return {
    kind: "map",
    type: `${type} : verdict`,
    interval,
    elements: elements.map((element, at) => `${element} : ${verdictText(cases[at]!.verdict)}`),
  };
}

function fieldType(field: Field): string {
  switch (field.kind) {
    case "address":
      return `ipv${field.family}_addr`;
    case "protocol":
      return "inet_proto";
    case "port":
      return "inet_service";
  }
}

/** `192.0.2.0/24 . tcp . 80-90`. */
export function tupleText(fields: readonly Field[], box: Box): string {
  return fields.map((field, at) => rangeText(field, box[at]!)).join(" . ");
}

function rangeText(field: Field, range: Range<bigint>): string {
  switch (field.kind) {
    case "address":
      return printRange(field.family, range);
    case "protocol":
      if (range.first !== range.last) throw new Error("a range of protocols");
      return protocolName(Number(range.first));
    case "port":
      return printPorts({ first: Number(range.first), last: Number(range.last) }, "-");
  }
}

/**
 * What a test of several fields asks for: `ip saddr . meta l4proto . th dport`, or `ip saddr & 255.255.255.240 . …` where the
 * addresses are cut to multiples of some size.
 */
export function tupleKey(fields: readonly Field[], sizes: readonly bigint[] | null = null): string {
  return fields.map((field, at) => fieldKey(field) + maskText(field, sizes?.[at] ?? 1n)).join(" . ");
}

function maskText(field: Field, size: bigint): string {
  if (field.kind !== "address" || size === 1n) return "";
  return ` & ${printAddress(field.family, lastAddress(field.family) - size + 1n)}`;
}

function fieldKey(field: Field): string {
  switch (field.kind) {
    case "address":
      return `${field.family === 4 ? "ip" : "ip6"} ${field.side === "source" ? "saddr" : "daddr"}`;
    case "protocol":
      return "meta l4proto";
    case "port":
      return `th ${field.side === "source" ? "sport" : "dport"}`;
  }
}

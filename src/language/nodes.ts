import { isMap, isScalar, isSeq, type ParsedNode, type Scalar, type YAMLMap } from "yaml";
import { scalarMap } from "../source/scalar-map.ts";
import type { Source, Span } from "../source/source.ts";
import type { Word } from "./ast.ts";
import type { Passage } from "./passage.ts";

/*
 * Looking at YAML nodes. Whoever looks asks for the kind that he wants and gets null or nothing for every other kind:
 * the shape has been reported on before.
 */

/** An entry of a mapping. */
export interface Entry {
  readonly key: Word;
  readonly value: ParsedNode | null;
}

/** The span of a node, without the blank lines and comments behind it. */
export function spanOfNode(source: Source, node: ParsedNode): Span {
  const [start, end] = node.range;
  const written = source.text.slice(start, end);
  return { source, start, end: start + Math.max(written.trimEnd().length, Math.min(1, written.length)) };
}

/** The entries of a mapping whose keys are texts, in their order. */
export function entriesOf(source: Source, node: ParsedNode | null | undefined): readonly Entry[] {
  if (!isMap(node)) return [];
  return (node as YAMLMap.Parsed).items.flatMap((pair) => {
    const key = keyOf(source, pair.key);
    return key ? [{ key, value: (pair.value as ParsedNode | null) ?? null }] : [];
  });
}

/** A key as a word. Also `null` may be a name. */
export function keyOf(source: Source, node: ParsedNode | null | undefined): Word | null {
  const text = isScalar(node) && node.value === null ? (node as Scalar.Parsed).source : undefined;
  return text ? { text, span: spanOfNode(source, node!) } : wordOf(source, node);
}

/** The items of a list; a value that is no list is a list of one. */
export function itemsOf(node: ParsedNode | null | undefined): readonly ParsedNode[] {
  if (isSeq(node)) return node.items as ParsedNode[];
  return node ? [node] : [];
}

/**
 * A scalar with a text for its value. A plain scalar that YAML takes for a number is the text that was written:
 * `10.10` is no decimal fraction here.
 */
export function textScalar(node: ParsedNode | null | undefined): (Scalar.Parsed & { value: string }) | null {
  if (!isScalar(node)) return null;
  if (typeof node.value === "string") return node as Scalar.Parsed & { value: string };
  const written = (node as Scalar.Parsed).source;
  if (node.value === null || written === undefined || written === "") return null;
  return Object.assign(Object.create(node) as Scalar.Parsed, { value: written });
}

/** A scalar as a word: its text and its whole span, quotes included. */
export function wordOf(source: Source, node: ParsedNode | null | undefined): Word | null {
  const scalar = textScalar(node);
  return scalar && { text: scalar.value, span: spanOfNode(source, scalar as ParsedNode) };
}

/** A scalar as a passage, of which every character knows its place. */
export function passageOf(source: Source, node: ParsedNode | null | undefined): Passage | null {
  const scalar = textScalar(node);
  if (!scalar) return null;
  return {
    source,
    text: scalar.value,
    offset: scalarMap(source.text, scalar),
    isPlain: scalar.type === "PLAIN",
  };
}

/** A node as plain data, for checking its shape. Of keys that stand there twice, the first one counts. */
export function plainOf(source: Source, node: ParsedNode | null | undefined): unknown {
  if (isSeq(node)) return node.items.map((item) => plainOf(source, item as ParsedNode));
  if (isMap(node)) {
    // Without a prototype, so that no key means anything to JavaScript.
    const plain: Record<string, unknown> = Object.create(null);
    for (const { key, value } of entriesOf(source, node as ParsedNode))
      if (!(key.text in plain)) plain[key.text] = plainOf(source, value);
    return plain;
  }
  return isScalar(node) ? node.value : null;
}

import { type Position, positionOf, type Span } from "../source/source.ts";

/** The first place of a span and the place after its last character. Lines and columns count from 1, in UTF-16 units. */
export interface Region {
  readonly start: Position;
  readonly end: Position;
}

export function regionOf(span: Span): Region {
  return { start: positionOf(span.source, span.start), end: positionOf(span.source, span.end) };
}

/** `policy.yaml:12:20`. */
export function placeOf(span: Span): string {
  const { line, column } = positionOf(span.source, span.start);
  return `${span.source.name}:${line}:${column}`;
}

/** A path as services compare it: without a leading `./`. */
export function pathOf(name: string): string {
  return name.replace(/^(?:\.\/+)+/, "");
}

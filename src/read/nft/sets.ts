import { noteUnknown } from "../reading.ts";
import type { NamedSet } from "./comparison.ts";
import type { Table } from "./tables.ts";
import { accept, type Cursor, isAt, kindAt, skipBlankLines, skipStatement, spanFrom } from "./tokens.ts";
import { readElements } from "./values.ts";

export function readSet(cursor: Cursor, table: Table, name: string): void {
  const set: NamedSet = table.sets.get(name) ?? { name, elements: [], uncertain: false, known: new Map() };
  table.sets.set(name, set);
  skipBlankLines(cursor);
  if (!accept(cursor, "{")) {
    skipStatement(cursor);
    return;
  }
  while (!isAt(cursor, "}") && kindAt(cursor) !== "end") {
    const first = cursor.at;
    if (kindAt(cursor) === "newline" || isAt(cursor, ";")) cursor.at++;
    else if (accept(cursor, "elements")) {
      accept(cursor, "=");
      fillSet(cursor, set, first);
    } else {
      // Elements of such a set come and go, by time or because rules put them there.
      const isTimed = isAt(cursor, "timeout");
      const isFlags = isAt(cursor, "flags");
      skipStatement(cursor);
      const words = cursor.log.source.text.slice(spanFrom(cursor, first).start, spanFrom(cursor, first).end);
      if (isTimed || (isFlags && /\b(?:dynamic|timeout)\b/.test(words))) doubt(cursor, set, first);
      if (cursor.at === first) cursor.at++;
    }
  }
  accept(cursor, "}");
}

export function doubt(cursor: Cursor, set: NamedSet, first: number): void {
  if (!set.uncertain) noteUnknown(cursor.log, "set", spanFrom(cursor, first));
  set.uncertain = true;
}

export function fillSet(cursor: Cursor, set: NamedSet, first: number): void {
  const value = isAt(cursor, "{") ? readElements(cursor) : null;
  if (value?.kind !== "elements") {
    skipStatement(cursor);
    doubt(cursor, set, first);
    return;
  }
  for (const element of value.elements) set.elements.push(element);
  if (value.elements.some(({ uncertain }) => uncertain)) doubt(cursor, set, first);
}

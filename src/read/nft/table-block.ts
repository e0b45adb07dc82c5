import { noteUnknown } from "../reading.ts";
import { readChain } from "./chain-block.ts";
import { readSet } from "./sets.ts";
import { isIp, keyOf, type Place, readName, refuse, type Table, type Tables } from "./tables.ts";
import {
  accept,
  atEnd,
  type Cursor,
  isAt,
  kindAt,
  peek,
  skipBlankLines,
  skipStatement,
  spanFrom,
} from "./tokens.ts";

/** Things of a table that only mean something where a rule names them, and rules that do are not understood. */
export const OTHER_OBJECTS: ReadonlySet<string> = new Set([
  "flowtable",
  "counter",
  "quota",
  "limit",
  "ct",
  "secmark",
  "synproxy",
  "tunnel",
]);

/** Tables of other families see frames before IP does. Those of `arp` see none that carry IP. */
export function readForeign(cursor: Cursor, tables: Tables, first: number): void {
  const hasChains = !isAt(cursor, ";") && kindAt(cursor) !== "newline";
  skipStatement(cursor);
  if (!hasChains) return;
  const whole = spanFrom(cursor, first);
  const line = cursor.log.source.text.indexOf("{", whole.start);
  const span = { ...whole, end: line > whole.start && line < whole.end ? line : whole.end };
  const text = noteUnknown(cursor.log, "table", span);
  if (!/\barp\b/.test(text)) tables.foreign.push(span);
}

export function readTable(cursor: Cursor, tables: Tables, place: Place, first: number): void {
  const { family } = place;
  if (!isIp(family)) {
    readForeign(cursor, tables, first);
    return;
  }
  const table: Table = tables.tables.get(keyOf(place)) ?? {
    family,
    name: place.table,
    chains: new Map(),
    sets: new Map(),
    span: spanFrom(cursor, first),
    dormant: false,
  };
  tables.tables.set(keyOf(place), table);
  skipBlankLines(cursor);
  if (!accept(cursor, "{")) return;
  while (!isAt(cursor, "}")) {
    if (kindAt(cursor) === "end") {
      refuse(cursor, first, "the closing brace is missing");
      return;
    }
    if (kindAt(cursor) === "newline" || isAt(cursor, ";")) cursor.at++;
    else readItem(cursor, tables, table);
  }
  cursor.at++;
}

function readItem(cursor: Cursor, tables: Tables, table: Table): void {
  const first = cursor.at;
  const object = kindAt(cursor) === "word" ? peek(cursor) : "";
  cursor.at++;
  switch (object) {
    case "chain":
    case "set":
    case "map": {
      const name = readName(cursor);
      if (name === null) {
        refuse(cursor, first, `\`${object}\` needs a name`);
        return;
      }
      object === "chain" ? readChain(cursor, tables, table, name, first) : readSet(cursor, table, name);
      return;
    }
    case "flags":
      while (!atEnd(cursor)) {
        if (isAt(cursor, "dormant")) table.dormant = true;
        cursor.at++;
      }
      return;
    case "comment": {
      skipStatement(cursor);
      return;
    }
    default:
      if (!OTHER_OBJECTS.has(object)) {
        refuse(cursor, first, "no part of a table begins like this");
        return;
      }
      skipStatement(cursor);
      return;
  }
}

import { doubt } from "./sets.ts";
import {
  addUnknown,
  FAMILIES,
  findTable,
  isIp,
  keyOf,
  readName,
  readPlace,
  refuse,
  type Tables,
} from "./tables.ts";
import { atEnd, type Cursor, peek, skipStatement } from "./tokens.ts";

/** `flush`, `delete` and `destroy`: of what an empty host does not have nothing is removed. */
export function readRemoval(cursor: Cursor, tables: Tables, command: string, first: number): void {
  const object = peek(cursor);
  cursor.at++;
  if (object === "ruleset") {
    const family = peek(cursor);
    skipStatement(cursor);
    for (const [key, table] of tables.tables)
      if (!isIp(family) || table.family === family) tables.tables.delete(key);
    if (!isIp(family) && !FAMILIES.has(family)) tables.foreign.length = 0;
    return;
  }
  const place = readPlace(cursor);
  if (place === null) {
    refuse(cursor, first, `\`${command} ${object}\` needs a name`);
    return;
  }
  const table = findTable(tables, place);
  if (!table) {
    skipStatement(cursor);
    return;
  }
  const name = atEnd(cursor) ? null : readName(cursor);
  switch (object) {
    case "table":
      if (command === "flush") for (const chain of table.chains.values()) chain.rules = [];
      else tables.tables.delete(keyOf(place));
      skipStatement(cursor);
      return;
    case "chain": {
      const chain = name === null ? undefined : table.chains.get(name);
      skipStatement(cursor);
      if (!chain) return;
      if (command === "flush") chain.rules = [];
      else table.chains.delete(chain.name);
      return;
    }
    case "set":
    case "map": {
      const set = name === null ? undefined : table.sets.get(name);
      skipStatement(cursor);
      if (set && command === "flush") set.elements.length = 0;
      else if (set) table.sets.delete(set.name);
      return;
    }
    case "element": {
      const set = name === null ? undefined : table.sets.get(name);
      skipStatement(cursor);
      set ? doubt(cursor, set, first) : undefined;
      return;
    }
    case "rule": {
      const chain = name === null ? undefined : table.chains.get(name);
      skipStatement(cursor);
      addUnknown(cursor, chain ? [chain] : [], first);
      return;
    }
    default: {
      skipStatement(cursor);
      return;
    }
  }
}

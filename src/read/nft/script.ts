import { noteUnknown, reportSyntax } from "../reading.ts";
import { readChain } from "./chain-block.ts";
import { readRemoval } from "./removal.ts";
import { fillSet, readSet } from "./sets.ts";
import { OTHER_OBJECTS, readForeign, readTable } from "./table-block.ts";
import {
  addUnknown,
  FAMILIES,
  findTable,
  type RuleDraft,
  readName,
  readPlace,
  refuse,
  type Table,
  type Tables,
} from "./tables.ts";
import { type Cursor, isAt, kindAt, peek, skipStatement, spanFrom } from "./tokens.ts";

/** Runs the commands of a script on an empty host. */
export function readScript(cursor: Cursor): Tables {
  const tables: Tables = { log: cursor.log, tables: new Map(), foreign: [] };
  while (kindAt(cursor) !== "end") {
    const first = cursor.at;
    if (kindAt(cursor) === "newline" || isAt(cursor, ";")) cursor.at++;
    else readCommand(cursor, tables);
    // Whatever is left of a line belongs to nothing.
    if (cursor.at === first) {
      cursor.at++;
      skipStatement(cursor);
      reportSyntax(cursor.log, spanFrom(cursor, first), "no command of nft begins like this");
    }
  }
  return tables;
}

function readCommand(cursor: Cursor, tables: Tables): void {
  const first = cursor.at;
  const word = kindAt(cursor) === "word" ? peek(cursor) : "";
  switch (word) {
    case "include": {
      skipStatement(cursor);
      const span = spanFrom(cursor, first);
      noteUnknown(cursor.log, "file", span);
      tables.foreign.push(span);
      return;
    }
    case "flush":
    case "delete":
    case "destroy":
      cursor.at++;
      readRemoval(cursor, tables, word, first);
      return;
    case "list":
    case "reset": // Neither changes what happens to a packet.
      skipStatement(cursor);
      return;
    case "add":
    case "create":
    case "insert":
    case "replace":
      cursor.at++;
      readAddition(cursor, tables, word, first);
      return;
    default: {
      readAddition(cursor, tables, "add", first);
      return;
    }
  }
}

function readAddition(cursor: Cursor, tables: Tables, command: string, first: number): void {
  const object = kindAt(cursor) === "word" ? peek(cursor) : "";
  const isNamed = ["table", "chain", "rule", "set", "map", "element"].includes(object);
  if (!isNamed && OTHER_OBJECTS.has(object)) {
    skipStatement(cursor);
    return;
  }
  if (isNamed) cursor.at++;
  else if (!FAMILIES.has(object)) return;
  const place = readPlace(cursor);
  if (place === null) {
    refuse(cursor, first, `\`${object}\` needs the name of a table`);
    return;
  }
  if (object === "table") {
    readTable(cursor, tables, place, first);
    return;
  }
  const table = findTable(tables, place);
  if (table === null) {
    readForeign(cursor, tables, first);
    return;
  }
  if (table === undefined) {
    refuse(cursor, first, `there is no table \`${place.family} ${place.table}\``);
    return;
  }
  const name = readName(cursor);
  if (name === null) {
    refuse(cursor, first, `\`${object}\` needs a name`);
    return;
  }
  switch (object) {
    case "chain": {
      readChain(cursor, tables, table, name, first);
      return;
    }
    case "set":
    case "map": {
      readSet(cursor, table, name);
      return;
    }
    case "element": {
      addElements(cursor, table, name, first);
      return;
    }
    default: {
      addRule(cursor, table, name, command, first);
      return;
    }
  }
}

function addElements(cursor: Cursor, table: Table, name: string, first: number): void {
  const set = table.sets.get(name);
  if (!set) {
    refuse(cursor, first, `there is no set \`${name}\``);
    return;
  }
  fillSet(cursor, set, first);
}

function addRule(cursor: Cursor, table: Table, name: string, command: string, first: number): void {
  const chain = table.chains.get(name);
  if (!chain) {
    refuse(cursor, first, `there is no chain \`${name}\` in table \`${table.family} ${table.name}\``);
    return;
  }
  const isPlaced = ["handle", "position", "index"].some((word) => isAt(cursor, word));
  const rule: RuleDraft = { at: cursor.at };
  skipStatement(cursor);
  // Among which rules it would come to stand only a running kernel knows.
  if (isPlaced || command === "replace") {
    addUnknown(cursor, [chain], first);
    return;
  }
  if (command === "insert") chain.rules = [rule, ...chain.rules];
  else chain.rules.push(rule);
}

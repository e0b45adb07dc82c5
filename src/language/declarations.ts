import { isMap, type ParsedNode } from "yaml";
import type { Source, Span } from "../source/source.ts";
import { type AddressFiles, readAddressFile } from "./address-files.ts";
import type { AddressDeclaration, AddressNode, InterfaceDeclaration, ServiceDeclaration } from "./ast.ts";
import { quoted, type Reporter } from "./checks.ts";
import { type Entry, entriesOf, itemsOf, passageOf, wordOf } from "./nodes.ts";
import { readService } from "./traffic.ts";
import { checkDevice, checkName, readMember } from "./words.ts";

/*
 * The sections that give names to things. A declaration of which something cannot be read keeps its name, so that
 * nobody is told, besides, that the name is unknown.
 */

type Section = ParsedNode | null | undefined;

export function readInterfaceDeclarations(
  source: Source,
  section: Section,
  report: Reporter,
): readonly InterfaceDeclaration[] {
  return declarations(source, section, report).map(({ key: name, value }) => ({
    name,
    devices: itemsOf(value)
      .flatMap((item) => wordOf(source, item) ?? [])
      .filter((device) => checkDevice(device.text, device.span, report)),
  }));
}

export function readAddressDeclarations(
  source: Source,
  section: Section,
  files: AddressFiles,
  report: Reporter,
): readonly AddressDeclaration[] {
  return declarations(source, section, report).map(({ key: name, value }) => {
    if (!isMap(value)) return { name, members: readAddressList(source, value, report) };
    const path = wordOf(source, entriesOf(source, value).find((entry) => entry.key.text === "file")?.value);
    return { name, members: path ? readAddressFile(path.text, path.span, files, report) : [] };
  });
}

/**
 * The addresses of this host; null where one of them cannot be read, because `self` would then mean less than it should.
 * `any` and `self` are refused where names have been followed: a name may stand for them.
 */
export function readHostAddresses(
  source: Source,
  node: Section,
  report: Reporter,
): readonly AddressNode[] | null {
  const items = itemsOf(node);
  const addresses = readAddressList(source, node, report, (text, span) =>
    text === "any" || text === "self" ? { kind: text, span } : readMember(text, span, report),
  );
  return addresses.length === items.length ? addresses : null;
}

/** Addresses as YAML holds them: one, or a list. */
function readAddressList(
  source: Source,
  node: Section,
  report: Reporter,
  readOne = (text: string, span: Span) => readMember(text, span, report),
): readonly AddressNode[] {
  return itemsOf(node).flatMap((item) => {
    const word = wordOf(source, item);
    if (!word) return [];
    if (/[\s,]/.test(word.text)) {
      report.error("bad-address", word.span, "this is more than one address", {
        help: "write a list: `[…, …]`",
      });
      return [];
    }
    return readOne(word.text, word.span) ?? [];
  });
}

export function readServiceDeclarations(
  source: Source,
  section: Section,
  report: Reporter,
): readonly ServiceDeclaration[] {
  return declarations(source, section, report).map(({ key: name, value }) => {
    let previousHasPorts = false;
    const members = itemsOf(value).flatMap((item) => {
      const passage = passageOf(source, item);
      if (!passage) return [];
      // `[tcp 80, 443]` is a list of two in YAML, and 443 would be a protocol.
      if (previousHasPorts && /^[0-9-]+$/.test(passage.text)) {
        const word = wordOf(source, item)!;
        report.error(
          "bad-protocol",
          word.span,
          `${quoted(word.text)} stands here for a protocol, not for a port`,
          {
            help: `YAML took the comma for its own: quote "tcp 80, 443", or write \`tcp ${word.text}\``,
          },
        );
        return [];
      }
      const member = readService({ passage, report });
      previousHasPorts = member?.ports != null;
      return member ?? [];
    });
    return { name, members };
  });
}

/** The entries of a section, their names checked; of a name that is declared twice, the first one counts. */
function declarations(source: Source, section: Section, report: Reporter): readonly Entry[] {
  const known = new Set<string>();
  return entriesOf(source, section).filter(({ key }) => {
    if (known.has(key.text)) return false;
    known.add(key.text);
    checkName(key.text, key.span, report);
    return true;
  });
}

import type { AddressRanges, PortRanges } from "../address/ranges.ts";
import { mergeRanges } from "../address/ranges.ts";
import type {
  AddressDeclaration,
  AddressNode,
  Document,
  InterfaceDeclaration,
  NameNode,
  ServiceDeclaration,
} from "../language/ast.ts";
import { PROTOCOL_NAMES } from "../language/protocols.ts";
import { suggest, synonym } from "../language/suggest.ts";
import type { Log } from "../source/finding.ts";
import type { Span } from "../source/source.ts";
import type { AddressSet } from "./policy.ts";

/** What a list of addresses comes to once its names are followed. */
export interface ResolvedAddresses {
  /** False where a name without a meaning is among them, which was reported. */
  readonly isKnown: boolean;
  readonly any: boolean;
  readonly self: boolean;
  readonly set: AddressSet;
}

/** The declarations of a document, by name, with a record of which were used. */
export interface Names {
  addresses(nodes: readonly AddressNode[]): ResolvedAddresses;
  /** The declaration of a service; undefined after reporting that there is none, nor a protocol of that name. */
  traffic(node: NameNode): ServiceDeclaration | undefined;
  /** The declaration of a service whose ports are meant; undefined after reporting that there is none. */
  portsOf(node: NameNode): ServiceDeclaration | undefined;
  interface(name: string): InterfaceDeclaration | undefined;
  readonly interfaceNames: readonly string[];
}

/** What a name without a meaning stands for, so that one mistake is not reported a second time where it is used. */
const ANYTHING: ResolvedAddresses = {
  isKnown: false,
  any: true,
  self: false,
  set: { name: null, v4: [], v6: [] },
};

/** The names that may lead to one another. Policies have two or three; following them is recursive. */
const DEEPEST = 32;

/**
 * The ranges of all names together: half a gigabyte of memory. Each name holds what it leads to, so a long list in a
 * thousand others counts a thousand times.
 */
const MOST_RANGES = 20_000_000;

/** Index of a document's declarations. Address names are followed to their literals; a name that leads back to itself is reported once. */
export function declareNames(document: Document, log: Log, mostRanges = MOST_RANGES): Names {
  const addresses = new Map(document.addresses.map((declaration) => [declaration.name.text, declaration]));
  const services = new Map(document.services.map((declaration) => [declaration.name.text, declaration]));
  const interfaces = new Map(document.interfaces.map((declaration) => [declaration.name.text, declaration]));
  const resolved = new Map<string, ResolvedAddresses>();
  const unknown = unknownNames(log);
  /** Names being followed, outermost first: meeting one of them again is a cycle. */
  const path: AddressDeclaration[] = [];
  /** Whether names were found that lead too far. Told once: there is one long way, and every name on it is part of it. */
  let isDeep = false;
  /** Ranges of all names so far, and whether it was said that they are too many. */
  let remembered = 0;
  let isMuch = false;

  function follow(node: NameNode): ResolvedAddresses {
    const known = resolved.get(node.name);
    if (known) return known;
    const declaration = addresses.get(node.name);
    if (!declaration) {
      unknown.report("address", node, () => [...addresses.keys(), "any", "self"]);
      return ANYTHING;
    }
    if (path.includes(declaration)) {
      reportCycle(log, node, path.slice(path.indexOf(declaration)));
      return ANYTHING;
    }
    if (path.length >= DEEPEST) {
      if (!isDeep)
        log.report({
          check: "nested-too-deeply",
          level: "error",
          message: `\`${path[0]!.name.text}\` leads to \`${node.name}\` over more names than anybody can follow`,
          span: node.span,
          help: `let names refer to names at most ${DEEPEST} times in a row`,
        });
      isDeep = true;
      return ANYTHING;
    }
    path.push(declaration);
    const members = union(declaration.members);
    path.pop();
    remembered += members.set.v4.length + members.set.v6.length;
    if (remembered > mostRanges) {
      if (!isMuch)
        log.report({
          check: "inconclusive",
          level: "error",
          message: "the names of this policy come to more addresses than ctc may remember",
          span: declaration.name.span,
          label: "here, all before it together",
          help: "name a long list in the rules, not in other lists",
        });
      isMuch = true;
      return ANYTHING;
    }
    const result = { ...members, set: { ...members.set, name: node.name } };
    resolved.set(node.name, result);
    return result;
  }

  function union(nodes: readonly AddressNode[]): ResolvedAddresses {
    let isKnown = true;
    let any = false;
    let self = false;
    const v4: AddressRanges[number][] = [];
    const v6: AddressRanges[number][] = [];
    for (const node of nodes) {
      switch (node.kind) {
        case "any":
          any = true;
          break;
        case "self":
          self = true;
          break;
        case "literal":
          (node.family === 4 ? v4 : v6).push({ first: node.first, last: node.last });
          break;
        case "name": {
          const named = follow(node);
          isKnown &&= named.isKnown;
          any ||= named.any;
          self ||= named.self;
          for (const range of named.set.v4) v4.push(range);
          for (const range of named.set.v6) v6.push(range);
          break;
        }
      }
    }
    return { isKnown, any, self, set: { name: null, v4: mergeRanges(v4), v6: mergeRanges(v6) } };
  }

  // Every declaration is followed, so that a fault in one that no rule uses is found too.
  for (const { name } of document.addresses) follow({ kind: "name", name: name.text, span: name.span });

  return {
    addresses(nodes) {
      const [only] = nodes;
      return nodes.length === 1 && only?.kind === "name" ? follow(only) : union(nodes);
    },
    traffic(node) {
      const declaration = services.get(node.name);
      if (!declaration)
        unknown.report("protocol or service", node, () => [...services.keys(), ...PROTOCOL_NAMES]);
      return declaration;
    },
    portsOf(node) {
      const declaration = services.get(node.name);
      if (!declaration) unknown.report("service", node, () => [...services.keys()]);
      return declaration;
    },
    interface: (name) => interfaces.get(name),
    interfaceNames: [...interfaces.keys()],
  };
}

const SECTION = {
  address: "addresses",
  service: "services",
  "protocol or service": "services",
  interface: "interfaces",
} as const;

type Nameable = keyof typeof SECTION;

/**
 * Reports names that stand for nothing. A slip of the pen is reported wherever it has to be mended; a name that is like
 * no other, once: one declaration mends all of its places.
 */
function unknownNames(log: Log): {
  report(what: Nameable, node: NameNode, known: () => readonly string[]): void;
} {
  const nearest = new Map<string, string | null>();
  const told = new Set<string>();
  return {
    report(what, { name, span }, known) {
      const key = `${what} ${name}`;
      if (!nearest.has(key)) nearest.set(key, nearestTo(name, known()));
      const near = nearest.get(key)!;
      const place = near === null ? key : `${key} ${span.start} ${span.source.name}`;
      if (told.has(place)) return;
      told.add(place);
      reportUnknown(log, what, name, span, near);
    },
  };
}

/** The name that was probably meant, as other tools say it or nearly so; null where there is none. */
function nearestTo(name: string, known: readonly string[]): string | null {
  return synonym(name, known) ?? suggest(name, known);
}

/** Reports a name that stands for nothing, with the one that was probably meant. */
export function reportUnknown(log: Log, what: Nameable, name: string, span: Span, near: string | null): void {
  log.report({
    check: "unknown-name",
    level: "error",
    message: `no ${what} is called \`${name}\``,
    span,
    help: near ? `did you mean \`${near}\`?` : `declare \`${name}\` under \`${SECTION[what]}:\``,
    ...(near && { fix: { title: `write \`${near}\``, edits: [{ span, text: near }], safe: false } }),
  });
}

function reportCycle(log: Log, node: NameNode, cycle: readonly AddressDeclaration[]): void {
  const names = [...cycle.map(({ name }) => name.text), node.name];
  log.report({
    check: "cyclic-name",
    level: "error",
    message: `\`${node.name}\` leads back to itself`,
    span: node.span,
    label: `this closes the circle ${names.join(" → ")}`,
    related: cycle
      .filter(({ name }) => name.span.start !== node.span.start)
      .map(({ name }) => ({ span: name.span, text: `\`${name.text}\` is declared here` })),
    help: "take one of these names out of the list of the other",
  });
}

/** Ports of a service for one protocol; undefined where it has none for it. */
export function servicePorts(service: ServiceDeclaration, protocol: number): PortRanges | undefined {
  const ranges = service.members.flatMap((member) =>
    member.kind === "protocol" && member.protocol === protocol && member.ports
      ? member.ports.ports.filter((port) => port.kind === "range")
      : [],
  );
  return ranges.length > 0 ? mergeRanges(ranges.map(({ first, last }) => ({ first, last }))) : undefined;
}

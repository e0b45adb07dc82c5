import type {
  AddressNode,
  Document,
  InterfacesNode,
  PeerNode,
  TrafficNode,
  Word,
} from "../../language/ast.ts";
import type { Check } from "../check.ts";

/** A declared name that no rule and no NAT sentence comes to: a leftover, or a rule that says less than it should. */
export const unusedName: Check = {
  name: "unused-name",
  level: "warning",
  run({ document }, report) {
    const used = usedNames(document);
    const unused = (kind: keyof typeof used, names: readonly Word[], what: string): void => {
      for (const { text, span } of names)
        if (!used[kind].has(text))
          report({
            message: `${what} \`${text}\` is used nowhere`,
            span,
            help: `take it out, or use it`,
          });
    };
    unused(
      "interfaces",
      document.interfaces.map(({ name }) => name),
      "the interface",
    );
    unused(
      "addresses",
      document.addresses.map(({ name }) => name),
      "the address list",
    );
    unused(
      "services",
      document.services.map(({ name }) => name),
      "the service",
    );
  },
};

interface Used {
  readonly interfaces: Set<string>;
  readonly addresses: Set<string>;
  readonly services: Set<string>;
}

function usedNames(document: Document): Used {
  const used: Used = { interfaces: new Set(), addresses: new Set(), services: new Set() };
  const declared = new Map(document.addresses.map((declaration) => [declaration.name.text, declaration]));

  /** A name is used when a sentence uses it, or a name that is used. */
  const useAddresses = (nodes: readonly AddressNode[]): void => {
    for (const node of nodes) {
      if (node.kind !== "name" || used.addresses.has(node.name)) continue;
      used.addresses.add(node.name);
      useAddresses(declared.get(node.name)?.members ?? []);
    }
  };
  const usePeer = (peer: PeerNode | null): void => {
    if (!peer) return;
    useAddresses(peer.addresses);
    for (const port of peer.ports?.ports ?? []) if (port.kind === "name") used.services.add(port.name);
  };
  const useTraffic = (traffic: TrafficNode | null): void => {
    if (traffic?.kind === "name") used.services.add(traffic.name);
  };
  const useInterfaces = (interfaces: InterfacesNode | null): void => {
    for (const { text } of interfaces?.names ?? []) used.interfaces.add(text);
  };

  useAddresses(document.hostAddresses ?? []);
  const sentences = [...document.policies.flatMap(({ rules }) => rules), ...document.nat];
  for (const { traffic, from, to, in: incoming, out } of sentences) {
    useTraffic(traffic);
    usePeer(from);
    usePeer(to);
    useInterfaces(incoming);
    useInterfaces(out);
  }
  for (const node of document.nat) {
    if (node.kind === "snat") useAddresses(node.pool ?? []);
    if (node.kind === "dnat") useAddresses(node.target ?? []);
  }
  return used;
}

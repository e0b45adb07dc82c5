import type { Family, PortRanges, Range, Ranges } from "../address/ranges.ts";
import { mergeRanges } from "../address/ranges.ts";
import type { Document } from "../language/ast.ts";
import type { Condition } from "../packets/domain.ts";
import type { Policy } from "../policy/policy.ts";
import type { Devices } from "./devices.ts";

/** The words that a policy has for values: what its author reads faster than numbers. */
export interface Vocabulary {
  /** The declared name of exactly these addresses. */
  address(family: Family, ranges: Ranges<bigint>): string | null;
  /** The service that has exactly these ports for the protocol. */
  service(protocol: number, ports: PortRanges): string | null;
  /** Declared interfaces or devices, as a rule would name them; null where there is no short way to. */
  interfaces(condition: Condition<number>, devices: Devices): string | null;
}

/** `80, 443, 8000-8100` */
export function portsOf(ranges: PortRanges): string {
  return ranges.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`)).join(", ");
}

/** The names that the rules of a policy use. */
export function vocabularyOf(document: Document, policy: Policy): Vocabulary {
  const addresses = new Map<string, string>();
  for (const { match } of policy.rules)
    for (const { addresses: set } of [match.source, match.destination]) {
      if (set.name === null) continue;
      for (const [family, ranges] of [
        [4, set.v4],
        [6, set.v6],
      ] as const)
        if (ranges.length > 0 && ranges.length < 100) addresses.set(keyOf(family, ranges), set.name);
    }

  const services = new Map<string, string>();
  for (const { name, members } of document.services) {
    const byProtocol = new Map<number, Range<number>[]>();
    for (const member of members)
      if (
        member.kind === "protocol" &&
        typeof member.protocol === "number" &&
        member.ports &&
        !member.ports.negated
      )
        for (const port of member.ports.ports)
          if (port.kind === "range")
            byProtocol.set(member.protocol, [...(byProtocol.get(member.protocol) ?? []), port]);
    for (const [protocol, ports] of byProtocol) services.set(keyOf(protocol, mergeRanges(ports)), name.text);
  }

  return {
    address: (family, ranges) => addresses.get(keyOf(family, ranges)) ?? null,
    service: (protocol, ports) => services.get(keyOf(protocol, ports)) ?? null,
    interfaces(condition, devices) {
      const negated = "except" in condition;
      const numbers = new Set(
        (negated ? condition.except : condition).flatMap(({ first, last }) =>
          Array.from({ length: last - first + 1 }, (_, i) => first + i),
        ),
      );
      numbers.delete(devices.numberOf(null));
      numbers.delete(devices.numberOf("lo"));
      const names: string[] = [];
      for (const { name, devices: patterns } of document.interfaces) {
        const theirs = numbersOf(
          patterns.map(({ text }) => text),
          devices,
        );
        if (theirs.length === 0 || !theirs.every((number) => numbers.has(number))) continue;
        names.push(name.text);
        for (const number of theirs) numbers.delete(number);
      }
      for (const number of numbers) {
        const device = devices.nameOf(number);
        // One of the devices that nobody named stands for all of them, and has no name to write.
        if (device === null || !devices.isLiteral(number)) return null;
        names.push(device);
      }
      return names.length === 0 ? null : `${negated ? "not " : ""}${names.join(", ")}`;
    },
  };
}

/** The words of one policy and, for what it has none for, those of another. */
export function eitherVocabulary(first: Vocabulary, second: Vocabulary): Vocabulary {
  return {
    address: (family, ranges) => first.address(family, ranges) ?? second.address(family, ranges),
    service: (protocol, ports) => first.service(protocol, ports) ?? second.service(protocol, ports),
    interfaces: (condition, devices) =>
      first.interfaces(condition, devices) ?? second.interfaces(condition, devices),
  };
}

function numbersOf(patterns: readonly string[], devices: Devices): number[] {
  return devices
    .matching({ negated: false, devices: patterns })
    .flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
}

function keyOf(kind: number, ranges: Ranges<bigint> | Ranges<number>): string {
  return `${kind} ${ranges.map(({ first, last }) => `${first}-${last}`).join(",")}`;
}

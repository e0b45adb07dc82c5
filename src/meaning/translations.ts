import { printRange } from "../address/print.ts";
import type { Family, Range } from "../address/ranges.ts";
import { targetOf } from "../policy/nat.ts";
import type { DestinationNat, SourceNat } from "../policy/policy.ts";

/** Protocols whose ports NAT rewrites: TCP, UDP, DCCP, SCTP. A narrowed range of ports holds for these alone. */
export const TRANSLATED_PORTS: readonly number[] = [6, 17, 33, 132];

/** What a translation does, apart from the packets it is for. */
export interface Translation {
  readonly kind: "masquerade" | "snat" | "dnat" | "redirect";
  readonly addresses: Range<bigint> | null;
  readonly ports: Range<number> | null;
  /** Ports are drawn fully at random. Of destination NAT always false. */
  readonly random: boolean;
}

/** `snat to 192.0.2.40-192.0.2.43, fully random`: equal for translations that do the same, and for nothing else. */
export function describeTranslation({ kind, addresses, ports, random }: Translation, family: Family): string {
  const isSource = kind === "masquerade" || kind === "snat";
  const words: string[] = [kind];
  if (addresses) words.push(`to ${printRange(family, addresses)}`);
  if (ports)
    words.push(ports.first === ports.last ? `port ${ports.first}` : `ports ${ports.first}-${ports.last}`);
  return isSource ? `${words.join(" ")}, ${random ? "fully random" : "keeping ports"}` : words.join(" ");
}

/** What a sentence does to packets of a family; null where it does not translate the family. `portful`: see above. */
export function sourceTranslation(
  { masquerade, pool, ports, random }: SourceNat,
  family: Family,
  portful: boolean,
): Translation | null {
  const addresses = pool && targetOf(pool, family);
  if (!masquerade && !addresses) return null;
  return { kind: masquerade ? "masquerade" : "snat", addresses, ports: portful ? ports : null, random };
}

/** The same for a sentence that rewrites destinations. */
export function destinationTranslation(
  { redirect, target, ports }: DestinationNat,
  family: Family,
): Translation | null {
  const addresses = target && targetOf(target, family);
  if (!redirect && !addresses) return null;
  return { kind: redirect ? "redirect" : "dnat", addresses, ports, random: false };
}

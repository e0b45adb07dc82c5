import type { IcmpType } from "./ast.ts";

/** What one name stands for in ICMP (v4) and ICMPv6 (v6); null where it has no meaning. */
export interface NamedIcmpType {
  readonly v4: IcmpType | null;
  readonly v6: IcmpType | null;
}

function named(v4: string | null, v6: string | null): NamedIcmpType {
  return { v4: v4 === null ? null : parseIcmpType(v4), v6: v6 === null ? null : parseIcmpType(v6) };
}

/**
 * The type names, after the IANA registries "ICMP Type Numbers" and "ICMPv6 Parameters". What both families have under
 * different numbers has one name; a packet too big for the next link is type 2 on IPv6, on IPv4 type 3 with code 4.
 */
export const ICMP_TYPES: ReadonlyMap<string, NamedIcmpType> = new Map([
  ["echo-request", named("8", "128")],
  ["echo-reply", named("0", "129")],
  ["destination-unreachable", named("3", "1")],
  ["network-unreachable", named("3/0", "1/0")],
  ["host-unreachable", named("3/1", "1/3")],
  ["port-unreachable", named("3/3", "1/4")],
  ["admin-prohibited", named("3/13", "1/1")],
  ["packet-too-big", named("3/4", "2")],
  ["fragmentation-needed", named("3/4", "2")],
  ["time-exceeded", named("11", "3")],
  ["ttl-exceeded", named("11/0", "3/0")],
  ["reassembly-timeout", named("11/1", "3/1")],
  ["parameter-problem", named("12", "4")],
  ["redirect", named("5", "137")],
  ["router-advertisement", named("9", "134")],
  ["router-solicitation", named("10", "133")],
  ["protocol-unreachable", named("3/2", null)],
  ["source-quench", named("4", null)],
  ["timestamp-request", named("13", null)],
  ["timestamp-reply", named("14", null)],
  ["address-mask-request", named("17", null)],
  ["address-mask-reply", named("18", null)],
  ["neighbour-solicitation", named(null, "135")],
  ["neighbour-advertisement", named(null, "136")],
  ["neighbor-solicitation", named(null, "135")],
  ["neighbor-advertisement", named(null, "136")],
  ["mld-listener-query", named(null, "130")],
  ["mld-listener-report", named(null, "131")],
  ["mld-listener-done", named(null, "132")],
  ["mld2-listener-report", named(null, "143")],
]);

/** `TYPE` or `TYPE/CODE`, each from 0 to 255 without leading zeros; null for anything else. */
export function parseIcmpType(text: string): IcmpType | null {
  const match = /^(0|[1-9][0-9]{0,2})(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(text);
  if (!match) return null;
  const type = Number(match[1]);
  const code = match[2] === undefined ? null : Number(match[2]);
  return type > 255 || (code ?? 0) > 255 ? null : { type, code };
}

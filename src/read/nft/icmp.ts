import type { Family } from "../../address/ranges.ts";
import { numberIn } from "../names.ts";

/** The names of `nft describe icmp type` and of its siblings (nftables 1.0). */
const TYPES: Readonly<Record<Family, ReadonlyMap<string, number>>> = {
  4: new Map([
    ["echo-reply", 0],
    ["destination-unreachable", 3],
    ["source-quench", 4],
    ["redirect", 5],
    ["echo-request", 8],
    ["router-advertisement", 9],
    ["router-solicitation", 10],
    ["time-exceeded", 11],
    ["parameter-problem", 12],
    ["timestamp-request", 13],
    ["timestamp-reply", 14],
    ["info-request", 15],
    ["info-reply", 16],
    ["address-mask-request", 17],
    ["address-mask-reply", 18],
  ]),
  6: new Map([
    ["destination-unreachable", 1],
    ["packet-too-big", 2],
    ["time-exceeded", 3],
    ["parameter-problem", 4],
    ["echo-request", 128],
    ["echo-reply", 129],
    ["mld-listener-query", 130],
    ["mld-listener-report", 131],
    ["mld-listener-done", 132],
    ["mld-listener-reduction", 132],
    ["nd-router-solicit", 133],
    ["nd-router-advert", 134],
    ["nd-neighbor-solicit", 135],
    ["nd-neighbor-advert", 136],
    ["nd-redirect", 137],
    ["router-renumbering", 138],
    ["ind-neighbor-solicit", 141],
    ["ind-neighbor-advert", 142],
    ["mld2-listener-report", 143],
  ]),
};

const CODES: Readonly<Record<Family, ReadonlyMap<string, number>>> = {
  4: new Map([
    ["net-unreachable", 0],
    ["host-unreachable", 1],
    ["prot-unreachable", 2],
    ["port-unreachable", 3],
    ["frag-needed", 4],
    ["net-prohibited", 9],
    ["host-prohibited", 10],
    ["admin-prohibited", 13],
  ]),
  6: new Map([
    ["no-route", 0],
    ["admin-prohibited", 1],
    ["addr-unreachable", 3],
    ["port-unreachable", 4],
    ["policy-fail", 5],
    ["reject-route", 6],
  ]),
};

/** An ICMP type or code by number or name; null where it is neither. */
export function icmpNumber(text: string, family: Family, field: "icmp-type" | "icmp-code"): number | null {
  return numberIn(text, 255) ?? (field === "icmp-type" ? TYPES : CODES)[family].get(text) ?? null;
}

import type { Family } from "../address/ranges.ts";
import type { Field, GroupedMatch } from "../netfilter/grouped.ts";
import { PROTOCOLS_OF_BITMAPS } from "../netfilter/ipset.ts";
import type { Side } from "../netfilter/ruleset.ts";
import type { IpsetNames } from "./ipset.ts";
import { not, ofKind, unsayable } from "./iptables-options.ts";

/** The tests that ask sets. */
export function setOptions(
  matches: readonly GroupedMatch[],
  family: Family,
  names: IpsetNames,
): readonly string[] {
  return matches.flatMap((match): readonly string[] => {
    switch (match.kind) {
      case "address": {
        const name = names.get(match.ranges);
        return name === undefined ? [] : [setOption(name, [match.side], match.negated)];
      }
      case "port": {
        const name = names.get(match.ports);
        if (name === undefined) return [];
        const isHeld = ofKind(matches, "protocol").some(
          ({ protocols, negated }) => !negated && protocols.every((one) => PROTOCOLS_OF_BITMAPS.has(one)),
        );
        if (!isHeld) unsayable("many ports of another protocol than TCP and UDP");
        return [setOption(name, [match.side], match.negated)];
      }
      case "tuple": {
        const name = names.get(match.boxes);
        if (name === undefined) unsayable("several fields at once");
        return [setOption(name, directions(match.fields, family), false)];
      }
      default:
        return [];
    }
  });
}

function setOption(name: string, sides: readonly Side[], negated: boolean): string {
  const words = sides.map((side) => (side === "source" ? "src" : "dst")).join(",");
  return `-m set ${not(negated)}--match-set ${name} ${words}`;
}

/** The side of the address and that of the port; the protocol has none. */
function directions(fields: readonly Field[], family: Family): readonly Side[] {
  return fields.flatMap((field) => {
    if (field.kind === "address" && field.family !== family) unsayable("an address of the other family");
    return field.kind === "protocol" ? [] : [field.side];
  });
}

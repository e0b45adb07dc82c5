import { printRange } from "../address/print.ts";
import type { Family } from "../address/ranges.ts";
import type { GroupedMatch } from "../netfilter/grouped.ts";
import type { Side } from "../netfilter/ruleset.ts";
import type { IpsetNames } from "./ipset.ts";
import { atMostOne, not, ofKind, unsayable } from "./iptables-options.ts";
import { setOptions } from "./iptables-sets.ts";
import { transportOptions } from "./iptables-transport.ts";
import { checkedDevice } from "./text.ts";

/**
 * The tests of one line; `names`: of the sets that it may ask. Throws where a test asks for more than a line can: that the rule was not made legal before is
 * a mistake of this program, and leaving a test out would open the host.
 */
export function matchOptions(
  matches: readonly GroupedMatch[],
  family: Family,
  names: IpsetNames,
): readonly string[] {
  if (matches.some(({ kind }) => kind === "family")) unsayable("a family");
  // The order in which iptables-save lists them, so that a script can be compared with what is loaded. The kernel makes
  // those of the first two lines before it calls an extension.
  return [
    ...addressOptions(matches, family, "prefix", names),
    ...(["in", "out"] as const).flatMap((side) => interfaceOptions(matches, side)),
    ...transportOptions(matches, family, names),
    ...addressOptions(matches, family, "range", names),
    ...setOptions(matches, family, names),
    ...ofKind(matches, "address-type").map(
      ({ side, types, negated }) =>
        `-m addrtype ${not(negated)}--${side === "source" ? "src" : "dst"}-type ${types.join(",").toUpperCase()}`,
    ),
    ...ofKind(matches, "state").map(
      ({ states, negated }) => `-m conntrack ${not(negated)}--ctstate ${states.join(",").toUpperCase()}`,
    ),
    ...ofKind(matches, "dnat-status").map(() => "-m conntrack --ctstate DNAT"),
    ...ofKind(matches, "limit").map(
      ({ count, unit, burst }) => `-m limit --limit ${count}/${unit} --limit-burst ${burst}`,
    ),
  ];
}

function interfaceOptions(matches: readonly GroupedMatch[], side: "in" | "out"): readonly string[] {
  const tests = ofKind(matches, "interface").filter((match) => match.side === side);
  const test = atMostOne(tests, `${side} interface`);
  if (!test) return [];
  if (test.devices.length !== 1) unsayable("several devices");
  const device = checkedDevice(test.devices[0]!).replace("*", "+");
  return [`${not(test.negated)}-${side === "in" ? "i" : "o"} ${device}`];
}

/** `-s` and `-d` take a prefix, once; other ranges need an extension, of which a line can have several. */
function addressOptions(
  matches: readonly GroupedMatch[],
  family: Family,
  form: "prefix" | "range",
  names: IpsetNames,
): readonly string[] {
  return (["source", "destination"] as const).flatMap((side) => {
    const options = ofKind(matches, "address")
      .filter((match) => match.side === side && !names.has(match.ranges))
      .flatMap((match) => {
        if (match.family !== family) unsayable("an address of the other family");
        if (match.ranges.length !== 1) unsayable("several addresses");
        const text = printRange(family, match.ranges[0]!);
        if (text.includes("-") !== (form === "range")) return [];
        return [`${not(match.negated)}${addressOption[form][side]} ${text}`];
      });
    if (form === "prefix") atMostOne(options, side);
    return form === "range" ? options.map((option) => `-m iprange ${option}`) : options;
  });
}

const addressOption: { readonly [form in "prefix" | "range"]: { readonly [side in Side]: string } } = {
  prefix: { source: "-s", destination: "-d" },
  range: { source: "--src-range", destination: "--dst-range" },
};

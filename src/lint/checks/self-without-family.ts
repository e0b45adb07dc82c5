import type { Family } from "../../address/ranges.ts";
import type { AddressSet, Peer, Rule } from "../../policy/policy.ts";
import type { Check } from "../check.ts";

/** `host.addresses` of one IP version, where rules name addresses of the other one that are to reach this host. */
export const selfWithoutFamily: Check = {
  name: "self-without-family",
  level: "warning",
  run({ document, policy: { self, rules } }, report) {
    const first = document.hostAddresses?.[0];
    const last = document.hostAddresses?.at(-1);
    if (!self || !first || !last) return;
    for (const family of [4, 6] as const) {
      if (of(self, family).length > 0) continue;
      const rule = rules.find((one) => one.origin.role === "written" && losesFamily(one, family));
      if (!rule) continue;
      report({
        message: `\`self\` has no IPv${family} address, so rules that name some for its other end match none of their packets`,
        span: { ...first.span, end: Math.max(first.span.end, last.span.end) },
        label: `IPv${family === 4 ? 6 : 4} alone`,
        related: [{ span: rule.origin.span, text: `names IPv${family} addresses, and \`self\`` }],
        help: `list this host's IPv${family} addresses too, or leave \`host:\` out: \`self\` is then whatever the kernel delivers here`,
      });
    }
  },
};

/** Whether one end of a rule is `self` and nothing else, and the other names addresses of the family. */
function losesFamily({ match: { source, destination, traffic } }: Rule, family: Family): boolean {
  const isSelfAlone = ({ self, any, negated, addresses }: Peer): boolean =>
    self && !any && !negated && of(addresses, family).length === 0;
  const names = ({ addresses, negated }: Peer): boolean => !negated && of(addresses, family).length > 0;
  return (
    traffic.some((entry) => entry.family === null || entry.family === family) &&
    ((isSelfAlone(source) && names(destination)) || (isSelfAlone(destination) && names(source)))
  );
}

function of(set: AddressSet, family: Family): AddressSet["v4"] {
  return family === 4 ? set.v4 : set.v6;
}

import { cubesOf } from "../../meaning/world.ts";
import { matchOf } from "../../packets/rules.ts";
import type { Check } from "../check.ts";

/** A rule whose conditions no packet can meet together. What never comes together plainly is found when names are resolved. */
export const unmatchableRule: Check = {
  name: "unmatchable-rule",
  level: "error",
  run({ policy, meaning }, report) {
    const fates = meaning.ruleFates();
    policy.rules.forEach((rule, i) => {
      if (fates[i]!.decides || rule.origin.role !== "written") return;
      // Of rules that decide nothing nearly all match something, which the rules as they are ranked already show.
      const isTaken = ([4, 6] as const).some((family) =>
        meaning.space(family).intersects(matchOf(meaning.ruleList(family), i), meaning.possible(family)),
      );
      if (isTaken) return;
      // Denies that match on an essential loopback alone are not among those.
      const isMatchable = ([4, 6] as const).some((family) => {
        const space = meaning.space(family);
        const match = space.set(cubesOf(rule.match, family, policy.self, meaning.world.devices));
        return space.intersects(match, meaning.possible(family));
      });
      if (isMatchable) return;
      report({
        message: "no packet can meet all of these conditions",
        span: rule.origin.span,
        help: "look for addresses, ports or interfaces that exclude each other",
      });
    });
  },
};

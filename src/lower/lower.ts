import type { Ruleset } from "../netfilter/ruleset.ts";
import type { Policy } from "../policy/policy.ts";
import { lowerFilter } from "./filter.ts";
import { lowerNat } from "./nat.ts";
import { lowerRaw } from "./raw.ts";

/**
 * The ruleset that makes the kernel do what a policy means: base chains in the order in which a packet meets them,
 * then the chains they call.
 */
export function lower(policy: Policy): Ruleset {
  const chains = [...lowerRaw(policy), ...lowerNat(policy), ...lowerFilter(policy)];
  return {
    chains: [...chains.filter(({ base }) => base), ...chains.filter(({ base }) => !base)],
  };
}

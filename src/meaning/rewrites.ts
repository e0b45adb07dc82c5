import type { Family } from "../address/ranges.ts";
import type { Diagram } from "../packets/nodes.ts";
import type { DestinationNat, Policy } from "../policy/policy.ts";
import type { Conduct } from "./conduct.ts";
import type { Outcomes } from "./outcomes.ts";
import { rewriter } from "./possible.ts";
import type { SeenWorld } from "./seen.ts";
import { describeTranslation, destinationTranslation } from "./translations.ts";
import { whereLeaves } from "./where-leaves.ts";
import { cubesOf } from "./world.ts";

/** What a destination NAT sentence takes, and what becomes of it. */
export interface Rewrite {
  readonly nat: DestinationNat;
  /** The packets that it takes, as they come. */
  readonly before: Diagram;
  /** The same as the filter sees them. */
  readonly after: Diagram;
}

/** The destination NAT of a policy, sentence by sentence, of those packets `among` that open a flow and come to it. */
export function rewritesOf(
  policy: Policy,
  { opening, destinationNat }: Conduct,
  among: Diagram,
  family: Family,
  world: SeenWorld,
  outcomes: Outcomes,
): Rewrite[] {
  const space = world.seenSpaces[family];
  const rewriting = space.intersection(
    among,
    whereLeaves(space, outcomes, opening, ({ kind }) => kind === "translate"),
  );
  const rewritten = rewriter(family, world, policy.self);
  return policy.destinationNat.flatMap((nat) => {
    const translation = destinationTranslation(nat, family);
    if (!translation) return [];
    const leaf = outcomes.leaf("translate", describeTranslation(translation, family));
    // Each sentence is looked for among its own packets: among all, a long list would take quadratic time.
    const matched = space.set(cubesOf(nat.match, family, policy.self, world.devices));
    const taken = space.where(space.restrict(destinationNat, matched), leaf);
    const before = space.intersection(rewriting, taken);
    return [{ nat, before, after: rewritten(translation, nat, before) }];
  });
}

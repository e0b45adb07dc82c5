import type { Family } from "../address/ranges.ts";
import type { Diagram } from "../packets/nodes.ts";
import type { DestinationNat, Policy } from "../policy/policy.ts";
import type { Conduct } from "./conduct.ts";
import type { Outcomes } from "./outcomes.ts";
import { rewritten } from "./possible.ts";
import type { SeenWorld } from "./seen.ts";
import { describeTranslation, destinationTranslation } from "./translations.ts";
import { whereLeaves } from "./where-leaves.ts";

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
  return policy.destinationNat.flatMap((nat) => {
    const translation = destinationTranslation(nat, family);
    if (!translation) return [];
    const leaf = outcomes.leaf("translate", describeTranslation(translation, family));
    const before = space.intersection(rewriting, space.where(destinationNat, leaf));
    return [{ nat, before, after: rewritten(translation, nat, before, family, world, policy.self) }];
  });
}

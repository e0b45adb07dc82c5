import type { Family } from "../address/ranges.ts";
import { firstMatch } from "../packets/first-match.ts";
import { BudgetSpent, type Diagram } from "../packets/nodes.ts";
import { type RuleList, selectRules } from "../packets/rules.ts";
import type { Found } from "../packets/search.ts";
import { attempt } from "../packets/space.ts";
import type { Policy } from "../policy/policy.ts";
import {
  answerablePackets,
  composedFates,
  FATE,
  fateOf,
  type LimitCase,
  marks,
  possiblePackets,
  rankedRules,
  type View,
} from "./fates.ts";
import { type RuleFate, ruleFates, ruleList } from "./rule-fates.ts";
import { createWorld, type Fields, type PacketSpace, type World } from "./world.ts";

/** What one policy does with all packets, worked out piece by piece as somebody asks. */
export interface Meaning {
  readonly policy: Policy;
  readonly world: World;
  space(family: Family): PacketSpace;
  /** A `Fate` for every packet or its reply. */
  fates(family: Family, limits: LimitCase, view: View): Diagram;
  /**
   * A `Fate` for the replies to packets that may be left untracked, and for replies that an untracked rule matches, whether
   * or not it decides; of other replies it only says that they are denied. Where little is untracked, little is worked out.
   */
  replies(family: Family, limits: LimitCase): Diagram;
  /** `FATE.untracked` for every packet, or every packet's reply, that raw leaves untracked. */
  marks(family: Family, view: View): Diagram;
  /** The rules as the engine knows them, in their order. */
  ruleList(family: Family): RuleList<Fields>;
  /** By rule, what its turn finds unsettled; null where that was not worked out on the way. */
  unsettled(family: Family): readonly Found[] | null;
  /** What becomes of each rule among the others, in their order. */
  ruleFates(): readonly RuleFate[];
  /** The packets that can exist. */
  possible(family: Family): Diagram;
  /** The packets that somebody may answer. */
  answerable(family: Family): Diagram;
}

/**
 * The meaning of a policy. Its diagrams are made when first asked for, and kept. Throws `BudgetSpent` from where one
 * outgrows the node budget of the world, and again whenever it is asked for.
 */
export function meaningOf(policy: Policy, world: World = createWorld([policy])): Meaning {
  const made = new Map<string, Diagram>();
  const spent = new Map<string, number>();
  const once = (family: Family, what: string, make: () => Diagram): Diagram => {
    const key = `${family} ${what}`;
    const known = made.get(key);
    if (known !== undefined) return known;
    const diagram = withinBudget(key, family, make);
    made.set(key, diagram);
    return diagram;
  };
  function withinBudget<T>(key: string, family: Family, make: () => T): T {
    const budget = spent.get(key);
    if (budget !== undefined) throw new BudgetSpent(budget);
    const conclusion = attempt(world.spaces[family], make);
    if (conclusion.kind === "conclusive") return conclusion.value;
    spent.set(key, conclusion.budget);
    throw new BudgetSpent(conclusion.budget);
  }
  const lists = new Map<string, RuleList<Fields>>();
  const listOnce = (key: string, make: () => RuleList<Fields>): RuleList<Fields> => {
    const list = lists.get(key) ?? make();
    lists.set(key, list);
    return list;
  };
  const ranked = (family: Family, view: View): RuleList<Fields> =>
    listOnce(`${family} ${view}`, () => rankedRules(policy, family, world, view));
  const hasLimits = policy.rules.some(({ limit }) => limit);
  const unsettled: { [F in Family]?: readonly Found[] } = {};
  let rules: readonly RuleFate[] | null = null;
  const meaning: Meaning = {
    policy,
    world,
    space: (family) => world.spaces[family],
    fates: (family, limits, view) =>
      // Without limits the cases are one.
      once(family, hasLimits ? `${limits} ${view}` : view, () => {
        const composed = composedFates(policy, ranked(family, view), family, world, limits, view);
        if (!hasLimits && view === "packet") unsettled[family] = composed.unsettled;
        return composed.map;
      }),
    replies: (family, limits) =>
      once(family, hasLimits ? `${limits} replies` : "replies", () => {
        const list = ranked(family, "reply");
        const space = world.spaces[family];
        const untracked = space.where(meaning.fates(family, "untracking", "packet"), FATE.untracked);
        const taking = selectRules(list, (rule) => fateOf(policy.rules[rule]!) === FATE.untracked);
        const among = space.union(untracked, space.decided(firstMatch(taking)));
        return composedFates(policy, list, family, world, limits, "reply", among).map;
      }),
    marks: (family, view) =>
      // Where no rule asks for the output interface, raw knows all that there is to know.
      policy.rules.some(({ match }) => match.out)
        ? once(family, `marks ${view}`, () => marks(policy, family, world, view))
        : view === "reply"
          ? meaning.replies(family, "untracking")
          : meaning.fates(family, "untracking", view),
    possible: (family) => once(family, "possible", () => possiblePackets(family, world)),
    answerable: (family) => once(family, "answerable", () => answerablePackets(family, world)),
    ruleList: (family) => listOnce(`${family} rules`, () => ruleList(policy, ranked(family, "packet"))),
    unsettled(family) {
      if (hasLimits) return null;
      meaning.fates(family, "untracking", "packet");
      return unsettled[family] ?? null;
    },
    ruleFates() {
      rules ??= ruleFates(meaning, (family, make) => withinBudget(`${family} rules`, family, make));
      return rules;
    },
  };
  return meaning;
}

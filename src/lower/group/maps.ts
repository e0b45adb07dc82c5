import type { GroupedMatch, MappedRule, Verdict } from "../../netfilter/grouped.ts";
import { ONLY_TCP } from "../build.ts";
import { type Effect, type MakeRules, rulesWith } from "./effect.ts";
import { valuedLookupsOf } from "./lookups.ts";
import { commonOrigin, listed } from "./origin.ts";
import { testsOf, valuesOf, varyingOf } from "./tests.ts";

/** Makes a chain, and gives its name. */
type AddChain = (rules: readonly MappedRule[]) => string;

/**
 * Makes rules that ask a set for each effect; or, where that takes fewer lookups, maps from what a packet is to what happens to
 * it, so that one which is let through costs as much as one which is not. Effects that no map can hold stand in
 * chains that it leads to. `place`: what maps of several policies are called.
 */
export function mapsOrTests(place: string, addChain: AddChain): MakeRules<MappedRule> {
  const makeRules = rulesWith(testsOf);
  return (shape, effects) => {
    const rules = makeRules(shape, effects);
    const lookups = rules?.filter(({ matches }) => matches.some(isLookup)).length ?? 0;
    if (lookups < 2) return rules;
    const { fields } = shape;
    const boxes = effects.flatMap((value) => value.boxes.map((box) => ({ box, value })));
    const name = effects.every((one) => one.name === effects[0]!.name) ? effects[0]!.name : place;
    const { places, common } = varyingOf(
      fields,
      valuesOf(
        fields,
        boxes.map(({ box }) => box),
      ),
      name,
    );
    const some = places.map((at) => fields[at]!);
    const parts = valuedLookupsOf(
      some,
      boxes.map(({ box, value }) => ({ box: places.map((at) => box[at]!), value })),
    );
    if (parts.length >= lookups) return rules;
    const verdicts = new Map<Effect, Verdict>(effects.map((one) => [one, verdictOf(one, addChain)]));
    const origin = commonOrigin(effects);
    const group = listed(effects.map((one) => one.group));
    return parts.map((part) => ({
      matches: [...shape.rest, ...common],
      log: null,
      statement: {
        kind: "map",
        fields: some,
        cases: part.map(({ box, value }) => ({ box, verdict: verdicts.get(value)! })),
        name,
      },
      origin,
      group,
    }));
  };
}

/** Elements that the printer leaves in the line, where they cost less than a lookup. */
const FEW = 8;

function isLookup(match: GroupedMatch): boolean {
  switch (match.kind) {
    case "tuple":
      return true;
    case "address":
      return match.ranges.length > FEW;
    case "port":
      return match.ports.length > FEW;
    default:
      return false;
  }
}

function verdictOf({ rule, origin, group }: Effect, addChain: AddChain): Verdict {
  const { statement, log } = rule;
  if (log === null && (statement.kind === "accept" || statement.kind === "drop")) return statement;
  // A reset asks for TCP in the rule itself.
  const isReset = statement.kind === "reject" && statement.with === "tcp-reset";
  const matches = isReset ? [ONLY_TCP] : [];
  return { kind: "goto", chain: addChain([{ matches, log, statement, origin, group }]) };
}

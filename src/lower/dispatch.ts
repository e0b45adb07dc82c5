import type { Family } from "../address/ranges.ts";
import type { MappedRule } from "../netfilter/grouped.ts";
import type { Match } from "../netfilter/ruleset.ts";
import { OWN_GROUP } from "./build.ts";
import { extentsOf } from "./dispatch/lines.ts";
import { type Branch, type Plan, plainPlan, planOf, type Step } from "./dispatch/plan.ts";
import { treeOf } from "./dispatch/tree.ts";

/** So many lines a packet may meet one after another before a tree is worth its chains. */
export const MOST_LINES = 32;

/**
 * The same lines of one chain, with decision trees in the place of many of them. Lines that act on the chain that they stand
 * in, or that ask a limit, stay where they are and part one tree from the next. `family`: of all packets that come here;
 * null where packets of both do, which are parted first. Takes n log n time.
 */
export function dispatch<R extends MappedRule>(rules: readonly R[], family: Family | null): Plan<R> {
  // Lines of both families in one chain are half of them for the others.
  if (rules.length <= (family === null ? 2 * MOST_LINES : MOST_LINES)) return plainPlan(rules);
  // What every packet meets first, its state above all, stays in front.
  const head = Math.max(
    0,
    rules.findIndex(({ group }) => group !== OWN_GROUP),
  );
  const steps: Step<R>[] = [];
  let run: R[] = [];
  const close = (): void => {
    steps.push(...shortest(run, family));
    run = [];
  };
  for (const [at, rule] of rules.entries()) {
    if (isMovable(rule) && (at >= head || head > MOST_LINES)) run.push(rule);
    else {
      close();
      steps.push({ kind: "line", rule });
    }
  }
  close();
  return planOf(steps);
}

/** One tree for all, or one for each stretch, or none, whichever a packet is through with first. */
function shortest<R extends MappedRule>(rules: readonly R[], family: Family | null): readonly Step<R>[] {
  if (rules.length <= MOST_LINES) return plainPlan(rules).steps;
  const whole = trees(rules, family);
  const { cost } = planOf(whole);
  const kinds = cost <= MOST_LINES ? [rules] : stretches(rules, family ?? 4);
  if (kinds.length === 1) return whole;
  const apart = kinds.flatMap((stretch) =>
    stretch.length > MOST_LINES ? trees(stretch, family) : plainPlan(stretch).steps,
  );
  return cost <= planOf(apart).cost ? whole : apart;
}

/** A tree for each family that the lines tell apart; the lines themselves where it would cost no less. */
function trees<R extends MappedRule>(rules: readonly R[], family: Family | null): readonly Step<R>[] {
  const families = new Set(rules.map(familyOf));
  const isOne = family !== null || (families.size === 1 && families.has(null));
  const wanted = isOne ? [null] : ([4, 6] as const).filter((one) => families.has(one) || families.has(null));
  const branches = wanted.map((one): Branch<R> => {
    const some = one === null ? rules : rules.filter((rule) => (familyOf(rule) ?? one) === one);
    const tests: Match[] = one === null ? [] : [{ kind: "family", family: one }];
    return { tests, rules: some, plan: treeOf(some, one ?? family ?? 4) };
  });
  // Within a tree no packet comes back to a chain that it left: so it is entered by the only jump.
  const steps: readonly Step<R>[] = [{ kind: "branches", by: "jump", branches }];
  const plain = plainPlan(rules);
  return planOf(steps).cost < plain.cost ? steps : plain.steps;
}

/** The only family whose packets a line can match; null where it matches both. */
function familyOf({ matches }: MappedRule): Family | null {
  for (const match of matches) {
    if ("family" in match) return match.family;
    if (match.kind === "tuple")
      for (const field of match.fields) if (field.kind === "address") return field.family;
  }
  return null;
}

/**
 * Parts a run of lines where a long stretch begins or ends that asks for the same fields throughout. Lines of two kinds in
 * one tree stand in each other's branches; two trees, one after the other, may cost a packet less.
 */
function stretches<R extends MappedRule>(run: readonly R[], family: Family): readonly (readonly R[])[] {
  const kinds: R[][] = [];
  let last = "";
  for (const rule of run) {
    const kind = fieldsOf(rule, family);
    if (kind === last) kinds.at(-1)!.push(rule);
    else kinds.push([rule]);
    last = kind;
  }
  const found: R[][] = [];
  let isMixed = false;
  for (const lines of kinds) {
    const isLong = lines.length > MOST_LINES;
    if (!isLong && isMixed) for (const line of lines) found.at(-1)!.push(line);
    else found.push(lines);
    isMixed = !isLong;
  }
  return found;
}

function fieldsOf(rule: MappedRule, family: Family): string {
  const extents = extentsOf(rule.matches, family);
  return Object.values(extents)
    .map((extent) => (extent === null ? "-" : "+"))
    .join("");
}

/** Whether a line means the same in a chain of its own, and may stand in several branches. */
function isMovable({ statement, matches }: MappedRule): boolean {
  return (
    statement.kind !== "goto" &&
    statement.kind !== "map" &&
    statement.kind !== "return" &&
    matches.every(({ kind }) => kind !== "limit")
  );
}

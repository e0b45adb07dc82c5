import type { IcmpMatch } from "../netfilter/ruleset.ts";
import type { ScriptMatch, ScriptRule, ScriptStatement } from "../netfilter/script.ts";
import type { Span } from "../source/source.ts";
import type { Alternatives } from "./alternatives.ts";

/** A part of a rule as the script has it, in its order: what a packet must pass to come to the next, or what happens. */
export type Step =
  | { readonly kind: "test"; readonly alternatives: Alternatives; readonly text: string }
  | { readonly kind: "log"; readonly prefix: string }
  | { readonly kind: "act"; readonly statement: ScriptStatement }
  /** A map: what happens depends on a key. Always the last step, and walked past by what no case is for. */
  | { readonly kind: "branch"; readonly cases: readonly Case[] };

/** The cases of a map exclude each other. */
export interface Case {
  readonly matches: readonly ScriptMatch[];
  readonly statement: ScriptStatement;
}

/** One rule of a script. */
export interface Plan {
  readonly steps: readonly Step[];
  readonly comment: string;
  readonly span: Span;
}

/** Makes the chain that a rule needs for a part of itself, and returns its name. */
export type AddChain = (rules: readonly ScriptRule[]) => string;

/** Rules that one rule of a script may become through tests that the model has to say in several. */
const MOST_PRODUCTS = 4096;

/**
 * The rules of the model that one rule of a script comes to. A rule of the model makes all its tests, then logs, then
 * acts; where the script does more than that, the rest of the rule moves into a chain of its own.
 */
export function assemble(plan: Plan, addChain: AddChain): readonly ScriptRule[] {
  return rest(plan, 0, addChain);
}

function rest(plan: Plan, start: number, addChain: AddChain): readonly ScriptRule[] {
  const { steps } = plan;
  let at = start;
  // What must hold in any case, and the ways in which the rest can.
  const common: ScriptMatch[] = [];
  let ways: Alternatives = [[]];
  for (let step = steps[at]; step?.kind === "test"; step = steps[++at]) {
    if (step.alternatives.length === 1) common.push(...step.alternatives[0]!);
    else ways = multiply(ways, step);
  }
  const products = ways.map((way) => (way.length === 0 ? common : [...common, ...way]));
  const logged = steps[at];
  const log = logged?.kind === "log" ? { prefix: logged.prefix } : null;
  if (log) at++;
  const build = (statement: ScriptStatement): readonly ScriptRule[] =>
    products.map((matches) => ({ ...plainRule(plan), matches: tidy(matches), log, statement }));
  const act = steps[at];
  if (!act) return build({ kind: "continue" });
  if (act.kind === "branch" && !log && isRepeatable(products)) return branches(plan, products, act.cases);
  if (act.kind === "act") {
    const { statement } = act;
    if (at + 1 === steps.length) return build(statement);
    if (statement.kind === "mark-untracked" && at + 2 === steps.length && isAccept(steps[at + 1]))
      return build({ kind: "notrack" });
    // What stands behind a verdict is never reached.
    if (!walksOn(statement)) return build(statement);
    const inner: ScriptRule = { ...plainRule(plan), statement };
    return continued(plan, build, [inner], at + 1, addChain);
  }
  return continued(plan, build, [], at, addChain);
}

/** The rule goes on from step `at` in a chain of its own, behind the rules `before`. */
function continued(
  plan: Plan,
  build: (statement: ScriptStatement) => readonly ScriptRule[],
  before: readonly ScriptRule[],
  at: number,
  addChain: AddChain,
): readonly ScriptRule[] {
  // From a chain of its own a rule can neither return from the chain that it stands in, nor go to another for good.
  if (leaves(plan.steps.at(-1)))
    return build({ kind: "unknown", text: "a return or goto behind something else", continues: false });
  const chain = addChain([...before, ...rest(plan, at, addChain)]);
  return build({ kind: "jump", chain });
}

/** Whether it is all the same how often the tests before a map are made. */
function isRepeatable(products: Alternatives): boolean {
  return products.every((matches) => matches.every(({ kind }) => kind !== "limit" && kind !== "unknown"));
}

function branches(plan: Plan, products: Alternatives, cases: readonly Case[]): readonly ScriptRule[] {
  return products.flatMap((before) =>
    cases.map(({ matches, statement }) => ({
      ...plainRule(plan),
      matches: tidy([...before, ...matches]),
      statement,
    })),
  );
}

/** Whether a rule ends in leaving its chain, which it could not do from a chain of its own. */
function leaves(step: Step | undefined): boolean {
  if (step?.kind === "branch") return step.cases.some(({ statement }) => isLeave(statement));
  return step?.kind === "act" && isLeave(step.statement);
}

function isLeave({ kind }: ScriptStatement): boolean {
  return kind === "return" || kind === "goto";
}

function plainRule({ comment, span }: Plan): Omit<ScriptRule, "statement"> {
  return { matches: [], log: null, origin: comment, group: "", span };
}

function isAccept(step: Step | undefined): boolean {
  return step?.kind === "act" && step.statement.kind === "accept";
}

/** Whether a packet comes to what stands behind a statement in the same rule. */
function walksOn(statement: ScriptStatement): boolean {
  switch (statement.kind) {
    case "continue":
    case "mark-untracked":
      return true;
    case "unknown":
      return statement.continues;
    default:
      return false;
  }
}

function multiply(products: Alternatives, step: Step & { kind: "test" }): Alternatives {
  const { alternatives, text } = step;
  if (alternatives.length > 1 && products.length > 1 && products.length * alternatives.length > MOST_PRODUCTS)
    return products.map((matches) => [...matches, { kind: "unknown", text }]);
  return products.flatMap((matches) => alternatives.map((more) => [...matches, ...more]));
}

/** Drops tests that say again what another says, and makes one test of those that ICMP types and codes are asked in. */
function tidy(matches: readonly ScriptMatch[]): readonly ScriptMatch[] {
  if (!hasTwins(matches)) return matches;
  const kept: ScriptMatch[] = [];
  const places = new Map<string, number>();
  for (const match of matches) {
    const subject = subjectOf(match);
    const place = subject === null ? undefined : places.get(subject);
    if (place !== undefined) {
      kept[place] = merge(kept[place]!, match);
      continue;
    }
    if (subject !== null) places.set(subject, kept.length);
    kept.push(match);
  }
  return kept;
}

/** Whether some tests may be of one subject. Of a long list hardly any line has such, and this looks at no values. */
function hasTwins(matches: readonly ScriptMatch[]): boolean {
  let seen = 0;
  for (const { kind } of matches) {
    const bit = kind === "family" ? 1 : kind === "protocol" ? 2 : kind === "icmp" ? 4 : 0;
    if ((seen & bit) !== 0) return true;
    seen |= bit;
  }
  return false;
}

/** Tests of one subject say the same, or can be made one; null where they cannot. */
function subjectOf(match: ScriptMatch): string | null {
  switch (match.kind) {
    case "family":
      return `family ${match.family}`;
    case "protocol":
      return `protocol ${match.negated} ${match.protocols}`;
    case "icmp":
      return `icmp ${match.family}`;
    default:
      return null;
  }
}

function merge(a: ScriptMatch, b: ScriptMatch): ScriptMatch {
  if (a.kind !== "icmp" || b.kind !== "icmp") return a;
  const types: IcmpMatch[] = a.types.flatMap((one) =>
    b.types.flatMap((other) => {
      if (one.type !== other.type || (one.code !== other.code && one.code !== null && other.code !== null))
        return [];
      return [{ type: one.type, code: one.code ?? other.code }];
    }),
  );
  return { ...a, types };
}

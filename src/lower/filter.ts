import type { Chain, RulesetRule, State, Match as Test } from "../netfilter/ruleset.ts";
import { forwards, forwardsUntracked, leavesUntracked } from "../policy/evaluate.ts";
import { ICMP_ERRORS, ICMPV6, LOOPBACK, type Path } from "../policy/packet.ts";
import { canTakePath } from "../policy/paths.ts";
import type { Policy, Rule } from "../policy/policy.ts";
import { Buckets } from "./buckets.ts";
import { type Bucket, buildChain, type ChainBuilder, describeOrigin, OWN_GROUP } from "./build.ts";
import { rulesToGuard } from "./guards.ts";
import {
  FILTER_FORWARD,
  FILTER_INPUT,
  FILTER_OUTPUT,
  type HookView,
  OUTPUT,
  PREROUTING,
  TRANSLATED_OUTPUT,
} from "./hooks.ts";
import { anywhereOut, denialsInDoubt, linesOfBoth } from "./late.ts";
import { type Line, linesAt } from "./lines.ts";
import { meetLines, withoutCovered } from "./meet.ts";
import { mayBeTranslatedInto } from "./nat.ts";
import { mayOverlap } from "./overlap.ts";
import {
  dropsAllForwarded,
  isDecidedInRaw,
  limitsNeighbourDiscovery,
  NEIGHBOUR_DISCOVERY_TEST,
} from "./raw.ts";
import { outcomesOf } from "./verdicts.ts";

/** Whether destination NAT may take what this host sends. */
function translatesOwn({ destinationNat, self }: Policy): boolean {
  return destinationNat.some(({ match }) =>
    OUTPUT.paths.some((path) => canTakePath(match, path, self !== null)),
  );
}

type FilterHook = "input" | "forward" | "output";

/**
 * The filter table: what tracked packets meet, and the acceptance of what the raw table left untracked. State comes
 * first, because it decides almost every packet of a busy host; rules that were settled in raw do not come again.
 */
export function lowerFilter(policy: Policy): Chain[] {
  const output = policy.essentials ? FILTER_OUTPUT : translatesOwn(policy) ? TRANSLATED_OUTPUT : OUTPUT;
  return [
    ...filterChain(policy, "input", FILTER_INPUT),
    ...filterChain(policy, "forward", FILTER_FORWARD),
    ...filterChain(policy, "output", output),
  ];
}

function filterChain(policy: Policy, hook: FilterHook, view: HookView): Chain[] {
  const marks = untrackedAt(policy, view);
  const builder = buildChain("filter", hook);
  const buckets = new Map<Rule, Bucket>();
  const early = hook === "forward" ? earlyDenies(policy, buckets) : [];
  if (early.length > 0)
    builder.add([[]], {
      statement: { kind: "jump", chain: EARLY },
      origin: "denies that had to wait for routing",
      group: OWN_GROUP,
    });
  // What is dropped in every state need not be asked for one.
  if (hook !== "forward" || !dropsAllForwarded(policy)) addPrelude(builder, policy, hook, marks);
  const inDoubt = hook === "forward" ? denialsInDoubt(policy) : new Map<Rule, readonly Rule[]>();
  for (const [rule, spills] of spilling(policy, view.paths)) {
    const isEarly = hook === "forward" && (!isDecidedInRaw(rule) || inDoubt.has(rule));
    const lines = linesInFilter(rule, spills, isEarly, policy, hook, view, marks);
    if (lines.length === 0) continue;
    const log = spills.length === 0 && wasLoggedInRaw(rule, marks, policy) ? null : rule.log;
    addRule(builder, lines, rule, log, buckets.get(rule) ?? null);
  }
  const chain: Chain = {
    table: "filter",
    name: hook,
    base: { hook, policy: policy.defaults[hook] === "allow" ? "accept" : "drop" },
    rules: builder.rules,
  };
  const chains = [chain, ...builder.called, ...early];
  return chain.base?.policy === "accept" && !chains.some(({ rules }) => rules.some(matters)) ? [] : chains;
}

/**
 * The rules in their order, each with those that spill packets to it: what a tracked rule above keeps tracked but, its limit
 * being used up, does not decide comes to an untracked one. Of a rule without a limit one of them tells enough.
 */
function* spilling({ rules, self }: Policy, paths: readonly Path[]): Generator<[Rule, readonly Rule[]]> {
  const limited = new Buckets();
  const places = new Map<Rule, number>();
  const comesBy = ({ match }: Rule): boolean => paths.some((path) => canTakePath(match, path, self !== null));
  for (const rule of rules) {
    const spills: Rule[] = [];
    if (!rule.tracked && comesBy(rule))
      for (const one of limited.candidates(rule)) {
        if (!mayOverlap(one.match, rule.match, paths, self)) continue;
        spills.push(one);
        if (!rule.limit) break;
      }
    yield [rule, spills.sort((a, b) => places.get(a)! - places.get(b)!)];
    if (!rule.tracked || !rule.limit || !comesBy(rule)) continue;
    limited.add(rule);
    places.set(rule, places.size);
  }
}

/**
 * The lines of a rule in the filter; none where raw has settled it. A limit is asked once: where raw has asked it, only
 * packets that raw kept for a rule above, or that came to match by a translation, are left to ask.
 */
function linesInFilter(
  rule: Rule,
  spills: readonly Rule[],
  isEarly: boolean,
  policy: Policy,
  hook: FilterHook,
  view: HookView,
  marks: Marks,
): Line[] {
  const all = linesAt(rule.match, view, policy.self);
  const isJudgedAgain = hook === "forward" && !marks.settled && rule.action === "allow";
  if (rule.tracked || isJudgedAgain) return all;
  // A deny that waits for routing has met what is translated in the chain before.
  const waited = isEarly && rule.action !== "allow";
  const translated =
    !waited && policy.destinationNat.some((nat) => mayBeTranslatedInto(nat, rule, view.paths, policy.self));
  const asksNeverTracked = rule.action === "allow" ? marks.exceptIcmpv6 : marks.judgesNeighbourDiscovery;
  const neverTracked = asksNeverTracked && mayBeIcmpv6(rule);
  if (!rule.limit && (spills.length > 0 || translated)) return all;
  if (!rule.limit && rule.action === "allow") return neverTracked ? all : [];
  return withoutCovered([
    ...spills.flatMap((taker) => linesOfBoth(taker.match, rule.match, view, policy.self)),
    ...(translated ? all.map((line): Line => [...line, { kind: "dnat-status" }]) : []),
    ...(neverTracked ? all.flatMap(ofNeighbourDiscovery) : []),
  ]);
}

function ofNeighbourDiscovery(line: Line): Line[] {
  const both = meetLines(line, [NEIGHBOUR_DISCOVERY_TEST]);
  return both ? [both] : [];
}

/** What a rule does to the packets of its lines. Where it answers in two ways, both stand behind one limit. */
function addRule(
  chain: ChainBuilder,
  lines: readonly Line[],
  rule: Rule,
  log: string | null,
  bucket: Bucket | null,
): void {
  const { limit, origin } = rule;
  const effect = { limit, bucket, log, origin: describeOrigin(origin), group: origin.policy };
  const outcomes = outcomesOf(rule, lines).filter((outcome) => outcome.lines.length > 0);
  if (rule.limit && outcomes.length > 1) chain.addBranches(lines, outcomesOf(rule, [[]]), effect);
  else for (const outcome of outcomes) chain.add(outcome.lines, { ...effect, statement: outcome.statement });
}

/** Whether a rule does more than a chain that accepts everything anyway. */
function matters({ statement, log }: RulesetRule): boolean {
  return log !== null || (statement.kind !== "accept" && statement.kind !== "jump");
}

const EARLY = "forward-early";

/**
 * Denies of untracked policies that raw could not carry out, or not for all packets: those that ask where a packet leaves,
 * and those below other rules that ask it. They hold for every packet, of open flows too: so they stand before the state, in
 * a chain that the rules above them can leave. `buckets` is given those of their limits that are asked below as well.
 */
function earlyDenies(policy: Policy, buckets: Map<Rule, Bucket>): Chain[] {
  const { self } = policy;
  const forwarded = policy.rules.filter(({ match }) => canTakePath(match, "forward", self !== null));
  const inDoubt = denialsInDoubt(policy);
  const isEarly = (rule: Rule): boolean =>
    !rule.tracked && rule.action !== "allow" && (!isDecidedInRaw(rule) || inDoubt.has(rule));
  const last = forwarded.findLastIndex(isEarly);
  if (last < 0) return [];
  const guarded = rulesToGuard(forwarded, isEarly, ["forward"], self);
  const builder = buildChain("filter", EARLY);
  const spills = new Map(spilling(policy, ["forward"]));
  for (const rule of forwarded.slice(0, last + 1)) {
    const settled = !rule.tracked && rule.action !== "allow" && isDecidedInRaw(rule);
    if (!isEarly(rule) && (settled || !guarded.has(rule))) continue;
    const isDeny = isEarly(rule);
    // A limit is asked once: here by those packets alone that raw let by without asking, and by what is translated now.
    const takers = isDeny && rule.limit ? inDoubt.get(rule) : undefined;
    const all = linesAt(rule.match, FILTER_FORWARD, self);
    const lines = takers
      ? withoutCovered([
          ...takers.flatMap((taker) =>
            linesOfBoth(anywhereOut(taker.match), rule.match, FILTER_FORWARD, self),
          ),
          ...(policy.destinationNat.some((nat) => mayBeTranslatedInto(nat, rule, ["forward"], self))
            ? all.map((line): Line => [...line, state("new"), { kind: "dnat-status" }])
            : []),
        ])
      : all;
    // What a limited rule above spills asks the same limit below.
    const bucket: Bucket | null =
      isDeny && rule.limit && spills.get(rule)!.length > 0 ? { chain: null } : null;
    if (bucket) buckets.set(rule, bucket);
    builder.add(lines, {
      statement: { kind: isDeny ? "drop" : "return" },
      limit: isDeny ? rule.limit : null,
      bucket,
      log: isDeny ? rule.log : null,
      origin: describeOrigin(rule.origin) + (isDeny ? "" : ", decided below"),
      group: rule.origin.policy,
    });
  }
  return [{ table: "filter", name: EARLY, base: null, rules: builder.rules }, ...builder.called];
}

/** How much the filter may take from the mark that the raw table left on a packet. */
interface Marks {
  /** Some packets come here untracked because a rule says so. */
  readonly some: boolean;
  /** All of these are allowed: raw knew everything that their rules ask. */
  readonly settled: boolean;
  /** ICMPv6 must be judged again: the kernel leaves neighbour discovery untracked without asking the policy. */
  readonly exceptIcmpv6: boolean;
  /** Some of it raw has counted already, so that only neighbour discovery may be judged again. */
  readonly limitsIcmpv6: boolean;
  /** Raw has let neighbour discovery by, and denies of it are carried out here as well. */
  readonly judgesNeighbourDiscovery: boolean;
}

function untrackedAt(policy: Policy, view: HookView): Marks {
  const passing = policy.rules.filter(({ match }) =>
    view.paths.some((path) => canTakePath(match, path, policy.self !== null)),
  );
  const isForward = view.paths.includes("forward");
  return {
    some: passing.some(isUntrackedAllow),
    settled: !isForward || marksSettle(passing, policy),
    exceptIcmpv6: isForward || !policy.essentials,
    limitsIcmpv6: passing.some((rule) => isUntrackedAllow(rule) && rule.limit !== null && mayBeIcmpv6(rule)),
    judgesNeighbourDiscovery: limitsNeighbourDiscovery(
      policy,
      view.paths.includes("output") ? OUTPUT : PREROUTING,
    ),
  };
}

/** Whether raw marks exactly the forwarded packets that it should: nothing that it could not ask has a say in it. */
function marksSettle(forwarded: readonly Rule[], { self }: Policy): boolean {
  if (forwarded.every(isDecidedInRaw)) return true;
  if (!forwarded.filter(isUntrackedAllow).every(isDecidedInRaw)) return false;
  const takesFromThem = rulesToGuard(forwarded, isUntrackedAllow, ["forward"], self);
  return [...takesFromThem].every(isDecidedInRaw);
}

function isUntrackedAllow({ tracked, action }: Rule): boolean {
  return !tracked && action === "allow";
}

function mayBeIcmpv6({ match }: Rule): boolean {
  return match.traffic.some(({ protocol }) => protocol === null || protocol === ICMPV6);
}

/** Whether what comes to a rule in the filter has met its log in raw. Neighbour discovery that raw lets by has not. */
function wasLoggedInRaw(rule: Rule, { judgesNeighbourDiscovery }: Marks, policy: Policy): boolean {
  return (
    !rule.tracked && isDecidedInRaw(rule) && policy.destinationNat.length === 0 && !judgesNeighbourDiscovery
  );
}

function addPrelude(chain: ChainBuilder, policy: Policy, hook: FilterHook, marks: Marks): void {
  const add = (matches: readonly Test[], kind: "accept" | "drop", origin: string): void =>
    chain.add([matches], { statement: { kind }, origin, group: OWN_GROUP });
  const trustMarks = marks.some && marks.settled;

  const passing: State[] = ["established", "related"];
  if (trustMarks && !marks.exceptIcmpv6) passing.push("untracked");
  const both = passing.includes("untracked");
  if (hook !== "forward" || forwards(policy))
    add([state(...passing)], "accept", both ? "open flows, and what raw left untracked" : "open flows");
  const leftUntracked = "what raw left untracked";
  if (trustMarks && marks.exceptIcmpv6)
    if (marks.limitsIcmpv6)
      chain.addBranches(
        [[state("untracked")]],
        [
          { lines: [[NEIGHBOUR_DISCOVERY_TEST]], statement: { kind: "return" } },
          { lines: [[]], statement: { kind: "accept" } },
        ],
        { origin: leftUntracked, group: OWN_GROUP },
      );
    else
      add(
        [{ kind: "protocol", protocols: [ICMPV6], negated: true }, state("untracked")],
        "accept",
        leftUntracked,
      );

  if (hook === "input")
    add([FROM_LOOPBACK], "accept", policy.essentials ? "loopback" : "loopback was judged in output");
  if (hook === "output" && policy.essentials) {
    const sent = translatesOwn(policy) ? TRANSLATED_OUTPUT : OUTPUT;
    for (const tests of sent.tell(["loopback"])) add(tests, "accept", "loopback");
  }

  const concerned = hook === "forward" ? forwardsUntracked(policy) : leavesUntracked(policy);
  if (policy.essentials && concerned)
    for (const family of [4, 6] as const)
      add(
        [{ kind: "icmp", family, types: ICMP_ERRORS[family].map((type) => ({ type, code: null })) }],
        "accept",
        "errors about untracked flows",
      );
  if (hook !== "output") add([state("invalid")], "drop", "belongs to no flow");
  if (hook !== "forward" && policy.essentials)
    add([NEIGHBOUR_DISCOVERY_TEST], "accept", "neighbour discovery");
}

function state(...states: readonly State[]): Test {
  return { kind: "state", states, negated: false };
}

const FROM_LOOPBACK: Test = { kind: "interface", side: "in", devices: [LOOPBACK], negated: false };

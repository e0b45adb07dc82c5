import type { Chain, RulesetRule, Statement, Match as Test } from "../netfilter/ruleset.ts";
import { forwards } from "../policy/evaluate.ts";
import { ICMPV6, LOOPBACK, matchesDevice, NEIGHBOUR_DISCOVERY, type Path } from "../policy/packet.ts";
import { canTakePath } from "../policy/paths.ts";
import type { Policy, Rule } from "../policy/policy.ts";
import { buildChain, type ChainBuilder, describeOrigin, OWN_GROUP } from "./build.ts";
import { rulesToGuard } from "./guards.ts";
import {
  FILTER_OUTPUT,
  type HookView,
  LOOPED_OUTPUT,
  OUTPUT,
  onLoopback,
  PREROUTING,
  RECEIVED,
} from "./hooks.ts";
import { anywhereOut, denialsInDoubt, linesOfBoth } from "./late.ts";
import { type Line, linesAt } from "./lines.ts";

/**
 * The raw table: which packets connection tracking never sees. It walks the rules in document order and stops at the
 * first that matches, as the policy does: an untracked allow leaves the packet untracked, an untracked deny drops it, and
 * a tracked rule that would otherwise lose packets to an untracked one below gets a guard that leaves them alone.
 */
export function lowerRaw(policy: Policy): Chain[] {
  if (policy.rules.every(({ tracked }) => tracked)) return [];
  return [...rawChain(policy, AT_PREROUTING), ...outputChains(policy)];
}

/** One of the ways into the raw table. */
interface Place {
  readonly name: string;
  /** Null for a chain that another one leads to. */
  readonly hook: "prerouting" | "output" | null;
  readonly view: HookView;
  /** What stands before the rules. */
  readonly prepend: (chain: ChainBuilder, policy: Policy, drops: readonly Entry[]) => void;
}

const AT_PREROUTING: Place = {
  name: "prerouting",
  hook: "prerouting",
  view: PREROUTING,
  prepend: prependPrerouting,
};
const AT_OUTPUT: Place = { name: "output", hook: "output", view: OUTPUT, prepend: prependOutput };
const SENT: Place = { ...AT_OUTPUT, view: FILTER_OUTPUT };
const LOOPED: Place = { name: "loopback", hook: null, view: LOOPED_OUTPUT, prepend: () => {} };

/**
 * The chains for what this host sends. Where rules differ between what leaves and what stays on loopback, loopback has a chain of
 * its own: so that one test parts them, and not one in every line.
 */
function outputChains(policy: Policy): Chain[] {
  const together = rawChain(policy, AT_OUTPUT);
  const asking = together
    .flatMap(({ rules }) => rules)
    .filter(({ matches }) => matches.some(asksForLoopback));
  const [sent, ...called] = asking.length > FEW ? rawChain(policy, SENT) : [];
  if (!sent) return together;
  const looped = rawChain(policy, LOOPED);
  const first: RulesetRule = {
    matches: [onLoopback(false)],
    log: null,
    statement: looped.length > 0 ? { kind: "goto", chain: LOOPED.name } : { kind: "accept" },
    origin: "loopback",
    group: OWN_GROUP,
  };
  return [{ ...sent, rules: [first, ...sent.rules] }, ...called, ...looped];
}

/** So many lines may each ask whether a packet stays on loopback before one asks for all. */
const FEW = 2;

function asksForLoopback(test: Test): boolean {
  return test.kind === "interface" && test.side === "out" && test.devices.join() === LOOPBACK;
}

/**
 * Whether the raw hook can decide a rule. Before routing the kernel does not know where a forwarded packet will leave:
 * there an allow with `out` leaves untracked what would match without it, and the filter judges those packets again; a
 * deny with `out` waits until the packet is in the forward chain.
 */
export function isDecidedInRaw({ match }: Rule): boolean {
  return match.out === null;
}

/**
 * Whether everything that is forwarded is dropped, whatever its state, and nobody is told of it. Then it makes no difference
 * what raw does to such a packet.
 */
export function dropsAllForwarded(policy: Policy): boolean {
  return (
    !forwards(policy) &&
    policy.destinationNat.length === 0 &&
    policy.rules.every(
      ({ match, action, tracked, log }) =>
        (action === "deny" && tracked && log === null) ||
        !canTakePath(match, "forward", policy.self !== null),
    )
  );
}

/**
 * Whether a rule may take forwarded packets together with those it is meant for, so that nobody has to ask the routing table,
 * which costs more than all other tests of a rule.
 */
function mayTakeForwarded({ tracked, limit, log }: Rule): boolean {
  return !tracked && limit === null && log === null;
}

/** A rule and its lines in one chain. */
interface Entry {
  readonly rule: Rule;
  readonly lines: readonly Line[];
}

function rawChain(policy: Policy, { name, hook, view, prepend }: Place): Chain[] {
  const { rules, self } = policy;
  const knowsOut = view.knows.out;
  const inReach = rules.filter(({ match }) =>
    view.paths.some((path) => canTakePath(match, path, self !== null)),
  );
  const guarded = rulesToGuard(inReach, ({ tracked }) => !tracked, view.paths, self);
  const judged = inReach.filter(
    (rule) =>
      (rule.tracked ? guarded.has(rule) : true) &&
      (knowsOut || isDecidedInRaw(rule) || (!rule.tracked && rule.action === "allow")),
  );
  const forgetful = !knowsOut && dropsAllForwarded(policy);
  const entries = judged
    .map((rule) => {
      const seen = forgetful && mayTakeForwarded(rule) ? RECEIVED : view;
      return { rule, lines: linesAt(rule.match, seen, self, pathsOf(rule, policy, seen)) };
    })
    .filter(({ lines }) => lines.length > 0);
  const lastUntracked = entries.findLastIndex(({ rule }) => !rule.tracked);
  if (lastUntracked < 0) return [];
  const builder = buildChain("raw", name);
  const drops = entries.filter(({ rule }) => !rule.tracked && rule.action !== "allow");
  if (limitsNeighbourDiscovery(policy, view))
    builder.add([[NEIGHBOUR_DISCOVERY_TEST]], {
      statement: { kind: "accept" },
      origin: "neighbour discovery is never tracked, and judged in the filter",
      group: OWN_GROUP,
    });
  prepend(builder, policy, drops);
  const inDoubt = knowsOut ? new Map<Rule, readonly Rule[]>() : denialsInDoubt(policy);
  for (const { rule, lines } of entries.slice(0, lastUntracked + 1)) {
    // An untracked allow that asks where packets leave has taken all of its packets already.
    for (const taker of inDoubt.get(rule)?.filter(({ tracked }) => tracked) ?? [])
      builder.add(linesOfBoth(anywhereOut(taker.match), rule.match, view, self, ["forward"]), {
        statement: { kind: "accept" },
        origin: `${describeOrigin(taker.origin)}, decided when it is known where they leave`,
        group: taker.origin.policy,
      });
    // A guard asks neither limit nor log, and what the filter judges again is counted and logged there.
    const isFinal = !rule.tracked && (knowsOut || isDecidedInRaw(rule));
    builder.add(lines, {
      statement: rawStatement(rule),
      limit: isFinal ? rule.limit : null,
      log: isFinal ? rule.log : null,
      origin: describeOrigin(rule.origin) + (rule.tracked ? ", stays tracked" : ""),
      group: rule.origin.policy,
    });
  }
  return [
    { table: "raw", name, base: hook && { hook, policy: "accept" }, rules: builder.rules },
    ...builder.called,
  ];
}

/** An essential loopback is allowed whatever the denies say, so they do not stand in its way. */
function pathsOf(rule: Rule, { essentials }: Policy, view: HookView): readonly Path[] {
  return essentials && rule.action !== "allow"
    ? view.paths.filter((path) => path !== "loopback")
    : view.paths;
}

function rawStatement(rule: Rule): Statement {
  if (rule.tracked) return { kind: "accept" };
  return { kind: rule.action === "allow" ? "notrack" : "drop" };
}

/**
 * What comes in on loopback was judged when it was sent, and neighbour discovery is essential: neither may meet a drop.
 * A notrack would do them no harm, so without drops these tests are not worth their time.
 */
function prependPrerouting(chain: ChainBuilder, policy: Policy, drops: readonly Entry[]): void {
  if (drops.length === 0) return;
  const accept = (line: Line, origin: string): void =>
    chain.add([line], { statement: { kind: "accept" }, origin, group: OWN_GROUP });
  if (drops.some(({ lines }) => lines.some(mayComeOnLoopback)))
    accept(
      [{ kind: "interface", side: "in", devices: [LOOPBACK], negated: false }],
      "loopback was judged in output",
    );
  if (policy.essentials && drops.some(mayDropNeighbourDiscovery))
    accept([NEIGHBOUR_DISCOVERY_TEST, ...PREROUTING.tell(["input"])[0]!], "neighbour discovery");
}

/** Whether a line matches what arrives on `lo`. */
function mayComeOnLoopback(line: Line): boolean {
  return line.every(
    (test) =>
      test.kind !== "interface" ||
      test.side !== "in" ||
      matchesDevice(LOOPBACK, test.devices) !== test.negated,
  );
}

function prependOutput(chain: ChainBuilder, policy: Policy, drops: readonly Entry[]): void {
  if (policy.essentials && drops.some(mayDropNeighbourDiscovery))
    chain.add([[NEIGHBOUR_DISCOVERY_TEST]], {
      statement: { kind: "accept" },
      origin: "neighbour discovery",
      group: OWN_GROUP,
    });
}

/** Matches neighbour discovery and multicast listener discovery. */
export const NEIGHBOUR_DISCOVERY_TEST: Test = {
  kind: "icmp",
  family: 6,
  types: NEIGHBOUR_DISCOVERY.map((type) => ({ type, code: null })),
};

/**
 * Whether neighbour discovery is left to the filter: where a limited allow that raw carries out may match some of it. It is
 * never tracked, so the mark of raw does not show whether the limit had room, and what is asked in both places is asked twice.
 */
export function limitsNeighbourDiscovery({ rules, essentials, self }: Policy, { paths }: HookView): boolean {
  const judged = paths.filter((path) => path === "forward" || !essentials);
  return rules.some(
    ({ tracked, action, limit, match }) =>
      !tracked &&
      action === "allow" &&
      limit !== null &&
      mayBeNeighbourDiscovery(match) &&
      judged.some((path) => canTakePath(match, path, self !== null)),
  );
}

/** Whether a rule that drops may match neighbour discovery. */
function mayDropNeighbourDiscovery({ rule: { match }, lines }: Entry): boolean {
  return mayBeNeighbourDiscovery(match) && lines.some(isForIpv6);
}

function mayBeNeighbourDiscovery({ traffic, openings }: Rule["match"]): boolean {
  const isIcmpv6 = traffic.some(
    ({ protocol, family, icmp }) =>
      family !== 4 &&
      (protocol === null || protocol === ICMPV6) &&
      (icmp === null || NEIGHBOUR_DISCOVERY.includes(icmp.type)),
  );
  return isIcmpv6 && openings !== "only";
}

function isForIpv6(line: Line): boolean {
  return line.every((test) => !("family" in test) || test.family === 6);
}

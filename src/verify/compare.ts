import type { Family } from "../address/ranges.ts";
import {
  type Conduct,
  conductOf,
  essentialPackets,
  icmpErrors,
  neverTracked,
  unforeseeable,
} from "../meaning/conduct.ts";
import { FATE, fates } from "../meaning/fates.ts";
import { type Leaf, type Outcome, type Outcomes, UNDECIDED } from "../meaning/outcomes.ts";
import { leavingAfter, onPaths, possibleSeen } from "../meaning/possible.ts";
import { rewritesOf } from "../meaning/rewrites.ts";
import { SEEN, type Seen, type SeenSpace, type SeenWorld } from "../meaning/seen.ts";
import { whereLeaves } from "../meaning/where-leaves.ts";
import type { ScriptRuleset } from "../netfilter/script.ts";
import type { Diagram } from "../packets/nodes.ts";
import { verdictsOf } from "../packets/walk.ts";
import { forwards } from "../policy/evaluate.ts";
import { TCP } from "../policy/packet.ts";
import type { Policy } from "../policy/policy.ts";
import type { Agreement } from "./agreement.ts";
import { type Deeds, deedsOf } from "./deeds.ts";

/** Packets of which a ruleset makes something else than the policy. */
export interface Difference {
  readonly family: Family;
  /**
   * `conduct`: whether the packet passes, whether it is tracked, where it is sent on to. `source-nat`: with which source it
   * leaves. `early`: it is dropped, but only after connection tracking has seen it.
   */
  readonly kind: "conduct" | "source-nat" | "early";
  /** The states in which packets of the set differ. */
  readonly seen: readonly Seen[];
  readonly meant: Outcome;
  readonly done: Outcome;
  /** Packets in fields that do not ask for a state. Of `new-translated` as they are once rewritten. */
  readonly set: Diagram;
}

/**
 * Finds every packet of a family that a ruleset treats otherwise than the policy. None: they are equal, for all packets.
 *
 * Why the parts make a whole. A packet that no destination NAT touches has one fate, in each of its states: it is dropped
 * before connection tracking, passes it or goes by it, and the filter drops or accepts it. These fates are compared
 * whole, for all packets that can exist in all states, so that it does not matter at which hook a ruleset does what the
 * policy asks. A packet whose destination is rewritten has the fate "rewritten so", compared in the same map; what it then
 * is depends on nothing but the packet and the translation, which are equal by then, and what becomes of it is compared for
 * everything that such a packet may look like (a superset: the way it takes is the host's affair, so all ways are
 * compared). What passes and opens a flow meets source NAT last, once, and is compared there. Packets of a known flow meet
 * no NAT rules, since the kernel remembers what it did to the first. So where all maps agree, each step of each packet's
 * journey does.
 *
 * Some things are left out, because no ruleset could do what the policy says, and `untracked-path` refuses a policy where
 * it would matter. Where a rule asks for the output interface of a forwarded packet, raw cannot know whether it matches.
 * There an early drop may come late; and a packet that the rules deny, and that answers nothing they allow, belongs to no
 * flow, so neither its later states nor whether it is tracked are compared. Nor is the latter of an ICMP error that the rules
 * deny and that passes as an essential.
 */
export function comparer(policy: Policy, world: SeenWorld, outcomes: Outcomes): Comparer {
  const subjects: { [F in Family]?: Subject } = {};
  return (ruleset, family, agreement) => {
    const { engine } = world.seenSpaces[family];
    subjects[family] ??= subjectOf(policy, family, world, outcomes);
    const subject = subjects[family];
    // Scripts of one policy come to the same diagrams, so what was worked out for one is there for the next.
    if (engine.nodes.count - subject.base > MOST_KEPT) engine.operations.collect(subject.base, []);
    return differences(subject, ruleset, agreement);
  };
}

/** Compares a ruleset with a policy, for the packets of a family. The sets that it finds are void after the next call. */
export type Comparer = (ruleset: ScriptRuleset, family: Family, agreement: Agreement) => Difference[];

/** Nodes that scripts may leave to the next. */
const MOST_KEPT = 1 << 20;

/** Something that a ruleset must do as the policy does. */
interface Expectation {
  readonly kind: Difference["kind"];
  readonly seen: Seen;
  /** The packets of which it is asked. */
  readonly among: Diagram;
  /** What the policy means, for these packets alone. */
  readonly meant: Diagram;
  /** What a ruleset does, for these packets and others. */
  readonly done: (deeds: Deeds) => Diagram;
}

/** What does not depend on the ruleset. */
interface Subject {
  readonly family: Family;
  readonly world: SeenWorld;
  readonly outcomes: Outcomes;
  readonly expectations: readonly Expectation[];
  /** Diagrams from this node on are of rulesets. */
  readonly base: number;
}

function subjectOf(policy: Policy, family: Family, world: SeenWorld, outcomes: Outcomes): Subject {
  const space = world.seenSpaces[family];
  const conduct = conductOf(policy, family, world, outcomes);
  const possible = possibleSeen(family, world, policy.self);
  const never = neverTracked(family, world);
  const unclear = unforeseeable(policy, family, world);
  const denied = deniedAmong(unclear, conduct, space, outcomes);
  // What is denied and answers nothing that the rules let in belongs to no flow.
  const flowless =
    denied === space.nothing ? denied : space.difference(denied, answersOf(policy, family, world));
  const errors = space.intersection(denied, essentialPackets(policy, family, space));
  const trackable = space.difference(possible, never);
  const expectations: Expectation[] = [];
  const expect = (
    kind: Difference["kind"],
    seen: Seen,
    among: Diagram,
    meant: Diagram,
    done: Expectation["done"],
  ): void => {
    expectations.push({ kind, seen, among, meant: space.restrict(meant, among), done });
  };

  // Every packet in every state, as it arrives or is sent.
  const flows = space.difference(trackable, flowless);
  // Where nothing is forwarded, no flow is open that could be, and it does not matter whether state would let it pass.
  const flowing = forwards(policy) ? flows : space.difference(flows, onPaths(space, ["forward"]));
  const tracked = outcomes.leaf("accept", "tracked");
  const asTracked = outcomes.rewriter(({ kind }, self) => (kind === "accept" ? tracked : self));
  const anyhow = space.union(flowless, errors);
  /** Whatever is accepted, tracked or not, where raw cannot tell whether it should be, and it belongs to no flow or is an error. */
  const regardless = (map: Diagram): Diagram =>
    space.overlay(space.map(space.restrict(map, anyhow), asTracked), map);
  for (const seen of SEEN) {
    const done = (deeds: Deeds): Diagram => regardless(deeds.inState(seen));
    switch (seen) {
      case "new":
        expect("conduct", seen, trackable, conduct.opening, done);
        break;
      case "established":
      case "established-translated":
      case "related":
      case "related-translated":
        expect("conduct", seen, flowing, conduct.known, done);
        break;
      case "invalid":
        expect("conduct", seen, flows, conduct.invalid, done);
        break;
      case "untracked":
        expect("conduct", seen, space.intersection(possible, never), conduct.never, done);
        break;
      case "new-translated":
        break;
    }
  }

  // What connection tracking must not see.
  const dropped = outcomes.leaf("drop");
  const earlyIn = (wanted: string) =>
    outcomes.rewriter(({ kind }, self) =>
      kind === wanted ? dropped : kind === "anything" ? self : UNDECIDED,
    );
  const drops = earlyIn("drop");
  const mustDrop = space.map(conduct.raw, earlyIn("early"));
  const foreseeable = space.difference(space.difference(possible, unclear), never);
  expect("early", "invalid", space.intersection(foreseeable, mustDrop), mustDrop, ({ raw }) =>
    space.map(raw, drops),
  );

  // What is rewritten, as the filter sees it. An error never opens a flow.
  const opening = space.difference(trackable, space.set([icmpErrors(family)]));
  const rewrites = rewritesOf(policy, conduct, opening, family, world, outcomes);
  const after = rewrites.reduce<Diagram>((all, one) => space.union(all, one.after), space.nothing);
  const isTranslated = rewrites.length > 0;
  if (isTranslated)
    expect("conduct", "new-translated", after, conduct.translated(), (deeds) => deeds.translated());

  // With which source it leaves.
  const opens = (map: Diagram): Diagram =>
    whereLeaves(space, outcomes, map, ({ kind, detail }) => kind === "accept" && detail === "tracked");
  const opened = space.intersection(trackable, opens(conduct.opening));
  expect("source-nat", "new", opened, conduct.sourceNat, (deeds) => deeds.sourceNat("new"));
  if (isTranslated) {
    const passed = space.intersection(after, opens(conduct.translated()));
    const openedAfter = leavingAfter(passed, family, world);
    expect("source-nat", "new-translated", openedAfter, conduct.sourceNat, (deeds) =>
      deeds.sourceNat("new-translated"),
    );
  }
  return { family, world, outcomes, expectations, base: space.engine.nodes.count };
}

/** The packets among some that the rules deny, whatever their limits. */
function deniedAmong(some: Diagram, { ruled }: Conduct, space: SeenSpace, outcomes: Outcomes): Diagram {
  if (some === space.nothing) return some;
  const isDenial = ({ kind }: Leaf): boolean => kind === "drop" || kind === "reject";
  return space.intersection(some, whereLeaves(space, outcomes, ruled, isDenial, true));
}

/** Packets that answer something which may open a tracked flow: over TCP an opening, with whatever segment. */
function answersOf(policy: Policy, family: Family, world: SeenWorld): Diagram {
  const space = world.seenSpaces[family];
  const allowed = ({ rules }: Pick<Policy, "rules">): Diagram =>
    space.where(fates({ ...policy, rules }, family, world, "tracking", "reply"), FATE.allowed);
  const tcp = space.set([{ protocol: [{ first: TCP, last: TCP }] }]);
  const openings = policy.rules
    .filter(({ match }) => match.openings !== "never")
    .map((rule) => ({ ...rule, match: { ...rule.match, openings: "any" as const } }));
  return space.union(
    space.intersection(tcp, allowed({ rules: openings })),
    space.difference(allowed(policy), tcp),
  );
}

function differences(subject: Subject, ruleset: ScriptRuleset, agreement: Agreement): Difference[] {
  const { family, world, outcomes, expectations } = subject;
  const space = world.seenSpaces[family];
  const deeds = deedsOf(ruleset, family, world, outcomes);
  const found: Difference[] = [];

  const look = ({ kind, seen, among, meant, done }: Expectation): void => {
    const pairs: (readonly [Outcome, Outcome])[] = [[UNDECIDED, UNDECIDED]];
    const numbers = new Map<string, number>();
    const differ = (a: Outcome, b: Outcome): number => {
      if (a === b || agreement.alike(a, b)) return 0;
      const key = `${a} ${b}`;
      const number = numbers.get(key) ?? pairs.push([a, b]) - 1;
      numbers.set(key, number);
      return number;
    };
    const actual = space.restrict(done(deeds), among);
    if (meant === actual) return;
    const different = space.combine(meant, actual, differ);
    for (const number of verdictsOf(space, different)) {
      if (number === 0) continue;
      const [expected, other] = pairs[number]!;
      add({ family, kind, seen: [seen], meant: expected, done: other, set: space.where(different, number) });
    }
  };
  /** One and the same set in several states is one difference. */
  const add = (difference: Difference): void => {
    const same = found.findIndex(
      ({ kind, meant, done, set }) =>
        kind === difference.kind &&
        meant === difference.meant &&
        done === difference.done &&
        set === difference.set,
    );
    const before = found[same];
    if (before) found[same] = { ...before, seen: [...before.seen, ...difference.seen] };
    else found.push(difference);
  };

  for (const expectation of expectations) look(expectation);
  return found;
}

import type { Family } from "../address/ranges.ts";
import { single } from "../address/ranges.ts";
import { forget } from "../packets/forget.ts";
import type { Diagram } from "../packets/nodes.ts";
import { type MatchRule, rankRules } from "../packets/rules.ts";
import { verdictsOf } from "../packets/walk.ts";
import { forwards, forwardsUntracked, leavesUntracked } from "../policy/evaluate.ts";
import {
  ICMP,
  ICMP_ERRORS,
  ICMPV6,
  LOOPBACK,
  NEIGHBOUR_DISCOVERY,
  type Path,
  TCP,
} from "../policy/packet.ts";
import { PATHS } from "../policy/paths.ts";
import type { Policy, Rule } from "../policy/policy.ts";
import { waitsDecided } from "./foresight.ts";
import { type Outcome, type Outcomes, UNDECIDED } from "./outcomes.ts";
import { leavesOf, outcomeOf, policySequence, trackedRewriter } from "./rule-outcomes.ts";
import type { SeenFields, SeenSpace, SeenWorld } from "./seen.ts";
import { sequenceOf } from "./sequence.ts";
import {
  describeTranslation,
  destinationTranslation,
  sourceTranslation,
  TRANSLATED_PORTS,
} from "./translations.ts";
import { cubesOf, type PacketCube } from "./world.ts";

/**
 * What a policy means for every packet of a family in every state, limits and all: `evaluate`, for all packets at once.
 * Maps do not ask for the state; there is one for each that makes a difference. Their leaves:
 *
 * - `accept` with the detail `tracked` or `untracked`;
 * - `drop`; `reject` with the answer that the sender gets;
 * - `translate`: the destination is rewritten, which makes another packet of this one, judged by `translated`.
 */
export interface Conduct {
  readonly family: Family;
  /** Packets that open a flow. */
  readonly opening: Diagram;
  /** Packets of a flow that is known, and those related to one. */
  readonly known: Diagram;
  /** Packets that belong to no flow. */
  readonly invalid: Diagram;
  /** Packets that the kernel never tracks. */
  readonly never: Diagram;
  /** Packets that open a flow, as far as the rules and the defaults have a say in it. */
  readonly ruled: Diagram;
  /**
   * Packets that open a flow, as they are once their destination was rewritten. Of what this host sends, `out` is where it
   * was to leave before.
   */
  translated(): Diagram;
  /** What is rewritten, as a leaf `translate` for each packet; undecided where nothing is. */
  readonly destinationNat: Diagram;
  readonly sourceNat: Diagram;
  /** Who is tracked: leaves `tracked`, `untracked`, `early`, and `early-out` for what must wait for routing. */
  readonly raw: Diagram;
}

/** Works out the conduct of a policy. */
export function conductOf(policy: Policy, family: Family, world: SeenWorld, outcomes: Outcomes): Conduct {
  const space = world.seenSpaces[family];
  const leaves = leavesOf(outcomes);
  const rules = rulesOf(policy, family, world, outcomes);
  const answers = space.set([{ protocol: [single(TCP)] }]);
  const rejects = policy.rules.some(({ action }) => action === "reject");
  /** Puts the answers in the place of `reject`. */
  const answered = (map: Diagram): Diagram => {
    if (!rejects) return map;
    const as = (leaf: Outcome): Diagram =>
      space.map(
        map,
        outcomes.rewriter((one, self) => (one.kind === "reject" ? leaf : self)),
      );
    return space.overlay(space.restrict(as(leaves.reset), answers), as(leaves.unreachable));
  };
  /** A map of the rules alone, each leaf replaced. */
  const told = (leafOf: Readonly<Record<string, Outcome>>): Diagram =>
    answered(
      space.map(
        rules,
        outcomes.rewriter(({ kind }, self) => leafOf[kind] ?? self),
      ),
    );

  const raw = space.map(
    rules,
    outcomes.rewriter(({ kind }, self) => (RAW.has(kind) ? self : leaves.tracked)),
  );
  const early = { early: leaves.drop, "early-out": leaves.drop, untracked: leaves.untrackedAccept };
  /** What raw says, and then the same for everything that is tracked. */
  const tracking = (leaf: Outcome): Diagram =>
    space.map(
      raw,
      outcomes.rewriter(({ kind }) => (kind === "tracked" ? leaf : early[kind as keyof typeof early])),
    );

  const excepted = essentialPackets(policy, family, space);
  const ruled = told(early);
  const open = tracking(leaves.accept);
  const known = forwards(policy)
    ? open
    : space.overlay(space.restrict(ruled, space.set([onPath("forward")])), open);
  const judged = space.overlay(space.restrict(open, excepted), ruled);
  const received = space.set([{ path: [single(PATHS.indexOf("input")), single(PATHS.indexOf("forward"))] }]);
  const destinationNat = destinationNatOf(policy, family, world, outcomes);
  const translating = outcomes.grafter(({ kind }, self, translate) =>
    kind === "tracked" || kind === "early-out" ? translate : (early[kind as keyof typeof early] ?? self),
  );
  const asTracked = trackedRewriter(outcomes);
  const never = neverTracked(family, world);
  const neverSeen = space.map(
    space.restrict(rules, never),
    outcomes.rewriter(({ kind }, self) =>
      kind === "accept" ? leaves.untrackedAccept : (early[kind as keyof typeof early] ?? self),
    ),
  );
  let translated: Diagram | null = null;
  return {
    family,
    opening: space.overlay(
      space.combine(
        waitsDecided(policy, space.restrict(raw, destinationNat), family, world, outcomes),
        destinationNat,
        (a, b) => (a === UNDECIDED ? UNDECIDED : translating(a, b)),
      ),
      judged,
    ),
    known,
    ruled,
    invalid: space.overlay(
      space.restrict(open, excepted),
      space.overlay(space.restrict(tracking(leaves.drop), received), judged),
    ),
    never:
      never === space.nothing
        ? never
        : policy.essentials
          ? space.overlay(
              space.map(space.set(HERE.map((path) => onPath(path))), (is) =>
                is ? leaves.untrackedAccept : UNDECIDED,
              ),
              answered(neverSeen),
            )
          : answered(neverSeen),
    translated() {
      translated ??= whereverItWasToLeave(
        space.overlay(
          space.map(excepted, (is) => (is ? leaves.accept : UNDECIDED)),
          answered(space.map(rules, asTracked)),
        ),
        family,
        world,
      );
      return translated;
    },
    destinationNat,
    sourceNat: sourceNatOf(policy, family, world, outcomes),
    raw,
  };
}

/**
 * What returns on loopback is on loopback to the policy, though the kernel's output hook goes on seeing the device that it
 * was to leave by: on that path the map is the same for every device.
 */
function whereverItWasToLeave(map: Diagram, family: Family, world: SeenWorld): Diagram {
  const space = world.seenSpaces[family];
  const lo = single(world.devices.numberOf(LOOPBACK));
  const onLoopback = space.restrict(map, space.set([{ ...onPath("loopback"), out: [lo] }]));
  const spread = verdictsOf(space, onLoopback)
    .filter((outcome) => outcome !== UNDECIDED)
    .reduce<Diagram>((all, outcome) => {
      const wherever = forget(space, space.where(onLoopback, outcome), ["out"]);
      return space.union(
        all,
        space.map(wherever, (is) => (is ? outcome : UNDECIDED)),
      );
    }, space.nothing);
  return space.overlay(spread, map);
}

const RAW: ReadonlySet<string> = new Set(["untracked", "early", "early-out"]);
const HERE: readonly Path[] = ["input", "output", "loopback"];

/**
 * The rules and the defaults in order, raw and filter in one: what a packet comes to that opens a flow, as long as
 * nothing rewrites its destination and no essential speaks for it. Leaves: `untracked`, `early`, `early-out`, and for what is
 * tracked `accept`, `drop` and `reject`.
 */
function rulesOf(policy: Policy, family: Family, world: SeenWorld, outcomes: Outcomes): Diagram {
  const space = world.seenSpaces[family];
  const leaves = leavesOf(outcomes);
  const list: MatchRule<SeenFields>[] = [];
  const add = (rule: Rule, index: number, paths: readonly Path[]): void => {
    const match = cubesOf(rule.match, family, policy.self, world.devices, paths);
    if (match.length > 0) list.push({ match, verdict: outcomeOf(rule, index, paths, outcomes) });
  };
  policy.rules.forEach((rule, index) => {
    const isDeny = rule.action !== "allow";
    const paths = policy.essentials && isDeny ? PATHS.filter((path) => path !== "loopback") : PATHS;
    const waits = isDeny && !rule.tracked && rule.match.out !== null;
    // Every hook has a bucket of its own for a limit.
    if (rule.limit || waits) for (const path of paths) add(rule, index, [path]);
    else add(rule, index, paths);
  });
  for (const path of PATHS) {
    const byDefault = policy.defaults[path === "loopback" ? "output" : path];
    list.push({ match: [onPath(path)], verdict: byDefault === "allow" ? leaves.accept : leaves.drop });
  }
  return sequenceOf(rankRules(space, list), policySequence(outcomes));
}

/** Tracked packets that no rule is asked about: loopback, and ICMP errors where something is untracked. */
export function essentialPackets(policy: Policy, family: Family, space: SeenSpace): Diagram {
  if (!policy.essentials) return space.nothing;
  const paths = PATHS.filter((path) =>
    path === "forward" ? forwardsUntracked(policy) : leavesUntracked(policy),
  );
  const errors = icmpErrors(family);
  return space.set([onPath("loopback"), ...paths.map((path) => ({ ...onPath(path), ...errors }))]);
}

/** ICMP errors of the kinds that path-MTU discovery and traceroute need. No such packet ever opens a flow. */
export function icmpErrors(family: Family): PacketCube {
  return {
    protocol: [single(family === 4 ? ICMP : ICMPV6)],
    destinationPort: ICMP_ERRORS[family].map(single),
  };
}

function destinationNatOf(policy: Policy, family: Family, world: SeenWorld, outcomes: Outcomes): Diagram {
  const list: MatchRule<SeenFields>[] = [];
  for (const nat of policy.destinationNat) {
    const translation = destinationTranslation(nat, family);
    if (translation === null) continue;
    list.push({
      match: cubesOf(nat.match, family, policy.self, world.devices),
      verdict: outcomes.leaf("translate", describeTranslation(translation, family)),
    });
  }
  return sequenceOf(rankRules(world.seenSpaces[family], list), {
    join: (first) => first,
    settled: () => true,
  });
}

function sourceNatOf(policy: Policy, family: Family, world: SeenWorld, outcomes: Outcomes): Diagram {
  const list: MatchRule<SeenFields>[] = [];
  for (const nat of policy.sourceNat) {
    const cubes = cubesOf(nat.match, family, policy.self, world.devices, ["forward", "output"]);
    for (const portful of nat.ports ? [true, false] : [false]) {
      const translation = sourceTranslation(nat, family, portful);
      if (translation === null) continue;
      list.push({
        match: nat.ports ? cubes.flatMap((cube) => ofProtocols(cube, portful)) : cubes,
        verdict: outcomes.leaf("translate", describeTranslation(translation, family)),
      });
    }
  }
  return sequenceOf(rankRules(world.seenSpaces[family], list), {
    join: (first) => first,
    settled: () => true,
  });
}

/** The part of a cube whose ports NAT rewrites, or the rest. */
function ofProtocols(cube: PacketCube, portful: boolean): PacketCube[] {
  const among = TRANSLATED_PORTS.map(single);
  const { protocol } = cube;
  if (!protocol) return [{ ...cube, protocol: portful ? among : { except: among } }];
  // A sentence names protocols one by one.
  const isPortful =
    !("except" in protocol) && protocol.every(({ first }) => TRANSLATED_PORTS.includes(first));
  return isPortful === portful ? [cube] : [];
}

/** Packets that the kernel never tracks, whatever anybody says. */
export function neverTracked(family: Family, { seenSpaces }: SeenWorld): Diagram {
  const space = seenSpaces[family];
  if (family === 4) return space.nothing;
  return space.set([{ protocol: [single(ICMPV6)], destinationPort: NEIGHBOUR_DISCOVERY.map(single) }]);
}

/**
 * Forwarded packets of which the raw hook cannot know what the policy wants: some rule matches them that asks where they
 * leave. There, what raw can do is not always what the policy says, though what becomes of the packet in the end is.
 */
export function unforeseeable(policy: Policy, family: Family, world: SeenWorld): Diagram {
  return world.seenSpaces[family].set(
    policy.rules.flatMap(({ match }) =>
      match.out ? cubesOf({ ...match, out: null }, family, policy.self, world.devices, ["forward"]) : [],
    ),
  );
}

function onPath(path: Path): PacketCube {
  return { path: [single(PATHS.indexOf(path))] };
}

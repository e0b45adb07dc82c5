import type { Family } from "../address/ranges.ts";
import { describeParts } from "../meaning/describe-set.ts";
import { possibleSeen } from "../meaning/possible.ts";
import type { Vocabulary } from "../meaning/vocabulary.ts";
import { packetOf } from "../meaning/witness.ts";
import { cubesOf } from "../meaning/world.ts";
import type { Diagram } from "../packets/nodes.ts";
import { describePacket } from "../policy/describe.ts";
import { evaluate, matches } from "../policy/evaluate.ts";
import type { Packet } from "../policy/packet.ts";
import type { Match, Origin, Policy } from "../policy/policy.ts";
import type { Span } from "../source/source.ts";
import { describeOutcome } from "../verify/phrases.ts";
import type { Change, Diff, DiffState } from "./diff.ts";
import { CHANGE_KINDS, type ChangeKind } from "./kinds.ts";

/** Changes with one cause, in words. */
export interface Entry {
  readonly kind: ChangeKind;
  /** The packets, the largest parts first. */
  readonly packets: readonly string[];
  /** `packets` names all of them. */
  readonly isWhole: boolean;
  /** One of the packets, as `ctc trace` reads it. */
  readonly example: string;
  /** Which packets of a flow are meant, where it is not those that open one. */
  readonly state: string | null;
  readonly before: Cause;
  readonly after: Cause;
}

/** What one of the policies does with the packets, and why. */
export interface Cause {
  /** `drops them`, to go on "the policy". */
  readonly does: string;
  /** The sentence responsible; null where none is. */
  readonly sentence: Span | null;
  /** What of the sentence it is, where it is not what is written: one of the rules that `symmetricAllow` adds. */
  readonly role: string | null;
  /** Why, where no sentence is responsible: "the default for input". */
  readonly reason: string | null;
}

/** A comparison as people read it. */
export interface Entries {
  readonly entries: readonly Entry[];
  /** Not all changes are among the entries: there are too many causes. */
  readonly isCut: boolean;
}

/** Parts of a change that are named. */
const MOST_PARTS = 4;
/** Causes that are told; a change of so many needs another reader than a person. */
const MOST_ENTRIES = 200;

/** Changes by cause: the rule that decided before and the one that decides now. Those that open something come first. */
export function entriesOf(
  { changes, world, outcomes }: Diff,
  before: Policy,
  after: Policy,
  words: Vocabulary,
): Entries {
  const entries = new Map<string, Entry>();
  let isCut = false;
  for (const kind of CHANGE_KINDS)
    for (const change of changes) {
      if (change.kind !== kind) continue;
      const { family } = change;
      const space = world.seenSpaces[family];
      const universe = space.intersection(
        possibleSeen(family, world, before.self),
        possibleSeen(family, world, after.self),
      );
      let left = change.set;
      while (left !== space.nothing) {
        const packet = packetOf(left, family, world);
        if (!packet) break;
        if (entries.size >= MOST_ENTRIES) {
          isCut = true;
          break;
        }
        const was = deciderOf(packet, change, before);
        const is = deciderOf(packet, change, after);
        const share = [
          [was, before],
          [is, after],
        ] as const;
        const set = share.reduce((rest, [{ match }, policy]) => within(rest, match, policy, family), left);
        left = space.difference(left, set);
        const { lines, isWhole } = describeParts(
          set,
          universe,
          family,
          { policy: after, world },
          words,
          MOST_PARTS,
        );
        add({
          kind,
          packets: lines,
          isWhole,
          example: describePacket(packet),
          state: STATES[change.state],
          before: { does: describeOutcome(change.before, outcomes), ...said(was) },
          after: { does: describeOutcome(change.after, outcomes), ...said(is) },
        });
      }
    }
  return { entries: [...entries.values()], isCut };

  function within(set: Diagram, match: Match | null, { self }: Policy, family: Family): Diagram {
    if (match === null) return set;
    const space = world.seenSpaces[family];
    return space.intersection(set, space.set(cubesOf(match, family, self, world.devices)));
  }

  /** IPv4 and IPv6 are one entry where their causes are. */
  function add(entry: Entry): void {
    const key = [
      entry.kind,
      entry.state,
      ...[entry.before, entry.after].flatMap(({ does, sentence, role, reason }) => [
        does,
        sentence?.start,
        role,
        reason,
      ]),
    ].join("|");
    const known = entries.get(key);
    if (!known) {
      entries.set(key, entry);
      return;
    }
    const packets = [...new Set([...known.packets, ...entry.packets])];
    entries.set(key, {
      ...known,
      packets: packets.slice(0, 2 * MOST_PARTS),
      isWhole: known.isWhole && entry.isWhole && packets.length <= 2 * MOST_PARTS,
    });
  }
}

const STATES: Readonly<Record<DiffState, string | null>> = {
  opening: null,
  known: "packets of flows that are open",
  invalid: "packets that belong to no flow",
  never: null,
  translated: "packets whose destination was translated",
};

interface Decider {
  readonly match: Match | null;
  readonly origin: Origin | null;
  readonly reason: string | null;
}

const ROLES: Readonly<Record<Origin["role"], string | null>> = {
  written: null,
  replies: "its replies",
  mirror: "its mirror",
  "mirror-guard": "no openings back",
};

function said({ origin, reason }: Decider): Omit<Cause, "does"> {
  return { sentence: origin?.span ?? null, role: origin && ROLES[origin.role], reason };
}

/** What of a policy decides about a packet. */
function deciderOf(packet: Packet, { state, isSource, kind }: Change, policy: Policy): Decider {
  const first = <T extends { readonly match: Match; readonly origin: Origin }>(
    sentences: readonly T[],
  ): Decider | null => {
    const found = sentences.find(({ match }) => matches(match, packet, policy.self));
    return found ? { match: found.match, origin: found.origin, reason: null } : null;
  };
  const nothing = (reason: string): Decider => ({ match: null, origin: null, reason });
  if (isSource) return first(policy.sourceNat) ?? nothing("no sentence translates the source");
  const rewriting = state === "opening" ? first(policy.destinationNat) : null;
  if (rewriting) return rewriting;
  const { reason } = evaluate(policy, packet, {
    state: state === "known" ? "established" : state === "invalid" ? "invalid" : "new",
    withinLimit: () => true,
    translate: (same) => same,
  });
  switch (reason.kind) {
    case "rule":
      return { match: reason.rule.match, origin: reason.rule.origin, reason: null };
    case "default":
      return nothing(`the default for ${packet.path === "loopback" ? "output" : packet.path}`);
    case "loopback":
      return nothing("loopback is essential");
    case "neighbour-discovery":
      return nothing("neighbour discovery is essential");
    case "icmp-error":
      return nothing("errors about untracked flows are essential");
    case "state":
      // What changes for known flows is whether they are tracked, and that the rules say.
      return (kind === "answer" ? null : first(policy.rules)) ?? nothing("packets of known flows pass");
    case "invalid":
      return nothing("packets that belong to no flow are dropped");
  }
}

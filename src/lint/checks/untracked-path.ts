import type { Family } from "../../address/ranges.ts";
import { icmpErrors } from "../../meaning/conduct.ts";
import { FATE, type Fate, type View } from "../../meaning/fates.ts";
import { cubesOf } from "../../meaning/world.ts";
import type { Diagram } from "../../packets/nodes.ts";
import { describePacket } from "../../policy/describe.ts";
import { matches } from "../../policy/evaluate.ts";
import type { Packet } from "../../policy/packet.ts";
import type { Rule } from "../../policy/policy.ts";
import type { Check, Subject } from "../check.ts";
import { firstSentence, offenders } from "../offenders.ts";
import { untrackedAllows } from "../way-back.ts";
import { wholeSet } from "../whole-set.ts";

/**
 * Forwarded packets that raw takes for untracked ones, because it cannot ask where they will leave; and those that it
 * counts in a limit before anybody knows whether a rule that asks it has a say.
 */
export const untrackedPath: Check = {
  name: "untracked-path",
  level: "error",
  run(subject, report) {
    const { policy, meaning } = subject;
    if (policy.rules.every(({ match }) => match.out === null)) return;
    const allows = untrackedAllows(policy);
    const blamed = offenders<Rule>(
      {
        bad(family) {
          const space = meaning.space(family);
          const fates = meaning.fates(family, "tracking", "packet");
          const marked = space.where(meaning.marks(family, "packet"), FATE.untracked);
          // What is denied is denied untracked as well, unless NAT was to send it elsewhere first.
          const translated = space.difference(
            space.set(
              policy.destinationNat.flatMap(({ match }) =>
                cubesOf(match, family, policy.self, meaning.world.devices, ["forward"]),
              ),
            ),
            space.where(fates, FATE.untracked),
          );
          const tracked = [
            space.where(fates, FATE.allowed),
            translated,
            lostErrors(subject, family),
            keptByLimits(subject, family),
          ].reduce((all, some) => space.union(all, some));
          const counted = countedTooEarly(subject, family);
          return space.intersection(
            space.union(space.intersection(tracked, marked), counted),
            meaning.possible(family),
          );
        },
        sentences: allows,
        decider: (packet) =>
          allows.find(({ match }) => matches({ ...match, out: null }, packet, policy.self)) ?? null,
        reach: ({ match }) => ({ ...match, out: null }),
      },
      meaning,
    );
    for (const { sentence, packet, sets } of blamed) {
      const because = reasonFor(sentence, packet, subject);
      report({
        message: because.message,
        span: sentence.origin.span,
        label: "takes the packet, wherever it leaves",
        ...(because.rule && { related: [{ span: because.rule.origin.span, text: because.text }] }),
        notes: [
          `packet: ${describePacket(packet)}`,
          ...wholeSet(sets, subject, meaning.possible),
          "Whether a packet is tracked is decided before it is routed, when the kernel does not know yet by which interface it will leave. A rule that asks for `out` cannot keep such packets apart: they would all be untracked, and those that should be tracked would lose their state and their NAT.",
        ],
        help: "tell them apart by addresses or by `in` instead of `out`, or treat both kinds alike",
      });
    }
  },
};

/**
 * ICMP errors that the rules deny, and that would pass by their state, being about a flow that is tracked, if no essential
 * speaks for them. (Whether such flows go that way is asked of the kind of the error alone, as in a proof.)
 */
function lostErrors({ policy, meaning }: Subject, family: Family): Diagram {
  const space = meaning.space(family);
  if (policy.essentials) return space.nothing;
  const among = (view: View, fate: Fate): Diagram =>
    space.where(meaning.fates(family, "tracking", view), fate);
  return space.intersection(
    space.set([icmpErrors(family)]),
    space.intersection(among("packet", FATE.denied), among("reply", FATE.allowed)),
  );
}

/** Packets that a limited rule keeps tracked by `out`, and that pass once its limit is used up. */
function keptByLimits({ policy, meaning }: Subject, family: Family): Diagram {
  const space = meaning.space(family);
  const keeping = policy.rules.filter(({ tracked, limit, match }) => tracked && limit && match.out);
  if (keeping.length === 0) return space.nothing;
  const { devices } = meaning.world;
  const kept = space.set(
    keeping.flatMap(({ match }) => cubesOf(match, family, policy.self, devices, ["forward"])),
  );
  const fates = meaning.fates(family, "keeping", "packet");
  const tracked = space.union(space.where(fates, FATE.allowed), space.where(fates, FATE.denied));
  const otherwise = space.where(meaning.fates(family, "tracking", "packet"), FATE.untracked);
  return space.intersection(space.intersection(kept, tracked), otherwise);
}

/**
 * Forwarded packets that raw counts in a limit of an untracked allow, though it depends on where they leave whether that
 * rule, or one that comes after it once the limit is used up, has a say.
 */
function countedTooEarly({ policy, meaning }: Subject, family: Family): Diagram {
  const space = meaning.space(family);
  const allows = untrackedAllows(policy);
  if (allows.every(({ limit }) => !limit)) return space.nothing;
  const wherever = (rules: readonly Rule[]): Diagram =>
    space.set(
      rules.flatMap(({ match }) =>
        cubesOf({ ...match, out: null }, family, policy.self, meaning.world.devices, ["forward"]),
      ),
    );
  let taken = space.nothing;
  let counted = space.nothing;
  for (const rule of allows) {
    const own = wherever([rule]);
    if (rule.limit) counted = space.union(counted, space.difference(own, taken));
    // One that asks where packets leave takes them all in raw, and so takes them from the limit.
    else if (!rule.match.out) taken = space.union(taken, own);
  }
  return space.intersection(counted, wherever(policy.rules.filter(({ match }) => match.out)));
}

/** What is wrong with the packets that an untracked allow takes, and the other rule that is concerned. */
function reasonFor(sentence: Rule, packet: Packet, { policy, meaning }: Subject) {
  if (!sentence.limit)
    return {
      message: "raw cannot tell these packets from tracked ones",
      rule: firstSentence(policy.rules, packet, meaning),
      text: "means the packet to be tracked",
    };
  const rule = policy.rules.find(
    ({ match }) => match.out && matches({ ...match, out: null }, packet, policy.self),
  );
  return {
    message: "raw counts these packets before it is known where they leave",
    rule: rule === sentence ? null : rule,
    text: "asks where the packet leaves",
  };
}

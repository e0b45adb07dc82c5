import { FATE } from "../../meaning/fates.ts";
import { cubesOf } from "../../meaning/world.ts";
import { describePacket } from "../../policy/describe.ts";
import { matches } from "../../policy/evaluate.ts";
import type { Rule } from "../../policy/policy.ts";
import type { Check } from "../check.ts";
import { firstSentence, offenders } from "../offenders.ts";
import { untrackedAllows } from "../way-back.ts";
import { wholeSet } from "../whole-set.ts";

/** Forwarded packets that raw takes for untracked ones, because it cannot ask where they will leave. */
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
          const tracked = space.union(space.where(fates, FATE.allowed), translated);
          return space.intersection(space.intersection(tracked, marked), meaning.possible(family));
        },
        sentences: allows,
        decider: (packet) =>
          allows.find(({ match }) => matches({ ...match, out: null }, packet, policy.self)) ?? null,
        reach: ({ match }) => ({ ...match, out: null }),
      },
      meaning,
    );
    for (const { sentence, packet, sets } of blamed) {
      const tracker = firstSentence(policy.rules, packet, meaning);
      report({
        message: "raw cannot tell these packets from tracked ones",
        span: sentence.origin.span,
        label: "takes the packet, wherever it leaves",
        ...(tracker && { related: [{ span: tracker.origin.span, text: "means the packet to be tracked" }] }),
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

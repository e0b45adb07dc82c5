import { FATE } from "../../meaning/fates.ts";
import { cubesOf } from "../../meaning/world.ts";
import { describePacket } from "../../policy/describe.ts";
import type { Path } from "../../policy/packet.ts";
import { PATHS } from "../../policy/paths.ts";
import type { Check } from "../check.ts";
import { firstSentence, offenders } from "../offenders.ts";
import { untrackedAllows } from "../way-back.ts";
import { wholeSet } from "../whole-set.ts";

/** Paths that meet source NAT; all paths meet destination NAT. */
const SOURCE_NAT_PATHS: readonly Path[] = ["forward", "output"];

/** Untracked packets that a NAT sentence matches. The kernel translates flows, and an untracked packet has none. */
export const untrackedNat: Check = {
  name: "untracked-nat",
  level: "error",
  run(subject, report) {
    const { policy, meaning } = subject;
    const sentences = [
      ...policy.sourceNat.map((nat) => ({ ...nat, paths: SOURCE_NAT_PATHS })),
      ...policy.destinationNat.map((nat) => ({ ...nat, paths: PATHS })),
    ];
    const allows = untrackedAllows(policy);
    if (sentences.length === 0 || allows.length === 0) return;
    const blamed = offenders(
      {
        bad(family) {
          const space = meaning.space(family);
          const untracked = space.where(meaning.fates(family, "untracking", "packet"), FATE.untracked);
          const translated = space.set(
            sentences.flatMap(({ match, paths }) =>
              cubesOf(match, family, policy.self, meaning.world.devices, paths),
            ),
          );
          return space.intersection(space.intersection(untracked, translated), meaning.possible(family));
        },
        sentences: allows,
        decider: (packet) => firstSentence(allows, packet, meaning),
      },
      meaning,
    );
    for (const { sentence, packet, sets } of blamed) {
      const nat = firstSentence(
        sentences.filter(({ paths }) => paths.includes(packet.path)),
        packet,
        meaning,
      );
      const isSource = nat !== null && "masquerade" in nat;
      report({
        message: "NAT never touches this untracked traffic",
        span: sentence.origin.span,
        label: "leaves the packet untracked",
        ...(nat && { related: [{ span: nat.origin.span, text: "would translate it" }] }),
        notes: [
          `packet: ${describePacket(packet)}`,
          ...wholeSet(sets, subject, meaning.possible),
          isSource
            ? "The kernel translates tracked flows only, and says nothing about the others: this packet leaves with the source address that it has. A private address leaks, and no answer finds its way back to it."
            : "The kernel translates tracked flows only, and says nothing about the others: this packet goes where it was addressed to, not where the sentence sends it.",
        ],
        help: "track this traffic, or exclude it from the NAT sentence",
      });
    }
  },
};

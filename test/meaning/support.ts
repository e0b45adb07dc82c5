import fc from "fast-check";
import type { Circumstances } from "../../src/policy/evaluate.ts";
import type { Packet } from "../../src/policy/packet.ts";
import type { Rule } from "../../src/policy/policy.ts";
import { randomPacket } from "../support/random-packet.ts";
import { type Features, randomPolicy } from "../support/random-policy.ts";

/** The text of a random policy in which some rules have a limit. */
export function limitedPolicy(features: Features): fc.Arbitrary<string> {
  return fc
    .tuple(randomPolicy(features), fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 16, maxLength: 16 }))
    .map(([text, dice]) => {
      let sentence = 0;
      return text.replace(/^ {6}- .*$/gm, (line) =>
        dice[sentence++ % dice.length] === 0 ? `${line} limit 5/second` : line,
      );
    });
}

/** Packets of the small world, their states left aside. They are told one by one where they fail, so not shrunk. */
export const packets: fc.Arbitrary<Packet[]> = fc.noShrink(
  fc.array(
    randomPacket.map(({ packet }) => packet),
    { minLength: 60, maxLength: 60 },
  ),
);

/** A packet that opens a flow or belongs to none; `withinLimit` says which limits have room. */
export function opening(withinLimit: (rule: Rule) => boolean): Circumstances {
  return { state: "new", withinLimit, translate: (packet) => packet };
}

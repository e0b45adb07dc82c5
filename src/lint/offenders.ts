import type { Family } from "../address/ranges.ts";
import type { Sets } from "../meaning/describe-set.ts";
import type { Meaning } from "../meaning/meaning.ts";
import { packetOf } from "../meaning/witness.ts";
import { cubesOf } from "../meaning/world.ts";
import type { Diagram } from "../packets/nodes.ts";
import { matches } from "../policy/evaluate.ts";
import type { Packet } from "../policy/packet.ts";
import type { Match, Origin } from "../policy/policy.ts";

/** What can be blamed for a packet. */
interface Sentence {
  readonly match: Match;
  readonly origin: Origin;
}

/** A sentence to blame for some packets of a set. */
export interface Offender<T extends Sentence> {
  readonly sentence: T;
  /** The most human of the packets. */
  readonly packet: Packet;
  /** All packets that this sentence is to blame for. */
  readonly sets: Sets;
}

export interface Blame<T extends Sentence> {
  /** The packets that should not be. */
  readonly bad: (family: Family) => Diagram;
  readonly sentences: readonly T[];
  /** The sentence to blame for a packet; null where it is none, but a default. */
  readonly decider: (packet: Packet) => T | null;
  /** The packets that a sentence can be blamed for: those that it matches, where this is not given. */
  readonly reach?: (sentence: T) => Match | null;
}

/** Sentences told apart in one run of a check. A policy with more faults than this is mended step by step. */
const MOST_OFFENDERS = 100;

/**
 * The sentences behind a set of packets: takes the most human packet, the sentence that decides it, and takes away all
 * that this sentence reaches, until nothing is left. A sentence to blame in both families is told once.
 */
export function offenders<T extends Sentence>(
  { bad, sentences, decider, reach = ({ match }) => match }: Blame<T>,
  { policy, world }: Meaning,
): Offender<T>[] {
  const found: Offender<T>[] = [];
  /** What was written is easier to see than its mirror. */
  const plainest = (sentence: T, packet: Packet, set: Diagram): Pick<Offender<T>, "sentence" | "packet"> => {
    if (sentence.origin.role === "written") return { sentence, packet };
    const written = sentences.find(
      ({ origin }) => origin.role === "written" && origin.span.start === sentence.origin.span.start,
    );
    const match = written && reach(written);
    const space = world.spaces[packet.family];
    const plain =
      match &&
      packetOf(
        space.intersection(set, space.set(cubesOf(match, packet.family, policy.self, world.devices))),
        packet.family,
        world,
      );
    return plain ? { sentence: written, packet: plain } : { sentence, packet };
  };
  const told = new Map<number, number>();
  for (const family of [4, 6] as const) {
    const space = world.spaces[family];
    let left = bad(family);
    for (let i = 0; i < MOST_OFFENDERS; i++) {
      const packet = packetOf(left, family, world);
      const sentence = packet && decider(packet);
      if (!sentence) break;
      // A rule and its mirrors are one sentence.
      const start = sentence.origin.span.start;
      const reached = space.set(
        sentences
          .filter(({ origin }) => origin.span.start === start)
          .flatMap((one) => {
            const match = reach(one);
            return match ? cubesOf(match, family, policy.self, world.devices) : [];
          }),
      );
      const set = space.intersection(left, reached);
      const known = told.get(start);
      if (known === undefined) {
        told.set(start, found.length);
        found.push({ ...plainest(sentence, packet, set), sets: { [family]: set } });
      } else found[known] = { ...found[known]!, sets: { ...found[known]!.sets, [family]: set } };
      left = space.difference(left, reached);
    }
  }
  return found.slice(0, MOST_OFFENDERS);
}

/** The first sentence that matches a packet. */
export function firstSentence<T extends { readonly match: Match }>(
  sentences: readonly T[],
  packet: Packet,
  { policy }: Meaning,
): T | null {
  return sentences.find(({ match }) => matches(match, packet, policy.self)) ?? null;
}

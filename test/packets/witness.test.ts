import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstMatch } from "../../src/packets/first-match.ts";
import { rankRules } from "../../src/packets/rules.ts";
import { type Preferences, witness } from "../../src/packets/witness.ts";
import { EVERY_PACKET, rules, type Small, scan, spaceOf, spaceOfRules } from "./small.ts";

const range = fc
  .tuple(fc.nat(7), fc.nat(7))
  .map(([a, b]) => ({ first: BigInt(Math.min(a, b)), last: BigInt(Math.max(a, b)) }));

describe("witness", () => {
  test("is in the set, and there is one wherever there is a packet", () => {
    fc.assert(
      fc.property(rules(6), (list) => {
        const space = spaceOfRules(list);
        const packet = witness(space, firstMatch(rankRules(space, list)));
        if (packet === null) expect(EVERY_PACKET.some((other) => scan(list, other) !== 0)).toBe(false);
        else expect(scan(list, packet)).not.toBe(0);
      }),
    );
  });

  test("has the best liked value that is possible, field by field", () => {
    fc.assert(
      fc.property(
        rules(5),
        fc.array(range, { maxLength: 3 }),
        fc.array(range, { maxLength: 3 }),
        (list, to, from) => {
          const space = spaceOfRules(list);
          const preferences: Preferences<Small> = { destination: { likes: to }, source: { likes: from } };
          const packet = witness(space, firstMatch(rankRules(space, list)), preferences);
          if (packet === null) return;
          expect(scan(list, packet)).not.toBe(0);
          const rank = (likes: typeof to, value: bigint): number => {
            const found = likes.findIndex(({ first, last }) => first <= value && value <= last);
            return found < 0 ? likes.length : found;
          };
          // Fields above have been chosen; the next one is as good as any packet with those values allows.
          const possible = EVERY_PACKET.filter(
            (other) => scan(list, other) !== 0 && other.path === packet.path && other.port === packet.port,
          );
          const best = Math.min(...possible.map(({ destination }) => rank(to, destination)));
          expect(rank(to, packet.destination)).toBe(best);
          const sources = possible.filter(({ destination }) => destination === packet.destination);
          expect(rank(from, packet.source)).toBe(
            Math.min(...sources.map(({ source }) => rank(from, source))),
          );
        },
      ),
    );
  });

  test("chooses another value than a field above has, where there is one", () => {
    fc.assert(
      fc.property(rules(5), fc.array(range, { maxLength: 2 }), fc.boolean(), (list, likes, skipFirst) => {
        const space = spaceOfRules(list, [{ match: likes.map((one) => ({ source: [one] })), verdict: 1 }]);
        const packet = witness(space, firstMatch(rankRules(space, list)), {
          destination: { likes },
          source: { likes, skipFirst, unlike: "destination" },
        });
        if (!packet) return;
        expect(scan(list, packet)).not.toBe(0);
        const others = EVERY_PACKET.filter(
          (one) =>
            scan(list, one) !== 0 &&
            one.path === packet.path &&
            one.port === packet.port &&
            one.destination === packet.destination &&
            one.source !== one.destination,
        );
        expect(packet.source === packet.destination).toBe(others.length === 0);
      }),
    );
  });

  test("skips the first of several values where it is asked to", () => {
    const wide = { source: [{ first: 4n, last: 7n }] };
    const single = { source: [{ first: 2n, last: 2n }] };
    const space = spaceOf([wide, single]);
    const preferences = { source: { likes: [], skipFirst: true } };
    expect(witness(space, space.set([wide]), preferences)?.source).toBe(5n);
    expect(witness(space, space.set([wide]))?.source).toBe(4n);
    expect(witness(space, space.set([single]), preferences)?.source).toBe(2n);
  });

  test("finds a liked value in what a longer prefix leaves of a shorter one", () => {
    const outer = { source: [{ first: 0n, last: 7n }] };
    const inner = { source: [{ first: 2n, last: 5n }] };
    const space = spaceOf([outer, inner]);
    const around = space.difference(space.set([outer]), space.set([inner]));
    const likes = [{ first: 4n, last: 6n }];
    expect(witness(space, around, { source: { likes } })?.source).toBe(6n);
  });

  test("is null for nothing", () => {
    const space = spaceOf([]);
    expect(witness(space, space.nothing)).toBeNull();
    expect(witness(space, space.everything)).toEqual({ path: 0, port: 0, destination: 0n, source: 0n });
  });
});

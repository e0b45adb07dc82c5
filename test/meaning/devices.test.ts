import fc from "fast-check";
import { expect, test } from "vitest";
import { numberDevices } from "../../src/meaning/devices.ts";
import { matchesDevice } from "../../src/policy/packet.ts";
import { expectFinding, file, head, tracked, untracked } from "../lint/support.ts";

const named = fc.constantFrom(
  "eth0",
  "eth1",
  "eth*",
  "eth1*",
  "e*",
  "wg0",
  "wg*",
  "x*",
  "port*",
  "dev0",
  "y9*",
);
const clauses = fc.array(
  fc.record({ devices: fc.array(named, { minLength: 1, maxLength: 3 }), negated: fc.boolean() }),
);

test("devices that a clause tells apart have different numbers, and a number's name is of its own kind", () => {
  const devices = [
    "lo",
    "eth0",
    "eth1",
    "eth10",
    "eth7",
    "e",
    "wg0",
    "wg7",
    "x1",
    "port1",
    "dev0",
    "dev1",
    "y9z",
    "q0",
  ];
  fc.assert(
    fc.property(clauses, (interfaces) => {
      const world = numberDevices(interfaces);
      for (const device of devices) {
        const number = world.numberOf(device);
        const name = world.nameOf(number)!;
        expect(world.numberOf(name)).toBe(number);
        for (const clause of interfaces) {
          const isMatched = world
            .matching(clause)
            .some(({ first, last }) => first <= number && number <= last);
          expect(isMatched, device).toBe(matchesDevice(device, clause.devices));
          expect(matchesDevice(name, clause.devices), name).toBe(isMatched);
        }
      }
    }),
  );
});

test("a proof thinks of devices other than those of a wildcard that starts as most devices do", () => {
  const text = file(
    head("defaults: { output: deny }"),
    tracked("allow tcp from any to self port 22"),
    untracked("allow udp from self to 10.7.0.0/16 port 53 out not eth*"),
  );
  expectFinding(text, "untracked-reply-denied").notes(/out (?!eth)/);
});

import type { Family, Range } from "../../src/address/ranges.ts";
import { enumerated, rankDomain } from "../../src/packets/domain.ts";
import { createSpace, type Space } from "../../src/packets/space.ts";
import type { BenchRule, Fields } from "./generate.ts";

/** A space in which all the rules can be said. */
export function spaceFor(
  family: Family,
  lists: readonly (readonly BenchRule[])[],
  nodeBudget?: number,
): Space<Fields> {
  const addresses: Range<bigint>[] = [];
  const ports: Range<number>[] = [];
  const protocols: Range<number>[] = [];
  for (const rules of lists) {
    for (const { match } of rules) {
      for (const cube of match) {
        addresses.push(
          ...((cube.source as Range<bigint>[]) ?? []),
          ...((cube.destination as Range<bigint>[]) ?? []),
        );
        ports.push(
          ...((cube.sourcePort as Range<number>[]) ?? []),
          ...((cube.destinationPort as Range<number>[]) ?? []),
        );
        protocols.push(...((cube.protocol as Range<number>[]) ?? []));
      }
    }
  }
  const address = rankDomain(1n << (family === 4 ? 32n : 128n), addresses);
  const port = rankDomain(65536, ports);
  return createSpace<Fields>(
    {
      path: enumerated(4),
      in: enumerated(3),
      out: enumerated(3),
      opening: enumerated(2),
      protocol: rankDomain(256, protocols),
      destinationPort: port,
      destination: address,
      source: address,
      sourcePort: port,
    },
    nodeBudget === undefined ? {} : { nodeBudget },
  );
}

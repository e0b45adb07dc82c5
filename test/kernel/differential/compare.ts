import { printAddress } from "../../../src/address/print.ts";
import type { Range } from "../../../src/address/ranges.ts";
import type { Sighting } from "../observer.ts";
import type { Expectation } from "./expected.ts";
import { addressOf } from "./shots.ts";

/** What the kernel did otherwise than each of the expectations; null where it did as one of them says. */
export function differences(expected: readonly Expectation[], sighting: Sighting | undefined): string | null {
  const found = expected.map((one) => difference(one, sighting));
  return found.includes(null) ? null : found.join(", or ");
}

function difference({ verdict, early, end }: Expectation, sighting: Sighting | undefined): string | null {
  if (!sighting?.arrived) return "it never came to the host: the laboratory is broken";
  const did = sighting.end ? "allow" : sighting.answer ? "reject" : "deny";
  if (did !== verdict) return `expected ${verdict}, and the kernel did ${did}${whereOf(sighting)}`;
  if (!sighting.end) {
    const wasEarly = !sighting.passedRaw;
    if (early === null || early === wasEarly) return null;
    return `expected it dropped ${early ? "before" : "after"} tracking, and it was not`;
  }
  const { path, out, state, packet } = sighting.end;
  const holds: readonly (readonly [string, unknown, unknown])[] = [
    ["path", end.path, path],
    ["out", end.out, out],
    ["state", end.state, state],
    ["destination", printAddress(packet.family, end.destination), packet.destination],
    ["destination port", end.destinationPort, packet.destinationPort],
  ];
  const wrong = holds.flatMap(([name, should, is]) => (should === is ? [] : [`${name} ${should} is ${is}`]));
  if (!within(end.source, addressOf(packet.source))) wrong.push(`the source is ${packet.source}`);
  if (end.sourcePort && !(packet.sourcePort !== null && within(end.sourcePort, packet.sourcePort)))
    wrong.push(`source port ${end.sourcePort.first}-${end.sourcePort.last} is ${packet.sourcePort}`);
  return wrong.length > 0 ? wrong.join(", ") : null;
}

function whereOf({ passedRaw, end }: Sighting): string {
  return end ? ` (${end.path}, ${end.state})` : passedRaw ? " in the filter" : " in raw";
}

function within<T extends bigint | number>({ first, last }: Range<T>, value: T): boolean {
  return first <= value && value <= last;
}

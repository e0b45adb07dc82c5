import type { Family } from "../address/ranges.ts";
import type { Match as Test } from "../netfilter/ruleset.ts";
import { ICMP, ICMPV6 } from "../policy/packet.ts";
import type { Line } from "./lines.ts";

type Protocols = Test & { readonly kind: "protocol" };

/**
 * The line that matches what both match; null where that is nothing. Tests of the protocol become one, because a script may
 * not name two; of other things a line may ask twice.
 */
export function meetLines(a: Line, b: Line): Line | null {
  const families = new Set([...a, ...b].flatMap((test): Family[] => ("family" in test ? [test.family] : [])));
  if (families.size > 1) return null;
  const protocols = [...a, ...b].filter((test) => test.kind === "protocol");
  const icmp = [...a, ...b].find((test) => test.kind === "icmp");
  const rest = (line: Line): Line => line.filter(({ kind }) => kind !== "protocol");
  const others = [...rest(a), ...rest(b).filter((test) => !a.some((known) => sameTest(known, test)))];
  if (icmp) {
    const number = icmp.family === 4 ? ICMP : ICMPV6;
    const fits = protocols.every(({ protocols: listed, negated }) => listed.includes(number) !== negated);
    return fits ? others : null;
  }
  const protocol = protocols.reduce<Protocols | null>(meetProtocols, null);
  if (protocol === null) return others;
  return protocol.protocols.length === 0 && !protocol.negated ? null : [protocol, ...others];
}

/** Lines without those all of whose packets another one of them takes, as far as their tests show it. */
export function withoutCovered(lines: readonly Line[]): Line[] {
  const covers = (wide: Line, narrow: Line): boolean =>
    wide.length <= narrow.length && wide.every((test) => narrow.some((one) => sameTest(test, one)));
  const isCovered = (line: Line, at: number): boolean =>
    lines.some((other, index) => index !== at && covers(other, line) && (index < at || !covers(line, other)));
  return lines.filter((line, at) => !isCovered(line, at));
}

function meetProtocols(a: Protocols | null, b: Protocols): Protocols {
  if (a === null) return b;
  const listed = (negated: boolean, protocols: readonly number[]): Protocols => ({
    kind: "protocol",
    protocols,
    negated,
  });
  if (a.negated && b.negated)
    return listed(
      true,
      [...new Set([...a.protocols, ...b.protocols])].sort((x, y) => x - y),
    );
  const [named, other] = a.negated ? [b, a] : [a, b];
  return listed(
    false,
    named.protocols.filter((number) => other.protocols.includes(number) !== other.negated),
  );
}

function sameTest(a: Test, b: Test): boolean {
  return a === b || JSON.stringify(a, asText) === JSON.stringify(b, asText);
}

function asText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

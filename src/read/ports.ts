import { complementPorts, mergeRanges, type PortRanges, type Range } from "../address/ranges.ts";
import type { Side } from "../netfilter/ruleset.ts";
import type { Alternatives } from "./alternatives.ts";
import { portOf } from "./names.ts";

/** `80`, or two ports around a separator, either of which may be left out; null for anything else. */
export function portRange(text: string, separator: string): Range<number> | null {
  const at = text.indexOf(separator);
  const whole = portOf(text);
  if (at < 0 || whole !== null) return whole === null ? null : { first: whole, last: whole };
  const first = at === 0 ? 0 : portOf(text.slice(0, at));
  const last = at === text.length - 1 ? 65535 : portOf(text.slice(at + 1));
  return first === null || last === null || first > last ? null : { first, last };
}

/** A test of a port; the caller says beside which protocols. */
export function portTest(side: Side, ranges: readonly Range<number>[], negated: boolean): Alternatives {
  const ports: PortRanges = mergeRanges(ranges);
  const passed = negated ? complementPorts(ports) : ports;
  if (passed.length === 0) return [];
  return [[{ kind: "port", side, ports, negated }]];
}

/** A test that either port passes; `negated`: that neither does. */
export function eitherPortTest(ranges: readonly Range<number>[], negated: boolean): Alternatives {
  const ports: PortRanges = mergeRanges(ranges);
  const source = { kind: "port", side: "source", ports } as const;
  const destination = { kind: "port", side: "destination", ports } as const;
  if (negated)
    return [
      [
        { ...source, negated: true },
        { ...destination, negated: true },
      ],
    ];
  return [
    [{ ...source, negated: false }],
    [
      { ...source, negated: true },
      { ...destination, negated: false },
    ],
  ];
}

import type { Family } from "../address/ranges.ts";
import type { IcmpMatch, State } from "../netfilter/ruleset.ts";
import type { ScriptMatch } from "../netfilter/script.ts";
import { ICMP, ICMPV6, TCP } from "./names.ts";

/**
 * Lists of tests of which a packet passes at most one: what a single test of a script comes to where the model needs
 * several rules to say it. One empty list passes every packet, no list none.
 */
export type Alternatives = readonly (readonly ScriptMatch[])[];

export const ALWAYS: Alternatives = [[]];
export const NEVER: Alternatives = [];

/** The one test that is not understood. */
export function unknownTest(text: string): Alternatives {
  return [[{ kind: "unknown", text }]];
}

export function protocolTest(...protocols: readonly number[]): ScriptMatch {
  return { kind: "protocol", protocols, negated: false };
}

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

/** The bits of TCP's flags byte, by the names that iptables and nft have in common. */
export const TCP_FLAGS: ReadonlyMap<string, number> = new Map([
  ["fin", FIN],
  ["syn", SYN],
  ["rst", RST],
  ["psh", 0x08],
  ["ack", ACK],
  ["urg", 0x20],
  ["ecn", 0x40],
  ["cwr", 0x80],
]);

/**
 * A test of TCP's flags. The model knows one thing about them, whether they are those of an opening; what a test asks
 * beyond that is unknown. All 256 flag bytes are tried, so every way to write a test comes to the same.
 */
export function tcpFlagsTest(holds: (flags: number) => boolean, text: string): Alternatives {
  const passed = { opening: 0, other: 0 };
  for (let flags = 0; flags < 256; flags++)
    if (holds(flags)) passed[(flags & (SYN | ACK)) === SYN ? "opening" : "other"]++;
  const tcp = protocolTest(TCP);
  // A quarter of the bytes have SYN and not ACK.
  if (passed.opening === 64 && passed.other === 192) return [[tcp]];
  const part = (negated: boolean, count: number, all: number): Alternatives => {
    if (count === 0) return NEVER;
    const rest: ScriptMatch[] = count === all ? [] : [{ kind: "unknown", text }];
    return [[tcp, { kind: "opening", negated }, ...rest]];
  };
  return [...part(false, passed.opening, 64), ...part(true, passed.other, 192)];
}

/** The states, each with its bit in `ct state`. */
export const STATE_BITS: ReadonlyMap<State, number> = new Map([
  ["invalid", 0x01],
  ["established", 0x02],
  ["related", 0x04],
  ["new", 0x08],
  ["untracked", 0x40],
]);

/** A test of a packet's state, of which it has exactly one. */
export function stateTest(holds: (bits: number) => boolean): Alternatives {
  const states = [...STATE_BITS].filter(([, bit]) => holds(bit)).map(([state]) => state);
  if (states.length === 0) return NEVER;
  return states.length === STATE_BITS.size ? ALWAYS : [[{ kind: "state", states, negated: false }]];
}

/** ICMP types and codes from one to another. */
export interface IcmpBlock {
  readonly types: readonly [first: number, last: number];
  /** Null for every code. */
  readonly codes: readonly [first: number, last: number] | null;
}

/** A test of ICMP's type and code; `negated`: ICMP of the family, but none of these. */
export function icmpTest(family: Family, blocks: readonly IcmpBlock[], negated: boolean): Alternatives {
  const matches: IcmpMatch[] = [];
  for (let type = 0; type < 256; type++) {
    const touching = blocks.filter(({ types: [first, last] }) => first <= type && type <= last);
    // Scripts name a handful of types, mostly whole: only where codes are named they are gone through.
    if (touching.every(({ codes }) => codes === null)) {
      if (touching.length > 0 !== negated) matches.push({ type, code: null });
      continue;
    }
    const codes = new Uint8Array(256);
    for (const block of touching) codes.fill(1, block.codes?.[0] ?? 0, (block.codes?.[1] ?? 255) + 1);
    const hits = [...codes.keys()].filter((code) => (codes[code] === 1) !== negated);
    if (hits.length === 256) matches.push({ type, code: null });
    else for (const code of hits) matches.push({ type, code });
  }
  if (matches.length === 0) return NEVER;
  if (matches.length === 256 && matches.every(({ code }) => code === null))
    return [[{ kind: "family", family }, protocolTest(family === 4 ? ICMP : ICMPV6)]];
  return [[{ kind: "icmp", family, types: matches }]];
}

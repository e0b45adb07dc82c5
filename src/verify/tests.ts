import type { Family, Range } from "../address/ranges.ts";
import { single } from "../address/ranges.ts";
import type { Devices } from "../meaning/devices.ts";
import type { Question } from "../meaning/outcomes.ts";
import { DELIVERIES, SEEN, type Seen, type SeenSpace } from "../meaning/seen.ts";
import type { AddressType, State } from "../netfilter/ruleset.ts";
import type { ScriptMatch, ScriptRule } from "../netfilter/script.ts";
import { intersectRanks, type RankSet } from "../packets/domain.ts";
import type { RankedCube } from "../packets/space.ts";
import { ICMP, ICMPV6, PROTOCOLS_WITH_PORTS, TCP } from "../policy/packet.ts";
import { PATHS } from "../policy/paths.ts";

/** What a rule asks of a packet that its fields show, and what else it asks, in the order of asking. */
export interface Asked {
  /** No packet is in two of them. None: no packet passes. */
  readonly cubes: readonly RankedCube[];
  readonly questions: readonly Question[];
}

/** Where rules are asked: the devices that the kernel knows there. */
export interface HookView {
  readonly in: boolean;
  readonly out: boolean;
}

type AddressTypeTest = ScriptMatch & { readonly kind: "address-type" };

/** What a family calls an address that is delivered here. */
const DELIVERED: Readonly<Record<Family, readonly AddressType[]>> = {
  4: ["local", "broadcast", "multicast"],
  6: ["local", "anycast", "multicast"],
};

/** Whether a test asks no more of a destination than whether it is delivered here. */
export function isDeliveredTest({ types }: AddressTypeTest, family: Family): boolean {
  return DELIVERED[family].every((type) => types.includes(type));
}

/** What a test leaves of one field, by its index. */
type Narrowed = readonly [field: number, ranks: RankSet];

/** Makes the cubes of rules in the ranks of a space. */
export function testReader(
  space: SeenSpace,
  devices: Devices,
  family: Family,
): (rule: ScriptRule, view: HookView, placeOf: () => string) => Asked {
  const { fields } = space;
  const index = new Map(fields.map(({ name }, i) => [name, i]));
  const tellsDeliveries = fields[index.get("delivery")!]!.domain.ranks > 1;

  type Condition = Parameters<(typeof fields)[number]["domain"]["ranksOf"]>[0];
  /** What a condition leaves of a field. */
  const narrowed = (name: string, condition: Condition): Narrowed => {
    const field = index.get(name)!;
    return [field, fields[field]!.domain.ranksOf(condition)];
  };
  const protocolIs = (protocols: Iterable<number>): Narrowed =>
    narrowed("protocol", ascending(protocols).map(single));
  /** By protocol, because a long list asks for one of two or three in each of its lines. */
  const known = new Map<number, Narrowed>();
  const oneProtocol = (protocol: number): Narrowed => {
    const found = known.get(protocol) ?? protocolIs([protocol]);
    known.set(protocol, found);
    return found;
  };
  const portful = protocolIs(PROTOCOLS_WITH_PORTS);
  const icmp = oneProtocol(family === 4 ? ICMP : ICMPV6);

  /** The alternatives of a test; null for what the fields do not show. */
  function alternatives(match: ScriptMatch, view: HookView): readonly Alternative[] | null {
    switch (match.kind) {
      case "family":
        return match.family === family ? ALWAYS : NEVER;
      case "address": {
        if (match.family !== family) return NEVER;
        return [[narrowed(match.side, match.negated ? { except: match.ranges } : match.ranges)]];
      }
      case "address-type":
        return addressType(match);
      case "interface": {
        const { side, negated } = match;
        // A device that is not there has an empty name in the kernel, which `*` matches.
        if (match.devices.some((device) => device === "*" || (device === "" && !view[side])))
          return negated ? NEVER : ALWAYS;
        if (!view[side]) return negated ? ALWAYS : NEVER;
        const named = devices.matching({ negated: false, devices: match.devices });
        return [[narrowed(side, negated ? { except: named } : named)]];
      }
      case "protocol": {
        const { protocols, negated } = match;
        if (protocols.length === 1 && !negated) return [[oneProtocol(protocols[0]!)]];
        const listed = ascending(protocols).map(single);
        return [[narrowed("protocol", negated ? { except: listed } : listed)]];
      }
      case "port":
        return [
          [portful, narrowed(`${match.side}Port`, match.negated ? { except: match.ports } : match.ports)],
        ];
      case "icmp":
        return match.family === family ? icmpTypes(match.types) : NEVER;
      case "opening":
        return [[oneProtocol(TCP), narrowed("opening", [single(match.negated ? 0 : 1)])]];
      case "state": {
        const listed = seenWhere((one) => match.states.includes(one.replace("-translated", "") as State));
        return [[narrowed("seen", match.negated ? { except: listed } : listed)]];
      }
      case "dnat-status":
        return [
          [
            narrowed(
              "seen",
              seenWhere((one) => one.endsWith("-translated")),
            ),
          ],
        ];
      case "limit":
      case "unknown":
        return null;
    }
  }

  function icmpTypes(
    types: readonly { readonly type: number; readonly code: number | null }[],
  ): readonly Alternative[] {
    const whole = new Set(types.filter(({ code }) => code === null).map(({ type }) => type));
    const codes = new Map<number, Set<number>>();
    for (const { type, code } of types) {
      if (code === null || whole.has(type)) continue;
      codes.set(type, (codes.get(type) ?? new Set()).add(code));
    }
    const typeIs = (some: Iterable<number>): Narrowed =>
      narrowed("destinationPort", ascending(some).map(single));
    return [
      ...(whole.size > 0 ? [[icmp, typeIs(whole)]] : []),
      ...[...codes].map(([type, some]) => [
        icmp,
        typeIs([type]),
        narrowed("sourcePort", ascending(some).map(single)),
      ]),
    ];
  }

  function addressType(match: AddressTypeTest): readonly Alternative[] | null {
    const { side, types, negated } = match;
    if (side === "source") {
      // Of sources a policy knows one thing: whether they are this host's.
      if (!types.includes("local")) return null;
      const here = [PATHS.indexOf("output"), PATHS.indexOf("loopback")].map(single);
      return [[narrowed("path", negated ? { except: here } : here)]];
    }
    const listed = tellsDeliveries
      ? ascending(types.map((type) => DELIVERIES.indexOf(type))).map(single)
      : ascending(["input", "loopback"].map((path) => PATHS.indexOf(path as never))).map(single);
    return [[narrowed(tellsDeliveries ? "delivery" : "path", negated ? { except: listed } : listed)]];
  }

  return (rule, view, placeOf) => {
    if (isForOthers(rule, family)) return NOTHING;
    const unknowns: Question[] = [];
    const limits: Question[] = [];
    let cubes: RankSet[][] = [fields.map(() => null)];
    for (const [at, match] of rule.matches.entries()) {
      const passing = alternatives(match, view);
      if (passing) cubes = meet(cubes, passing);
      else if (match.kind === "limit") {
        const { kind, count, unit, burst } = match;
        limits.push({ kind, count, unit, burst, bucket: `${placeOf()}, ${at}` });
      } else unknowns.push({ kind: "unknown", text: textOf(match), place: `${placeOf()}, ${at}` });
      if (cubes.length === 0) return NOTHING;
    }
    return { cubes, questions: [...unknowns, ...limits] };
  };
}

const NOTHING: Asked = { cubes: [], questions: [] };

/** Whether no packet of the family passes a rule. A translation to addresses of one family does not happen to the other. */
function isForOthers({ matches, statement }: ScriptRule, family: Family): boolean {
  if ((statement.kind === "snat" || statement.kind === "dnat") && statement.family !== family) return true;
  return matches.some((match) => "family" in match && match.family !== family);
}

/** Restrictions of several fields, all of which hold. */
type Alternative = readonly Narrowed[];

const ALWAYS: readonly Alternative[] = [[]];
const NEVER: readonly Alternative[] = [];

/** What alternatives leave of cubes, which are used up. */
function meet(cubes: RankSet[][], alternatives: readonly Alternative[]): RankSet[][] {
  const [only, ...others] = alternatives;
  if (!only) return [];
  if (others.length === 0) return cubes.filter((cube) => narrow(cube, only));
  return alternatives.flatMap((alternative) =>
    cubes.map((cube) => [...cube]).filter((cube) => narrow(cube, alternative)),
  );
}

/** Narrows a cube; false where nothing is left. */
function narrow(cube: RankSet[], alternative: Alternative): boolean {
  for (const [field, ranks] of alternative) {
    const left = intersectRanks(cube[field]!, ranks);
    if (left?.length === 0) return false;
    cube[field] = left;
  }
  return true;
}

function textOf(match: ScriptMatch): string {
  if (match.kind === "unknown") return match.text;
  return match.kind === "address-type" ? `${match.side} address type ${match.types.join(", ")}` : match.kind;
}

function seenWhere(holds: (seen: Seen) => boolean): Range<number>[] {
  return SEEN.flatMap((seen, i) => (holds(seen) ? [single(i)] : []));
}

/** Adjacent numbers stay apart: a domain takes any list of what it was told of. */
function ascending(numbers: Iterable<number>): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

import type { Family, Range } from "../address/ranges.ts";
import { single } from "../address/ranges.ts";
import type { Devices } from "../meaning/devices.ts";
import type { Question } from "../meaning/outcomes.ts";
import { DELIVERIES, SEEN, type Seen, type SeenSpace } from "../meaning/seen.ts";
import type { AddressType, State } from "../netfilter/ruleset.ts";
import type { ScriptMatch, ScriptRule } from "../netfilter/script.ts";
import { complementRanks, type RankSet, subtractRanks } from "../packets/domain.ts";
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

/** Makes the cubes of rules in the ranks of a space. */
export function testReader(
  space: SeenSpace,
  devices: Devices,
  family: Family,
): (rule: ScriptRule, view: HookView, place: string) => Asked {
  const { fields, engine } = space;
  const index = new Map(fields.map(({ name }, i) => [name, i]));
  const anything: RankedCube = fields.map(() => null);
  const tellsDeliveries = fields[index.get("delivery")!]!.domain.ranks > 1;

  type Condition = NonNullable<Parameters<typeof engine.rankCube>[0][string]>;
  const cubeOf = (conditions: Readonly<Record<string, Condition>>): RankedCube[] => {
    const cube = engine.rankCube(conditions);
    return cube ? [cube] : [];
  };
  /** All values but those that a cube of one field holds. */
  const negate = (cubes: readonly RankedCube[], field: string): RankedCube[] => {
    const i = index.get(field)!;
    const { ranks } = fields[i]!.domain;
    const left = cubes.reduce<RankSet>((rest, cube) => subtractRanks(rest, cube[i]!, ranks), null);
    return left?.length === 0 ? [] : [anything.with(i, left)];
  };
  const always = [anything];

  /** The alternatives of a test; null for what the fields do not show. */
  function alternatives(match: ScriptMatch, view: HookView): readonly RankedCube[] | null {
    switch (match.kind) {
      case "family":
        return match.family === family ? always : [];
      case "address": {
        if (match.family !== family) return [];
        return cubeOf({ [match.side]: match.negated ? { except: match.ranges } : match.ranges });
      }
      case "address-type":
        return addressType(match);
      case "interface": {
        const { side, negated } = match;
        // A device that is not there has an empty name in the kernel, which `*` matches.
        if (match.devices.some((device) => device === "*" || (device === "" && !view[side])))
          return negated ? [] : always;
        if (!view[side]) return negated ? always : [];
        const named = devices.matching({ negated: false, devices: match.devices });
        return cubeOf({ [side]: negated ? { except: named } : named });
      }
      case "protocol": {
        const listed = ascending(match.protocols).map(single);
        return cubeOf({ protocol: match.negated ? { except: listed } : listed });
      }
      case "port":
        return cubeOf({
          protocol: ascending(PROTOCOLS_WITH_PORTS).map(single),
          [`${match.side}Port`]: match.negated ? { except: match.ports } : match.ports,
        });
      case "icmp":
        return match.family === family ? icmpTypes(match.types) : [];
      case "opening":
        return cubeOf({ protocol: [single(TCP)], opening: [single(match.negated ? 0 : 1)] });
      case "state": {
        const cubes = states(match.states);
        return match.negated ? negate(cubes, "seen") : cubes;
      }
      case "dnat-status":
        return cubeOf({ seen: seenWhere((one) => one.endsWith("-translated")) });
      case "limit":
      case "unknown":
        return null;
    }
  }

  function states(listed: readonly State[]): RankedCube[] {
    return cubeOf({ seen: seenWhere((one) => listed.includes(one.replace("-translated", "") as State)) });
  }

  function icmpTypes(
    types: readonly { readonly type: number; readonly code: number | null }[],
  ): readonly RankedCube[] {
    const protocol = [single(family === 4 ? ICMP : ICMPV6)];
    const whole = new Set(types.filter(({ code }) => code === null).map(({ type }) => type));
    const codes = new Map<number, Set<number>>();
    for (const { type, code } of types) {
      if (code === null || whole.has(type)) continue;
      codes.set(type, (codes.get(type) ?? new Set()).add(code));
    }
    return [
      ...(whole.size > 0 ? cubeOf({ protocol, destinationPort: ascending(whole).map(single) }) : []),
      ...[...codes].flatMap(([type, some]) =>
        cubeOf({ protocol, destinationPort: [single(type)], sourcePort: ascending(some).map(single) }),
      ),
    ];
  }

  function addressType(match: AddressTypeTest): readonly RankedCube[] | null {
    const { side, types, negated } = match;
    if (side === "source") {
      // Of sources a policy knows one thing: whether they are this host's.
      if (!types.includes("local")) return null;
      const here = [PATHS.indexOf("output"), PATHS.indexOf("loopback")];
      return cubeOf({ path: negated ? { except: here.map(single) } : here.map(single) });
    }
    const field = tellsDeliveries ? "delivery" : "path";
    const listed = tellsDeliveries
      ? ascending(types.map((type) => DELIVERIES.indexOf(type))).map(single)
      : ascending(["input", "loopback"].map((path) => PATHS.indexOf(path as never))).map(single);
    return cubeOf({ [field]: negated ? { except: listed } : listed });
  }

  function meet(a: RankedCube, b: RankedCube): RankedCube[] {
    const cube: RankSet[] = [];
    for (let i = 0; i < a.length; i++) {
      const x = a[i]!;
      const y = b[i]!;
      const { ranks } = fields[i]!.domain;
      const both = x === null ? y : y === null ? x : subtractRanks(x, complementRanks(y, ranks), ranks);
      if (both?.length === 0) return [];
      cube.push(both);
    }
    return [cube];
  }

  return ({ matches, statement }, view, place) => {
    const unknowns: Question[] = [];
    const limits: Question[] = [];
    // A translation to addresses of one family does not happen to packets of the other.
    const isOther = (statement.kind === "snat" || statement.kind === "dnat") && statement.family !== family;
    let cubes: readonly RankedCube[] = isOther ? [] : always;
    matches.forEach((match, at) => {
      const passing = alternatives(match, view);
      if (passing) cubes = cubes.flatMap((cube) => passing.flatMap((other) => meet(cube, other)));
      else if (match.kind === "limit") {
        const { kind, count, unit, burst } = match;
        limits.push({ kind, count, unit, burst, bucket: `${place}, ${at}` });
      } else unknowns.push({ kind: "unknown", text: textOf(match), place: `${place}, ${at}` });
    });
    return { cubes, questions: [...unknowns, ...limits] };
  };
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

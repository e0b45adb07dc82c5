import type { PortRanges } from "../address/ranges.ts";
import type { Path } from "../policy/packet.ts";
import type { AddressSet, Rule } from "../policy/policy.ts";
import { mayOverlap } from "./overlap.ts";

/** Comparisons that one run may make before it stops asking and says yes. */
const BUDGET = 20_000_000;

/**
 * The rules that need a guard in a chain that holds only some of the rules, the *targets*: those other rules that take
 * packets from a target further down. Without a guard the chain would do to these packets what the target says.
 *
 * Targets are kept in buckets by the one port they speak of, and the rules are walked from the last to the first, so that
 * each is compared only with targets that follow it and that share a port with it.
 */
export function rulesToGuard(
  rules: readonly Rule[],
  isTarget: (rule: Rule) => boolean,
  paths: readonly Path[],
  self: AddressSet | null,
): ReadonlySet<Rule> {
  const guarded = new Set<Rule>();
  const later = new Buckets();
  let budget = BUDGET;
  for (const rule of rules.toReversed()) {
    if (isTarget(rule)) {
      later.add(rule);
      continue;
    }
    for (const target of later.candidates(rule)) {
      if (budget-- > 0 && !mayOverlap(rule.match, target.match, paths, self)) continue;
      guarded.add(rule);
      break;
    }
  }
  return guarded;
}

/** Rules by the single source or destination port of their traffic. */
class Buckets {
  readonly #byDestination = new Map<number, Rule[]>();
  readonly #bySource = new Map<number, Rule[]>();
  readonly #others: Rule[] = [];

  add(rule: Rule): void {
    const destination = onlyPort(rule, "destinationPorts");
    const source = onlyPort(rule, "sourcePorts");
    if (destination !== null) bucket(this.#byDestination, destination).push(rule);
    else if (source !== null) bucket(this.#bySource, source).push(rule);
    else this.#others.push(rule);
  }

  /** Every rule that may meet this one, the nearest last added first. */
  *candidates(rule: Rule): Generator<Rule> {
    yield* narrowed(this.#byDestination, onlyPort(rule, "destinationPorts"));
    yield* narrowed(this.#bySource, onlyPort(rule, "sourcePorts"));
    yield* this.#others;
  }
}

function bucket(buckets: Map<number, Rule[]>, port: number): Rule[] {
  const known = buckets.get(port);
  if (known) return known;
  const fresh: Rule[] = [];
  buckets.set(port, fresh);
  return fresh;
}

function* narrowed(buckets: ReadonlyMap<number, Rule[]>, port: number | null): Generator<Rule> {
  if (port !== null) yield* buckets.get(port) ?? [];
  else for (const rules of buckets.values()) yield* rules;
}

/** The one port that all traffic of a rule speaks of; null where there is none such. */
function onlyPort(rule: Rule, side: "sourcePorts" | "destinationPorts"): number | null {
  const single = (ports: PortRanges | null): number | null =>
    ports?.length === 1 && ports[0]!.first === ports[0]!.last ? ports[0]!.first : null;
  const [first, ...rest] = rule.match.traffic.map((traffic) => single(traffic[side]));
  return first !== undefined && rest.every((port) => port === first) ? first : null;
}

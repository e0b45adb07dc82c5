import type { PortRanges } from "../address/ranges.ts";
import type { Rule } from "../policy/policy.ts";

/** Rules by the single source or destination port of their traffic. */
export class Buckets {
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

  /** Every rule that may meet this one, in the order of the buckets. */
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

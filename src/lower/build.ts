import type { Chain, LimitMatch, Match, RulesetRule, Statement, TableName } from "../netfilter/ruleset.ts";
import { TCP } from "../policy/packet.ts";
import type { Limit, Origin } from "../policy/policy.ts";
import { baseName, positionOf } from "../source/source.ts";
import type { Line } from "./lines.ts";

/** Heading of what no sentence of the policy asks for by itself. */
export const OWN_GROUP = "ctc";

/** What a packet that matches meets, and where that comes from. */
export interface Effect {
  readonly statement: Statement;
  readonly limit?: Limit | null;
  /** The bucket of the limit, where lines elsewhere in the table ask it too. */
  readonly bucket?: Bucket | null;
  /** Log prefix. */
  readonly log?: string | null;
  readonly origin: string;
  readonly group: string;
}

/** A limit that stands in a chain of its own, made by whoever asks it first. */
export interface Bucket {
  chain: string | null;
}

/** `policy.yaml:23 memcached`: the place a reader looks up. Only the file's own name, so that every machine prints the same. */
export function describeOrigin({ policy, span, role }: Origin): string {
  const place = `${baseName(span.source)}:${positionOf(span.source, span.start).line} ${policy}`;
  switch (role) {
    case "written":
      return place;
    case "replies":
      return `${place}, replies`;
    case "mirror":
      return `${place}, mirror`;
    case "mirror-guard":
      return `${place}, no openings back`;
  }
}

export const ONLY_TCP: Match = { kind: "protocol", protocols: [TCP], negated: false };

/** Collects the rules of one chain, with the chains that they jump to. */
export interface ChainBuilder {
  /** One rule for each line, all of the same effect. */
  add(lines: readonly Line[], effect: Effect): void;
  /** Rules that ask and log once, and then do one of several things: the first of whose lines match. */
  addBranches(lines: readonly Line[], branches: readonly Branch[], effect: Omit<Effect, "statement">): void;
  readonly rules: readonly RulesetRule[];
  readonly called: readonly Chain[];
}

/** Lines that lead to one statement. */
interface Branch {
  readonly lines: readonly Line[];
  readonly statement: Statement;
}

/** A builder for the chain `name`. Chains that it needs beside are called after it. */
export function buildChain(table: TableName, name: string): ChainBuilder {
  const rules: RulesetRule[] = [];
  const called: Chain[] = [];

  /** A limit counts packets, whichever of the lines they match: the lines share one bucket in a chain of its own. */
  function share(effect: Effect, limit: LimitMatch): string {
    const known = effect.bucket?.chain;
    if (known) return known;
    const chain = `${name}-limit-${called.length + 1}`;
    const { statement, log, origin, group } = effect;
    // iptables answers with a reset only where the rule itself says that it is about TCP.
    const isReset = statement.kind === "reject" && statement.with === "tcp-reset";
    const matches: Line = isReset ? [ONLY_TCP, limit] : [limit];
    const rule: RulesetRule = { matches, log: asLog(log), statement, origin, group };
    called.push({ table, name: chain, base: null, rules: [rule] });
    if (effect.bucket) effect.bucket.chain = chain;
    return chain;
  }

  return {
    rules,
    called,
    addBranches(lines, branches, effect) {
      const chain = `${name}-branches-${called.length + 1}`;
      const { origin, group } = effect;
      const inside = branches.flatMap((branch) =>
        branch.lines.map((matches) => ({ matches, log: null, statement: branch.statement, origin, group })),
      );
      called.push({ table, name: chain, base: null, rules: inside });
      add(lines, { ...effect, statement: { kind: "jump", chain } });
    },
    add,
  };

  function add(lines: readonly Line[], effect: Effect): void {
    const { origin, group, limit, bucket, log, statement } = effect;
    const test: LimitMatch | null = limit ? { kind: "limit", ...limit } : null;
    if (test && (bucket || lines.length > 1)) {
      const chain = share(effect, test);
      for (const matches of lines)
        rules.push({ matches, log: null, statement: { kind: "jump", chain }, origin, group });
      return;
    }
    for (const line of lines)
      rules.push({
        matches: test ? [...line, test] : line,
        log: asLog(log),
        statement,
        origin,
        group,
      });
  }
}

function asLog(prefix: string | null | undefined): RulesetRule["log"] {
  return prefix === null || prefix === undefined ? null : { prefix };
}

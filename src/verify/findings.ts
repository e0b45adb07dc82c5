import { describeParts, type Parts } from "../meaning/describe-set.ts";
import type { Outcomes } from "../meaning/outcomes.ts";
import { possibleSeen } from "../meaning/possible.ts";
import { DELIVERIES, type SeenWorld } from "../meaning/seen.ts";
import type { Vocabulary } from "../meaning/vocabulary.ts";
import { packetOf } from "../meaning/witness.ts";
import { cubesOf, fieldsOf } from "../meaning/world.ts";
import { describePacket } from "../policy/describe.ts";
import { evaluate, matches, type Reason } from "../policy/evaluate.ts";
import type { Packet } from "../policy/packet.ts";
import type { DestinationNat, Origin, Policy, Rule, SourceNat } from "../policy/policy.ts";
import type { Finding, Related } from "../source/finding.ts";
import type { Span } from "../source/source.ts";
import type { Misplaced } from "./agreement.ts";
import type { Difference } from "./compare.ts";
import { describeOutcome, describeStates, differsInTracking, isUnknown, unknownWords } from "./phrases.ts";
import type { Script } from "./verify.ts";
import { type HookWalk, type Met, type Walker, walkHook } from "./walk.ts";

/** Large parts of a difference that are named. */
const MOST_PARTS = 4;
/** Causes of one difference that are told apart. Who has more of them mends one after the other. */
const MOST_CAUSES = 8;

/** What it takes to tell a person about differences. */
export interface Telling {
  readonly policy: Policy;
  readonly world: SeenWorld;
  readonly outcomes: Outcomes;
  readonly words: Vocabulary;
}

/**
 * Differences as findings: one for each line of the script and rule of the policy that have a part in some of them, and
 * for lines that are not understood one for each line.
 */
export function findingsOf(
  differences: readonly Difference[],
  script: Script,
  telling: Telling,
): readonly Finding[] {
  const causes = new Map<string, Cause[]>();
  for (const difference of differences)
    for (const cause of causesOf(difference, script, telling)) {
      const { line, meant, unknown } = cause;
      const sentence = unknown && line?.span ? "" : (meant?.sentence.origin.span.start ?? cause.reason);
      const key = `${unknown} ${line?.span?.start ?? line?.label} ${sentence}`;
      causes.set(key, [...(causes.get(key) ?? []), cause]);
    }
  return [...causes.values()].map((together) => findingOf(together, script));
}

/** Packets that differ for one reason. */
interface Cause {
  readonly message: string;
  /** Nothing is wrong as far as anybody knows, but nobody knows. */
  readonly unknown: boolean;
  /** The words of the script that were not understood. */
  readonly words: readonly string[];
  readonly line: { readonly span: Span | null; readonly label: string } | null;
  readonly meant: Meant | null;
  /** Why, in words, where no sentence of the policy says it. */
  readonly reason: string;
  readonly parts: Parts;
  readonly example: string;
}

function causesOf(difference: Difference, script: Script, telling: Telling): Cause[] {
  const { policy, world, outcomes, words } = telling;
  const { family, seen } = difference;
  const space = world.seenSpaces[family];
  const universe = possibleSeen(family, world, policy.self);
  const states = describeStates(seen);
  const unknown = isUnknown(difference.done, outcomes);
  const found: Cause[] = [];
  let left = difference.set;
  while (left !== space.nothing && found.length < MOST_CAUSES) {
    const packet = packetOf(left, family, world);
    if (!packet) break;
    const meant = sentenceFor(packet, difference, policy);
    const reach = meant
      ? space.set(cubesOf(meant.sentence.match, family, policy.self, world.devices))
      : space.everything;
    const set = space.intersection(left, reach);
    left = space.difference(left, reach);
    found.push({
      message: messageOf(difference, unknown, outcomes),
      unknown,
      words: unknown ? unknownWords(difference.done, outcomes) : [],
      line: lineFor(packet, difference, script, telling),
      meant,
      reason: meant ? "" : reasonFor(packet, difference, policy),
      parts: describeParts(set, universe, family, { policy, world }, words, MOST_PARTS),
      example: `${describePacket(packet)}${states === null ? "" : `, in state ${states}`}`,
    });
  }
  return found;
}

interface Meant {
  readonly sentence: Rule | SourceNat | DestinationNat;
  readonly label: string;
}

function findingOf(causes: readonly Cause[], script: Script): Finding {
  const { message, unknown, line, meant, reason, example } = causes[0]!;
  const sentence: Related | null = meant && { span: meant.sentence.origin.span, text: meant.label };
  const span = line?.span ?? sentence?.span ?? { source: script.source, start: 0, end: 0 };
  const label = line?.span ? line.label : sentence?.text;
  const alike = causes.filter((cause) => cause.message === message);
  const lines = [...new Set(alike.flatMap(({ parts }) => parts.lines))];
  const isWhole = alike.every(({ parts }) => parts.isWhole) && lines.length <= MOST_PARTS;
  const others = [...new Set(causes.map((cause) => cause.message))].filter((other) => other !== message);
  return {
    check: unknown ? "script-unknown" : "script-differs",
    level: "error",
    message,
    span,
    ...(label !== undefined && { label }),
    ...(line?.span && sentence && !unknown && { related: [sentence] }),
    notes: [
      ...[...new Set(causes.flatMap(({ words }) => words))].map((text) => `not understood: \`${text}\``),
      `${isWhole ? "packets" : "packets, the largest parts of them"}:\n${lines
        .slice(0, MOST_PARTS)
        .map((one) => `  ${one}`)
        .join("\n")}`,
      `for example: ${example}`,
      ...others.map((other) => {
        const cause = causes.find((one) => one.message === other)!;
        return `and ${other}: ${cause.example}`;
      }),
      ...(meant === null ? [`policy: ${reason}`] : []),
      ...(line && !line.span ? [`script: ${line.label}`] : []),
      ...(meant === null && !line ? ["script: no line of it decides this packet"] : []),
    ],
  };
}

function messageOf({ kind, meant, done }: Difference, unknown: boolean, outcomes: Outcomes): string {
  if (unknown) return "what the script does with these packets cannot be known, so nothing is proved of them";
  if (kind === "early")
    return "the policy drops these packets before connection tracking sees them, the script only later";
  if (kind === "source-nat") {
    const of = (outcome: number): string => outcomes.leafOf(outcome)?.detail || "the source that they have";
    return `these packets leave with another source: the policy says \`${of(meant)}\`, the script \`${of(done)}\``;
  }
  if (differsInTracking(meant, done, outcomes)) {
    return outcomes.leafOf(meant)!.detail === "untracked"
      ? "the policy leaves these packets untracked, the script tracks them"
      : "the policy tracks these packets, the script leaves them untracked";
  }
  const policy = describeOutcome(meant, outcomes, "these packets");
  return `the policy ${policy}, the script ${describeOutcome(done, outcomes)}`;
}

/** The sentence of the policy that speaks of a packet; null where it is an essential, the state or a default. */
function sentenceFor(packet: Packet, { kind, meant, seen }: Difference, policy: Policy): Meant | null {
  const first = <T extends { readonly match: Rule["match"]; readonly origin: Origin }>(
    sentences: readonly T[],
  ): T | undefined => sentences.find(({ match }) => matches(match, packet, policy.self));
  if (kind === "source-nat") {
    const sentence = packet.path === "input" ? undefined : first(policy.sourceNat);
    return sentence ? { sentence, label: "the policy's translation" } : null;
  }
  const translation = seen.includes("new") ? first(policy.destinationNat) : undefined;
  if (translation && meant !== 0 && !("action" in translation))
    return { sentence: translation, label: "the policy's translation" };
  const reason = reasonOf(packet, seen, policy);
  if (reason.kind === "rule") return { sentence: reason.rule, label: "the policy's rule" };
  // Whether a known flow is tracked is still the rules' affair.
  const rule = reason.kind === "state" ? first(policy.rules) : undefined;
  return rule ? { sentence: rule, label: "the first rule that matches" } : null;
}

function reasonOf(packet: Packet, seen: Difference["seen"], policy: Policy): Reason {
  const state = seen[0]!.replace("-translated", "");
  return evaluate(policy, packet, {
    state: state === "untracked" ? "new" : (state as "new" | "established" | "related" | "invalid"),
    withinLimit: () => true,
    translate: (same) => same,
  }).reason;
}

/** Who decides where no sentence does. */
function reasonFor(packet: Packet, { kind, seen }: Difference, policy: Policy): string {
  if (kind === "source-nat") return "no sentence translates this packet";
  const { kind: reason } = reasonOf(packet, seen, policy);
  switch (reason) {
    case "loopback":
      return "loopback is essential";
    case "neighbour-discovery":
      return "neighbour discovery is essential";
    case "icmp-error":
      return "errors about untracked flows are essential";
    case "state":
      return "packets of known flows pass";
    case "invalid":
      return "packets that belong to no flow are dropped";
    case "rule":
      return "a rule";
    case "default":
      return `no rule matches, and the default for ${packet.path === "loopback" ? "output" : packet.path} decides`;
  }
}

/** The line of the script that decides about a packet, or what does where no line does. */
function lineFor(
  packet: Packet,
  { kind, meant, done, seen }: Difference,
  { reading: { ruleset } }: Script,
  { outcomes, world }: Telling,
): { readonly span: Span | null; readonly label: string } | null {
  const walker: Walker = { packet, seen: seen[0]!, ...deliveryOf(packet, world) };
  const arrives = packet.path === "input" || packet.path === "forward";
  const entry = arrives ? "prerouting" : "output";
  const raw = walkHook(ruleset, "raw", entry, walker);
  const byLine = (walk: HookWalk, label: string) =>
    walk.by ? { span: tellingRule(walk, walk.by).rule.span ?? null, label } : null;
  if (raw.ending) return byLine(raw, "the script's line, before connection tracking");
  if (kind === "early" || differsInTracking(meant, done, outcomes))
    return byLine(raw, "the script's line") ?? { span: null, label: "no line of raw speaks of this packet" };
  if (kind === "source-nat") {
    const nat = walkHook(ruleset, "nat", packet.path === "input" ? "input" : "postrouting", walker);
    return byLine(nat, "the script's line") ?? { span: null, label: "no line translates this packet" };
  }
  // What the filter accepts for being untracked, it accepts because of what raw said.
  if (raw.untracked && outcomes.leafOf(done)?.kind === "accept") return byLine(raw, "the script's line");
  const isNew = seen[0] === "new" && !raw.untracked;
  if (isNew) {
    const nat = walkHook(ruleset, "nat", entry, walker);
    if (nat.ending) return byLine(nat, "the script's line");
    if ([meant, done].some((one) => outcomes.leafOf(one)?.kind === "translate"))
      return { span: null, label: "no line translates this packet" };
  }
  const after: Walker = raw.untracked ? { ...walker, seen: "untracked" } : walker;
  const hooks = packet.path === "loopback" ? (["output", "input"] as const) : ([packet.path] as const);
  for (const hook of hooks) {
    const walk = walkHook(ruleset, "filter", hook, after);
    if (walk.ending === null && hook !== hooks.at(-1)) continue;
    if (walk.by) return byLine(walk, "the script's line");
    const policy = walk.ending?.kind === "policy" ? walk.ending.chain : null;
    return {
      span: null,
      label: policy
        ? `no line of chain \`${policy.name}\` decides, and its policy drops`
        : `no line at hook ${hook} decides, so the packet passes`,
    };
  }
  return null;
}

/** The rule that tells most of why a walk ended: of a chain that asks nothing, the one that led there. */
function tellingRule({ met }: Pick<HookWalk, "met">, by: Met): Met {
  const { chain, rule } = by;
  if (chain.base || rule.matches.length > 0) return by;
  const led = met.findLast(
    ({ rule: { statement } }) =>
      (statement.kind === "jump" || statement.kind === "goto") && statement.chain === chain.name,
  );
  return led ? tellingRule({ met: met.slice(0, met.indexOf(led)) }, led) : by;
}

/** What routing says of a packet's destination, so far as the example has to have it so. */
function deliveryOf(packet: Packet, world: SeenWorld): Pick<Walker, "delivery"> {
  const space = world.seenSpaces[packet.family];
  // Where no test tells deliveries apart the path says enough.
  if (space.fields.find(({ name }) => name === "delivery")!.domain.ranks === 1) return {};
  const possible = possibleSeen(packet.family, world, null);
  const fields = fieldsOf(packet, world.devices);
  const index = DELIVERIES.findIndex(
    (_, delivery) => space.verdict(possible, { ...fields, seen: 0, delivery }) === 1,
  );
  return index < 0 ? {} : { delivery: DELIVERIES[index]! };
}

/** Limits whose tokens are counted in other buckets than the policy says. */
export function limitFindings(misplaced: readonly Misplaced[], script: Script, policy: Policy): Finding[] {
  const lines = new Map<string, Span>();
  for (const { table, name, rules } of script.reading.ruleset.chains)
    rules.forEach(({ span }, at) => {
      if (span) lines.set(`${table} ${name} ${at}`, span);
    });
  const spanOf = (bucket: string): Span | undefined => lines.get(bucket.replace(/, [0-9]+$/, ""));
  const ruleOf = (bucket: string): Rule => policy.rules[Number(/^rule ([0-9]+)/.exec(bucket)![1])]!;
  return misplaced.map((one): Finding => {
    const meant = one.kind === "split" ? [one.meant] : one.meant;
    const done = one.kind === "split" ? one.done : [one.done];
    const spans = done.flatMap((bucket) => spanOf(bucket) ?? []);
    const rules = [...new Set(meant.map(ruleOf))].map(({ origin }) => ({
      span: origin.span,
      text: "the policy's limit",
    }));
    const [first, ...others] = spans;
    return {
      check: "script-differs",
      level: "error",
      message:
        one.kind === "split"
          ? "one limit of the policy is counted in several places, so more packets pass than it says"
          : "the script counts several limits of the policy in one, so fewer packets pass than they say",
      span: first ?? rules[0]!.span,
      related: [...others.map((span) => ({ span, text: "counted here too" })), ...(first ? rules : [])],
    };
  });
}

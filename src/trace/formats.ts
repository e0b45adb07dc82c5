import { describePacket } from "../policy/describe.ts";
import type { Decision, Reason } from "../policy/evaluate.ts";
import type { Packet } from "../policy/packet.ts";
import type { Origin, Rule } from "../policy/policy.ts";
import { harmless } from "../report/cells.ts";
import { toJson } from "../report/json.ts";
import { type Paint, plain } from "../report/paint.ts";
import { positionOf, textOf } from "../source/source.ts";
import type { Journey, Step, Trace } from "./trace.ts";

/** For people: the way of the packet, then that of its reply. */
export function formatTrace(trace: Trace, paint: Paint = plain): string {
  const rows = [...journeyRows(trace, paint), ""];
  if (trace.reply) rows.push(paint("strong", "and its reply"), "", ...journeyRows(trace.reply, paint));
  else rows.push(`no reply: ${trace.noReply}`);
  return `${rows.join("\n")}\n`;
}

const STAGE_WIDTH = 26;
const RESULT_WIDTH = 22;

function journeyRows(journey: Journey, paint: Paint): string[] {
  const { packet, steps, decision, met, translated } = journey;
  const rows = [paint("strong", harmless(describePacket(packet)))];
  for (const step of steps) {
    rows.push(stepRow(step));
    if (step.stage === "destination NAT" && translated)
      rows.push(`${" ".repeat(4 + STAGE_WIDTH)}is now ${harmless(describePacket(translated))}`);
  }
  rows.push(
    `  ${paint(decision.verdict === "allow" ? "strong" : "error", verdictOf(decision))}: ${whyOf(decision.reason, translated ?? packet)}`,
  );
  const before = met.filter((rule) => decision.reason.kind !== "rule" || rule !== decision.reason.rule);
  if (before.length > 0) {
    rows.push("  rules that match before:");
    for (const rule of before) rows.push(`    ${ruleText(rule)}`);
  }
  return rows;
}

function stepRow({ stage, hook, result, by }: Step): string {
  const place = hook && stage !== "connection tracking" ? `${stage} ${hook}` : stage;
  const cause = by === null ? (stage === "connection tracking" ? "" : "no rule decides") : harmless(by);
  return `  ${place.padEnd(STAGE_WIDTH)}  ${harmless(result).padEnd(RESULT_WIDTH)}  ${cause}`.trimEnd();
}

/** `allowed, untracked`. */
function verdictOf({ verdict, tracked, droppedEarly }: Decision): string {
  if (verdict === "allow") return tracked ? "allowed, tracked" : "allowed, untracked";
  if (verdict === "reject") return "rejected";
  return droppedEarly ? "dropped before connection tracking" : "dropped";
}

const ROLES: Readonly<Record<Origin["role"], string>> = {
  written: "",
  replies: ", its replies",
  mirror: ", its mirror",
  "mirror-guard": ", no openings back",
};

function ruleText({ origin, limit }: Rule): string {
  const { span, role } = origin;
  const { line } = positionOf(span.source, span.start);
  const sentence = textOf(span).replace(/\s+/g, " ").trim();
  const asks = limit && role === "written" ? ", as long as its limit has room" : "";
  return harmless(`${sentence} (${span.source.name}:${line}${ROLES[role]})${asks}`);
}

function whyOf(reason: Reason, { path }: Packet): string {
  switch (reason.kind) {
    case "rule":
      return ruleText(reason.rule);
    case "default":
      return `no rule matches, and this is the default for ${path === "loopback" ? "output" : path}`;
    case "loopback":
      return "loopback is essential";
    case "neighbour-discovery":
      return "neighbour discovery is essential";
    case "icmp-error":
      return "errors about untracked flows are essential";
    case "state":
      return "it belongs to a flow that is known";
    case "invalid":
      return "it belongs to no flow";
  }
}

/** What a reader of the JSON may rely on; a change that breaks readers raises it. */
const FORMAT_VERSION = 1;

/** The same for programs. What does not apply is null. */
export function formatTraceJson(trace: Trace, version: string): string {
  return toJson({
    version: FORMAT_VERSION,
    ctc: version,
    ...journeyData(trace),
    reply: trace.reply && journeyData(trace.reply),
    noReply: trace.noReply,
  });
}

function journeyData({ packet, state, steps, decision, met, translated }: Journey) {
  const { verdict, tracked, droppedEarly, reason } = decision;
  return {
    packet: describePacket(packet),
    translated: translated && describePacket(translated),
    state,
    verdict,
    tracked,
    droppedEarly,
    reason: reason.kind,
    rule: reason.kind === "rule" ? ruleData(reason.rule) : null,
    met: met.map(ruleData),
    steps: steps.map(({ stage, hook, result, by }) => ({ stage, hook, result, by })),
  };
}

function ruleData({ origin, limit }: Rule) {
  const { span, role, policy } = origin;
  return {
    policy,
    sentence: textOf(span),
    file: span.source.name,
    line: positionOf(span.source, span.start).line,
    role,
    limited: limit !== null,
  };
}

import type { Span } from "../source/source.ts";
import type { InterfacesNode, LimitNode, LogNode, NatNode, PeerNode, RuleNode } from "./ast.ts";
import {
  checkPorts,
  type Reading,
  readAddresses,
  readInterfaces,
  readLimit,
  readLog,
  readPeer,
} from "./clauses.ts";
import { parseWithGuesses } from "./guess.ts";
import { spanOf, spanOfToken, spanOfTokens } from "./passage.ts";
import { type ParsedClause, parseNat, parseRule } from "./sentence-parser.ts";
import { endOf } from "./tokens.ts";
import { readTraffic } from "./traffic.ts";
import { readPortRange } from "./words.ts";

/** A rule; null where it cannot be read, for reasons that are reported. */
export function readRule(reading: Reading): RuleNode | null {
  const { passage, report } = reading;
  const parsed = parseWithGuesses(reading, "rule", parseRule);
  if (!parsed) return null;
  const { action, traffic: parsedTraffic, clauses: parsedClauses } = parsed.value;
  const traffic = parsedTraffic && readTraffic(reading, parsedTraffic);
  const clauses = readClauses(reading, parsedClauses);
  const span = spanOfTokens(passage, parsed.tokens[0]!, parsed.tokens.at(-1)!);
  for (const missing of (["from", "to"] as const).filter((kind) => !clauses.written.has(kind))) {
    const at = endOf(parsed.tokens.at(-1)!);
    report.error("missing-clause", span, `this rule has no \`${missing}\``, {
      help: `write both ends: \`${missing} any\` for everybody, \`${missing} self\` for this host`,
      fix: {
        title: `add \`${missing} any\``,
        edits: [{ span: spanOf(passage, at, at), text: ` ${missing} any` }],
        safe: false,
      },
    });
  }
  if (parsedTraffic && !traffic) return null;
  for (const peer of [clauses.from, clauses.to]) if (peer?.ports) checkPorts(report, traffic, peer.ports);
  if (!clauses.from || !clauses.to || lostClauses(clauses).length > 0) return null;
  return {
    action: action.image as RuleNode["action"],
    actionSpan: spanOfToken(passage, action),
    traffic,
    from: clauses.from,
    to: clauses.to,
    in: clauses.in,
    out: clauses.out,
    limit: clauses.limit,
    log: clauses.log,
    replies: clauses.replies,
    span,
  };
}

/** A NAT sentence; null where it cannot be read, for reasons that are reported. */
export function readNat(reading: Reading): NatNode | null {
  const { passage, report } = reading;
  const parsed = parseWithGuesses(reading, "nat", parseNat);
  if (!parsed) return null;
  const nat = parsed.value;
  const kind = nat.action.image as NatNode["kind"];
  const traffic = nat.traffic && readTraffic(reading, nat.traffic);
  const clauses = readClauses(reading, nat.clauses);
  const target = readAddresses(reading, nat.target);
  const port = nat.port && readPortRange(nat.port.image, spanOfToken(passage, nat.port), 1, report);
  checkNatInterfaces(reading, kind, nat.clauses);
  if (nat.traffic && !traffic) return null;
  for (const peer of [clauses.from, clauses.to]) if (peer?.ports) checkPorts(report, traffic, peer.ports);
  // Source NAT without a protocol narrows the ports of those protocols that have some.
  if (port && (traffic || kind === "dnat" || kind === "redirect")) checkPorts(report, traffic, port);
  const isTargetLost = (nat.target.length > 0 && target.length === 0) || (nat.port && !port);
  if (isTargetLost || lostClauses(clauses).length > 0) return null;
  const common = {
    traffic,
    from: clauses.from,
    to: clauses.to,
    in: clauses.in,
    out: clauses.out,
    actionSpan: spanOfToken(passage, nat.action),
    span: spanOfTokens(passage, parsed.tokens[0]!, parsed.tokens.at(-1)!),
  };
  switch (kind) {
    case "masquerade":
    case "snat": {
      const keepPorts = nat.keepPorts && spanOfToken(passage, nat.keepPorts);
      return { ...common, kind, pool: kind === "snat" ? target : null, ports: port, keepPorts };
    }
    case "dnat":
    case "redirect":
      return { ...common, kind, target: kind === "dnat" ? target : null, port };
  }
}

/** The clauses of which nothing could be read. Without them, the rest of a sentence would say more than was meant. */
function lostClauses(clauses: Clauses): readonly string[] {
  return (["from", "to", "in", "out"] as const).filter((kind) => clauses.written.has(kind) && !clauses[kind]);
}

/** The hooks of NAT see one interface of a packet each, and say nothing about the other. */
function checkNatInterfaces(reading: Reading, kind: NatNode["kind"], clauses: readonly ParsedClause[]): void {
  const isSource = kind === "masquerade" || kind === "snat";
  for (const clause of clauses) {
    if (clause.kind !== (isSource ? "in" : "out")) continue;
    const span = spanOfTokens(reading.passage, clause.keyword, clause.devices.at(-1)!);
    if (isSource)
      reading.report.error(
        "misplaced-clause",
        span,
        `\`${kind}\` cannot ask for \`in\`: sources are translated when packets leave, where iptables knows no input interface`,
        { help: "say with `from` whose packets are meant" },
      );
    else
      reading.report.error(
        "misplaced-clause",
        span,
        `\`${kind}\` cannot ask for \`out\`: destinations are translated before the kernel chooses the way out`,
        { help: "say with `in` where the packets come from, or with `to` where they go" },
      );
  }
}

interface Clauses {
  readonly from: PeerNode | null;
  readonly to: PeerNode | null;
  readonly in: InterfacesNode | null;
  readonly out: InterfacesNode | null;
  readonly limit: LimitNode | null;
  readonly log: LogNode | null;
  readonly replies: Span | null;
  /** What was written, readable or not. */
  readonly written: ReadonlyMap<ParsedClause["kind"], ParsedClause>;
}

/** Reads every clause, whatever its order. Of a clause that stands there twice, the first one counts. */
function readClauses(reading: Reading, parsed: readonly ParsedClause[]): Clauses {
  const { passage, report } = reading;
  const written = new Map<ParsedClause["kind"], ParsedClause>();
  const clauses: { -readonly [Key in keyof Clauses]: Clauses[Key] } = {
    from: null,
    to: null,
    in: null,
    out: null,
    limit: null,
    log: null,
    replies: null,
    written,
  };
  for (const clause of parsed) {
    const first = written.get(clause.kind);
    if (first) {
      report.error(
        "duplicate-clause",
        spanOfToken(passage, clause.keyword),
        `\`${clause.kind}\` stands here twice`,
        {
          related: [{ span: spanOfToken(passage, first.keyword), text: "the first one" }],
          help: /^(?:from|to|in|out)$/.test(clause.kind)
            ? "put both lists into one clause, with a comma between them, or write two sentences"
            : "take one of them out",
        },
      );
      continue;
    }
    written.set(clause.kind, clause);
    switch (clause.kind) {
      case "from":
      case "to":
        clauses[clause.kind] = readPeer(reading, clause.peer);
        break;
      case "in":
      case "out":
        clauses[clause.kind] = readInterfaces(reading, { ...clause, kind: clause.kind });
        break;
      case "limit":
        clauses.limit = readLimit(reading, clause);
        break;
      case "log":
        clauses.log = readLog(reading, clause);
        break;
      case "replies":
        clauses.replies = spanOfToken(passage, clause.keyword);
        break;
    }
  }
  return clauses;
}

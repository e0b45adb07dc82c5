import type { IToken } from "chevrotain";
import type { Span } from "../source/source.ts";
import type {
  AddressNode,
  InterfacesNode,
  LimitNode,
  LogNode,
  PeerNode,
  PortRangeNode,
  PortsNode,
  TimeUnit,
  TrafficNode,
} from "./ast.ts";
import { quoted, type Reporter } from "./checks.ts";
import { defaultBurst, highestCount, largestBurst, TIME_UNITS } from "./limit.ts";
import { type Passage, spanOfToken, spanOfTokens } from "./passage.ts";
import { hasPorts, nameOfProtocol, PROTOCOLS_WITH_PORTS } from "./protocols.ts";
import type { ParsedClause, ParsedPeer, ParsedPorts } from "./sentence-parser.ts";
import { suggest } from "./suggest.ts";
import { keywords } from "./tokens.ts";
import { checkDevice, readAddress, readPort, replace } from "./words.ts";

/** A sentence that is being read, and where to complain about it. */
export interface Reading {
  readonly passage: Passage;
  readonly report: Reporter;
}

/*
 * From the tokens of a clause to its node. A word that cannot be read is reported and left out; a clause without a
 * readable word is null. A document with errors is not to be compiled, so what is left serves to find further errors.
 */

export function readAddresses(
  { passage, report }: Reading,
  tokens: readonly IToken[],
): readonly AddressNode[] {
  const addresses: AddressNode[] = [];
  for (const token of tokens) {
    const span = spanOfToken(passage, token);
    if (token.tokenType === keywords.any) addresses.push({ kind: "any", span });
    else if (token.tokenType === keywords.self) addresses.push({ kind: "self", span });
    else {
      const address = readAddress(token.image, span, report);
      if (address) addresses.push(address);
    }
  }
  return addresses;
}

/** The span of a peer is that of its words, without `from` or `to`. */
export function readPeer(reading: Reading, peer: ParsedPeer): PeerNode | null {
  const addresses = readAddresses(reading, peer.addresses);
  const ports = peer.ports && readPorts(reading, peer.ports);
  if (addresses.length === 0) return null;
  const first = peer.not ?? peer.addresses[0]!;
  const last = peer.ports?.ports.at(-1) ?? peer.addresses.at(-1)!;
  return { negated: peer.not !== null, addresses, ports, span: spanOfTokens(reading.passage, first, last) };
}

/** The span of ports begins with the word `port`. */
function readPorts({ passage, report }: Reading, parsed: ParsedPorts): PortsNode | null {
  const ports = parsed.ports.flatMap(
    (token) => readPort(token.image, spanOfToken(passage, token), report) ?? [],
  );
  if (ports.length === 0) return null;
  return {
    negated: parsed.not !== null,
    ports,
    span: spanOfTokens(passage, parsed.keyword, parsed.ports.at(-1)!),
  };
}

/** The span of interfaces begins with the word `in` or `out`. */
export function readInterfaces(
  { passage, report }: Reading,
  clause: ParsedClause & { kind: "in" | "out" },
): InterfacesNode | null {
  const names = clause.devices
    .map((token) => ({ text: token.image, span: spanOfToken(passage, token) }))
    .filter((word) => checkDevice(word.text, word.span, report));
  if (names.length === 0) return null;
  const span = spanOfTokens(passage, clause.keyword, clause.devices.at(-1)!);
  return { negated: clause.not !== null, names, span };
}

/** Checks that the kernel of every target can count so; see `limit.ts`. */
export function readLimit(
  { passage, report }: Reading,
  clause: ParsedClause & { kind: "limit" },
): LimitNode | null {
  const rateSpan = spanOfToken(passage, clause.rate);
  const rate = readRate(clause.rate.image, rateSpan, report);
  if (!rate) return null;
  const { count, unit } = rate;
  const largest = largestBurst(count, unit);
  const burst = clause.burst ? Number(clause.burst.image) : defaultBurst(count, unit);
  if (clause.burst && (burst < 1 || burst > largest)) {
    const span = spanOfToken(passage, clause.burst);
    if (burst < 1) report.error("bad-limit", span, "a burst of 0 lets no packet pass");
    else if (largest === 10_000)
      report.error("bad-limit", span, "a burst has at most 10000 packets: iptables takes no more");
    else
      report.error(
        "bad-limit",
        span,
        `a burst of ${clause.burst.image} at \`${count}/${unit}\` takes longer than a day to fill again, which overflows in the kernel`,
        replace(span, String(largest)),
      );
    return null;
  }
  return { count, unit, burst, span: spanOfTokens(passage, clause.keyword, clause.burst ?? clause.rate) };
}

function readRate(text: string, span: Span, report: Reporter): { count: number; unit: TimeUnit } | null {
  const match = /^([0-9]{1,12})\/([A-Za-z]{1,20})$/.exec(text);
  if (!match) {
    const help = `write a number and a unit of time, like \`10/minute\``;
    report.error("bad-limit", span, `${quoted(text)} is no rate`, { help });
    return null;
  }
  const count = Number(match[1]);
  const unit = TIME_UNITS.find((known) => known === match[2]);
  if (unit === undefined) {
    const near =
      TIME_UNITS.find((known) => known.startsWith(match[2]!.toLowerCase())) ?? suggest(match[2]!, TIME_UNITS);
    const message = `${quoted(match[2]!)} is no unit of time`;
    const help = "units are `second`, `minute`, `hour` and `day`";
    report.error("bad-limit", span, message, near ? replace(span, `${match[1]}/${near}`) : { help });
    return null;
  }
  if (count < 1 || /^0/.test(match[1]!)) {
    report.error("bad-limit", span, `${quoted(match[1]!)} is no number of packets: it begins at 1`);
    return null;
  }
  if (count > highestCount(unit)) {
    const message = `${quoted(text)} is too fast: iptables can count ${highestCount(unit)} packets a ${unit} at most`;
    report.error("bad-limit", span, message, replace(span, `${highestCount(unit)}/${unit}`));
    return null;
  }
  return { count, unit };
}

/** The kernel keeps 29 bytes of a log prefix, and a blank is put behind it. */
const LOG_PREFIX_LENGTH = 28;

export function readLog(
  { passage, report }: Reading,
  clause: ParsedClause & { kind: "log" },
): LogNode | null {
  const span = spanOfTokens(passage, clause.keyword, clause.prefix ?? clause.keyword);
  if (!clause.prefix) return { prefix: "", span };
  const prefix = clause.prefix.image.slice(1, -1);
  const prefixSpan = spanOfToken(passage, clause.prefix);
  // nft expands `$` in log prefixes; the others end a text or a command in one of the scripts.
  const bad = /[^ -~]|["\\$`]/u.exec(prefix);
  if (bad) {
    // Whatever of it is invisible, the reporter shows by its number.
    const which = bad[0] === "`" ? "a backquote" : `\`${bad[0]}\``;
    report.error("bad-log-prefix", prefixSpan, `a log prefix cannot hold ${which}`, {
      help: "use printable ASCII without `\\`, `$`, quotes and backquotes",
    });
    return null;
  }
  if (prefix.length > LOG_PREFIX_LENGTH) {
    const message = `this log prefix has ${prefix.length} characters, and the kernel keeps ${LOG_PREFIX_LENGTH}`;
    report.error(
      "bad-log-prefix",
      prefixSpan,
      message,
      replace(prefixSpan, `"${prefix.slice(0, LOG_PREFIX_LENGTH).trimEnd()}"`),
    );
    return null;
  }
  return { prefix, span };
}

/**
 * Ports where the written protocol has none, or where none is written. What a service name stands for is not known
 * here.
 */
export function checkPorts(
  report: Reporter,
  traffic: TrafficNode | null,
  ports: PortsNode | PortRangeNode,
): void {
  if (traffic?.kind === "name") return;
  if (!traffic) {
    report.error(
      "port-without-protocol",
      ports.span,
      "a port without a protocol: not every protocol has ports",
      {
        help: "name the protocol or the service behind the first word, for example `tcp`",
      },
    );
    return;
  }
  if (hasPorts(traffic.protocol)) return;
  const name = nameOfProtocol(traffic.protocol) ?? `protocol ${traffic.protocol}`;
  report.error("port-without-protocol", ports.span, `${quoted(name)} has no ports`, {
    related: [{ span: traffic.span, text: "the protocol" }],
    help: `leave the port out; ports belong to ${PROTOCOLS_WITH_PORTS.map((known) => `\`${known}\``).join(", ")}`,
  });
}

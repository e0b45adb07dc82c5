import type { IToken } from "chevrotain";
import type { IcmpNode, PortsNode, ProtocolNode, TrafficNode } from "./ast.ts";
import { quoted } from "./checks.ts";
import { checkPorts, type Reading } from "./clauses.ts";
import { parseWithGuesses } from "./guess.ts";
import { ICMP_TYPES, type NamedIcmpType, parseIcmpType } from "./icmp.ts";
import { spanOf, spanOfToken, spanOfTokens } from "./passage.ts";
import { protocolNamed } from "./protocols.ts";
import { type ParsedTraffic, parseService } from "./sentence-parser.ts";
import { suggest } from "./suggest.ts";
import { endOf, Name, NumberWord } from "./tokens.ts";
import { readPortRange, replace } from "./words.ts";

/** The traffic of a rule: a protocol, with its ICMP type, or the name of a service. */
export function readTraffic(reading: Reading, parsed: ParsedTraffic): TrafficNode | null {
  const { passage, report } = reading;
  const { word, icmpType } = parsed;
  const span = spanOfTokens(passage, word, icmpType ?? word);
  if (word.tokenType === Name) return { kind: "name", name: word.image, span };
  if (word.tokenType === NumberWord) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(word.image) || Number(word.image) > 255) {
      report.error("bad-protocol", span, `${quoted(word.image)} is no protocol: their numbers end at 255`, {
        help: `a port stands behind its protocol in a service (\`tcp 443\`), and behind \`port\` in a rule (\`to self port 443\`)`,
      });
      return null;
    }
    return { kind: "protocol", protocol: Number(word.image), icmp: null, ports: null, span };
  }
  const protocol = protocolNamed(word.image)!;
  if (!icmpType) return { kind: "protocol", protocol, icmp: null, ports: null, span };
  const icmp = readIcmpType(reading, word, icmpType);
  return icmp && { kind: "protocol", protocol, icmp, ports: null, span };
}

/** A member of a service: a protocol with its ICMP type or its destination ports. */
export function readService(reading: Reading): ProtocolNode | null {
  const { passage, report } = reading;
  const parsed = parseWithGuesses(reading, "service", parseService);
  if (!parsed) return null;
  const traffic = readTraffic(reading, parsed.value.traffic);
  const tokens = parsed.value.ports;
  if (traffic?.kind !== "protocol" || tokens.length === 0)
    return traffic?.kind === "protocol" ? traffic : null;
  const ports = tokens.flatMap(
    (token) => readPortRange(token.image, spanOfToken(passage, token), 0, report) ?? [],
  );
  if (ports.length === 0) return null;
  const last = endOf(tokens.at(-1)!);
  const node: PortsNode = { negated: false, ports, span: spanOf(passage, tokens[0]!.startOffset, last) };
  checkPorts(report, traffic, node);
  return { ...traffic, ports: node, span: spanOf(passage, parsed.value.traffic.word.startOffset, last) };
}

/** The type behind `icmp`, `icmp4` or `icmp6`. With `icmp`, which is two protocols, a type must mean something in both. */
function readIcmpType({ passage, report }: Reading, word: IToken, token: IToken): IcmpNode | null {
  const span = spanOfToken(passage, token);
  const protocol = protocolNamed(word.image);
  const bad = (message: string, advice = {}) => {
    report.error("bad-icmp-type", span, message, advice);
    return null;
  };
  const known = ICMP_TYPES.get(token.image);
  if (!known) {
    const number = parseIcmpType(token.image);
    if (number && protocol === "icmp") {
      const help = `write \`icmp4 ${token.image}\` or \`icmp6 ${token.image}\``;
      return bad("a number means different types in ICMP and ICMPv6", { help });
    }
    if (number) return protocol === 1 ? { v4: number, v6: null, span } : { v4: null, v6: number, span };
    if (/^[0-9/]+$/.test(token.image))
      return bad(`${quoted(token.image)} is no ICMP type: types and codes are numbers from 0 to 255`);
    const near =
      suggest(token.image, ICMP_TYPES.keys()) ??
      [...ICMP_TYPES.keys()].find((name) => name.startsWith(`${token.image.toLowerCase()}-`));
    if (near)
      return bad(`${quoted(token.image)} is no ICMP type`, {
        ...replace(span, near),
        help: `did you mean \`${near}\`?`,
      });
    return bad(`${quoted(token.image)} is no ICMP type`, { help: "write a type name like `echo-request`" });
  }
  const icmp = inFamilies(known, protocol);
  if (protocol === "icmp" && (!icmp.v4 || !icmp.v6)) {
    const [one, other] = icmp.v4 ? ["icmp4", "ICMPv6"] : ["icmp6", "ICMP on IPv4"];
    const wordSpan = spanOfToken(passage, word);
    return bad(`${other} has no ${quoted(token.image)}`, replaceWord(wordSpan, one!, token.image));
  }
  if (!icmp.v4 && !icmp.v6) {
    const one = protocol === 1 ? "icmp6" : "icmp4";
    const message = `${quoted(word.image)} has no ${quoted(token.image)}`;
    return bad(message, replaceWord(spanOfToken(passage, word), one, token.image));
  }
  return { ...icmp, span };
}

function replaceWord(span: ReturnType<typeof spanOfToken>, word: string, type: string) {
  return { ...replace(span, word), help: `write \`${word} ${type}\`` };
}

function inFamilies(known: NamedIcmpType, protocol: number | "icmp" | null): NamedIcmpType {
  return { v4: protocol === 58 ? null : known.v4, v6: protocol === 1 ? null : known.v6 };
}

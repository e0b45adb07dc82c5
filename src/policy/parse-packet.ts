import { parseAddress } from "../address/parse.ts";
import type { Family } from "../address/ranges.ts";
import { ICMP_TYPES, parseIcmpType } from "../language/icmp.ts";
import { PROTOCOL_NAMES, protocolNamed } from "../language/protocols.ts";
import { suggest } from "../language/suggest.ts";
import { ICMP, ICMPV6, LOOPBACK, type Packet, PROTOCOLS_WITH_PORTS, TCP } from "./packet.ts";
import type { AddressSet } from "./policy.ts";

/** What is wrong with the text of a packet: the words, and where they stand in it. */
export interface PacketFault {
  readonly fault: string;
  readonly help: string;
  /** In UTF-16 units of the text, half open. */
  readonly start: number;
  readonly end: number;
}

interface Token {
  readonly text: string;
  readonly start: number;
}

/** Unwinds to `parsePacket`, which returns the fault as a value. */
class Refused extends Error {
  readonly packetFault: PacketFault;

  constructor(token: Token, fault: string, help: string) {
    super(fault);
    this.packetFault = { fault, help, start: token.start, end: token.start + Math.max(1, token.text.length) };
  }
}

/** `self` in a packet where the policy does not list this host's addresses: an address for documentation. */
const SOME_HOST: Readonly<Record<Family, bigint>> = {
  4: 0xc000_0201n,
  6: (0x2001_0db8n << 96n) + 1n,
};

const SHAPE = "write a packet as `tcp 10.1.2.3:40000 > 192.0.2.1:11211 in eth0 flags syn`";

/**
 * Reads a packet as people and `describePacket` write it: protocol, ends, an ICMP type, `in`, `out` and `flags`. With
 * `in` alone it is delivered here, with `out` alone sent from here, with both passed on; `in lo` is loopback. `self`
 * stands for an address of this host, the first of `self` where the policy lists them; it may also say the way, over some
 * device, where neither `in` nor `out` does.
 */
export function parsePacket(text: string, self: AddressSet | null): Packet | PacketFault {
  try {
    return readPacket(tokensOf(text), text.trimEnd().length, self);
  } catch (error) {
    if (error instanceof Refused) return error.packetFault;
    throw error;
  }
}

function tokensOf(text: string): Token[] {
  return [...text.matchAll(/\S+/g)].map((match) => ({ text: match[0], start: match.index }));
}

function readPacket(tokens: readonly Token[], length: number, self: AddressSet | null): Packet {
  let next = 0;
  const end: Token = { text: "", start: length };
  const take = (what: string): Token => {
    const token = tokens[next++];
    if (!token) throw new Refused(end, `${what} is missing`, SHAPE);
    return token;
  };

  const protocolToken = take("the protocol");
  const source = take("the source");
  const arrow = take("`>`");
  if (arrow.text !== ">") throw new Refused(arrow, "`>` must stand between the two ends", SHAPE);
  const destination = take("the destination");

  const named = readProtocol(protocolToken);
  const ends = readEnds(source, destination, self);
  const protocol = named === "icmp" ? (ends.family === 4 ? ICMP : ICMPV6) : named;
  const isIcmp = protocol === (ends.family === 4 ? ICMP : ICMPV6);
  const hasPorts = PROTOCOLS_WITH_PORTS.has(protocol);
  for (const [token, port] of [
    [source, ends.sourcePort],
    [destination, ends.destinationPort],
  ] as const) {
    if (port !== null && !hasPorts)
      throw new Refused(token, "this protocol has no ports", "leave the port out");
    if (port === null && hasPorts)
      throw new Refused(
        token,
        "the port is missing",
        ends.family === 4 ? "write `ADDRESS:PORT`" : "write `[ADDRESS]:PORT`",
      );
  }

  const icmp = isIcmp ? readIcmp(take("the ICMP type"), ends.family) : null;
  const rest = readRest(tokens.slice(next), end);
  if (rest.flags && protocol !== TCP)
    throw new Refused(rest.flags, "only TCP has flags", "leave `flags` out");
  const flags = rest.flags ? rest.flags.text.split(",") : [];
  return {
    family: ends.family,
    ...wayOf(rest, source, destination),
    source: ends.source,
    destination: ends.destination,
    protocol,
    sourcePort: ends.sourcePort,
    destinationPort: ends.destinationPort,
    icmp,
    opening: protocol === TCP && flags.includes("syn") && !flags.includes("ack"),
  };
}

function readProtocol(token: Token): number | "icmp" {
  const number = /^\d{1,3}$/.test(token.text) && Number(token.text) <= 255 ? Number(token.text) : null;
  const protocol = number ?? protocolNamed(token.text);
  if (protocol !== null) return protocol;
  const near = suggest(token.text, PROTOCOL_NAMES);
  throw new Refused(
    token,
    `no protocol is called \`${token.text}\``,
    near ? `did you mean \`${near}\`?` : "write its name or its number",
  );
}

interface Ends {
  readonly family: Family;
  readonly source: bigint;
  readonly destination: bigint;
  readonly sourcePort: number | null;
  readonly destinationPort: number | null;
}

function readEnds(source: Token, destination: Token, self: AddressSet | null): Ends {
  const from = readEnd(source);
  const to = readEnd(destination);
  const family = from.address?.family ?? to.address?.family ?? 4;
  if (from.address && to.address && from.address.family !== to.address.family)
    throw new Refused(destination, "the two ends are of different IP versions", "give both ends one version");
  const own = self && (family === 4 ? self.v4 : self.v6)[0]?.first;
  const addressOf = (address: { readonly value: bigint } | null): bigint =>
    address?.value ?? own ?? SOME_HOST[family];
  return {
    family,
    source: addressOf(from.address),
    destination: addressOf(to.address),
    sourcePort: from.port,
    destinationPort: to.port,
  };
}

/** An address, or null for `self`, and a port where there is one: `A`, `A:P`, `[A]:P`, `self`, `self:P`. */
function readEnd(token: Token): {
  readonly address: { readonly family: Family; readonly value: bigint } | null;
  readonly port: number | null;
} {
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(token.text);
  const plain = /^([^:]*):(\d+)$/.exec(token.text);
  const [, addressText, portText] = bracketed ?? plain ?? [null, token.text, undefined];
  const port = portText === undefined ? null : Number(portText);
  if (port !== null && port > 65535)
    throw new Refused(token, "a port is at most 65535", "write a smaller one");
  if (addressText === "self") return { address: null, port };
  const range = parseAddress(addressText ?? "");
  if (!range.ok || range.first !== range.last)
    throw new Refused(token, `\`${addressText}\` is no address`, "write one address, or `self`");
  return { address: { family: range.family, value: range.first }, port };
}

function readIcmp(token: Token, family: Family): { readonly type: number; readonly code: number } {
  const named = ICMP_TYPES.get(token.text);
  const type = (named && (family === 4 ? named.v4 : named.v6)) ?? parseIcmpType(token.text);
  if (type) return { type: type.type, code: type.code ?? 0 };
  const near = suggest(token.text, [...ICMP_TYPES.keys()]);
  throw new Refused(
    token,
    `IPv${family} has no ICMP type \`${token.text}\``,
    near ? `did you mean \`${near}\`?` : "write a name, `TYPE` or `TYPE/CODE`",
  );
}

interface Rest {
  readonly in: string | null;
  readonly out: string | null;
  /** `syn`, `syn,ack`, … */
  readonly flags: Token | null;
}

const FLAGS = ["syn", "ack", "fin", "rst", "psh", "urg", "ece", "cwr"];

function readRest(tokens: readonly Token[], end: Token): Rest {
  const found = new Map<string, Token>();
  for (let i = 0; i < tokens.length; i += 2) {
    const word = tokens[i]!;
    if (!["in", "out", "flags"].includes(word.text))
      throw new Refused(
        word,
        `\`${word.text}\` has no place here`,
        "what follows the ends is `in DEVICE`, `out DEVICE` and `flags LIST`",
      );
    if (found.has(word.text))
      throw new Refused(word, `\`${word.text}\` is written twice`, "keep one of them");
    const value = tokens[i + 1];
    if (!value) throw new Refused(end, `something must follow \`${word.text}\``, SHAPE);
    found.set(word.text, value);
  }
  const flags = found.get("flags") ?? null;
  const unknown = flags?.text.split(",").find((flag) => !FLAGS.includes(flag));
  if (flags && unknown !== undefined)
    throw new Refused(
      flags,
      `TCP has no flag \`${unknown}\``,
      `flags are ${FLAGS.join(", ")}, with commas between them`,
    );
  return { in: found.get("in")?.text ?? null, out: found.get("out")?.text ?? null, flags };
}

/** The device of a packet that does not say by which one it goes. */
const SOME_DEVICE = "eth0";

function wayOf(rest: Rest, source: Token, destination: Token): Pick<Packet, "path" | "in" | "out"> {
  const isSelf = ({ text }: Token): boolean => /^\[?self\b/.test(text);
  const loops = isSelf(source) && isSelf(destination);
  if (rest.in === LOOPBACK || rest.out === LOOPBACK || loops)
    return { path: "loopback", in: LOOPBACK, out: LOOPBACK };
  if (rest.in && rest.out) return { path: "forward", in: rest.in, out: rest.out };
  if (rest.in || (!rest.out && isSelf(destination)))
    return { path: "input", in: rest.in ?? SOME_DEVICE, out: null };
  if (rest.out || isSelf(source)) return { path: "output", in: null, out: rest.out ?? SOME_DEVICE };
  throw new Refused(
    { text: `${source.text} > ${destination.text}`, start: source.start },
    "this does not say which way the packet takes",
    "add `in DEVICE` where it arrives, `out DEVICE` where it leaves, or both where it is passed on",
  );
}

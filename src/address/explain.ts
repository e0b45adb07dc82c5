import {
  type AddressFault,
  type AddressFaultReason,
  isIpv4Mapped,
  parseIpv6Address,
  parsePrefixLength,
  parseQuad,
  readRange,
} from "./parse.ts";
import { printAddress, printPrefix } from "./print.ts";
import { type Family, lastAddress } from "./ranges.ts";

/** Says why `text`, which is no address, CIDR or range, is none. Called for wrong texts only, so it may take its time. */
export function explainAddress(text: string): AddressFault {
  if (text.length > LONGEST) return fault("invalid", `\`${text.slice(0, 20)}…\` is no address`, null);
  const bracketed = /^\[([^\]]*)\](.*)$/.exec(text);
  if (bracketed) return explainBrackets(text, bracketed[1]!, bracketed[2]!);
  if (text.includes("%"))
    return fault(
      "invalid",
      `\`${text}\` has a zone: an interface is written with \`in\` or \`out\``,
      text.slice(0, text.indexOf("%")),
    );
  const withPort = /^([0-9.]+):([0-9]+)$/.exec(text);
  if (withPort && readable(withPort[1]!))
    return fault("invalid", `\`${text}\` joins an address and a port`, `${withPort[1]} port ${withPort[2]}`);
  if (text.includes("/")) return explainCidr(text);
  if (text.includes("-")) return explainRange(text);
  return explainSingle(text);
}

/** Two of the longest addresses and what stands between; a longer text needs no close look. */
const LONGEST = 100;

function explainBrackets(text: string, inside: string, rest: string): AddressFault {
  const address = parseIpv6Address(inside);
  const port = /^:([0-9]+)$/.exec(rest);
  const suggestion =
    address === null ? null : port ? `${inside} port ${port[1]}` : rest === "" ? inside : null;
  return fault("invalid", `\`${text}\`: addresses are written without brackets`, suggestion);
}

function explainCidr(text: string): AddressFault {
  const slash = text.indexOf("/");
  const head = text.slice(0, slash);
  const tail = text.slice(slash + 1);
  if (head === "") return explainSingle(text);
  if (tail.includes("-") || head.includes("-"))
    return fault("invalid", `\`${text}\` mixes a range and a prefix`, null);
  const address = readable(head);
  if (!address) {
    const padded = /^[0-9]+(?:\.[0-9]+){0,2}\.?$/.test(head) ? padShortForm(head) : null;
    const length = parsePrefixLength(tail, 32);
    if (padded && length >= 0) {
      const meant = printPrefix(4, {
        address: (padded >> BigInt(32 - length)) << BigInt(32 - length),
        length,
      });
      return fault(
        "ambiguous",
        `\`${text}\` can be read in several ways: an IPv4 address has four numbers`,
        meant,
      );
    }
    return { ...explainSingle(head), suggestion: null };
  }
  const bits = address.family === 4 ? 32 : 128;
  if (address.family === 4 && tail.includes(".")) {
    const length = maskLength(parseQuad(tail, 0, tail.length));
    const suggestion = length < 0 ? null : network(address.family, address.value, length);
    return fault(
      "invalid",
      `\`${text}\` has a netmask: write the number of its leading bits instead`,
      suggestion,
    );
  }
  const length = parsePrefixLength(tail, bits);
  if (length < 0) {
    const loose = /^[0-9]+$/.test(tail) ? Number(tail) : -1;
    if (loose > bits)
      return fault("invalid", `a prefix of \`${text}\` has at most ${bits} bits, not ${tail}`, null);
    if (loose >= 0)
      return fault("invalid", `the prefix length of \`${text}\` has leading zeros`, `${head}/${loose}`);
    if (tail === "") return fault("invalid", `\`${text}\` lacks its prefix length`, null);
    return fault("invalid", `\`${tail}\` in \`${text}\` is no prefix length`, null);
  }
  if (address.family === 6 && length >= 96 && isIpv4Mapped(address.value))
    return mapped(text, network(4, address.value & 0xffff_ffffn, length - 96));
  return fault(
    "host-bits",
    `\`${text}\` has bits set behind its prefix of ${length} bits`,
    network(address.family, address.value, length),
  );
}

function explainRange(text: string): AddressFault {
  const parts = text.split("-");
  if (parts.length > 2 || parts.includes("")) return explainSingle(text);
  const [low, high] = [parts[0]!, parts[1]!];
  const first = readable(low);
  const last = readable(high);
  if (first?.family === 4 && /^[0-9]{1,3}$/.test(high)) {
    const full = `${low.slice(0, low.lastIndexOf(".") + 1)}${high}`;
    return fault("ambiguous", `\`${text}\` has half an address at its end`, `${low}-${full}`);
  }
  if (!first) return { ...explainSingle(low), suggestion: null };
  if (!last) return { ...explainSingle(high), suggestion: null };
  if (first.family !== last.family)
    return fault(
      "invalid",
      `\`${text}\` begins with IPv${first.family} and ends with IPv${last.family}`,
      null,
    );
  if (first.value > last.value)
    return fault("invalid", `\`${text}\` ends before it begins`, `${high}-${low}`);
  return mapped(
    text,
    `${printAddress(4, first.value & 0xffff_ffffn)}-${printAddress(4, last.value & 0xffff_ffffn)}`,
  );
}

function explainSingle(text: string): AddressFault {
  const quad = /^[0-9]+(?:\.[0-9]+)*\.?$/.test(text);
  if (quad) {
    const octets = text.split(".");
    if (octets.some((octet) => /^0[0-9]/.test(octet))) {
      const plain = octets.map((octet) => octet.replace(/^0+(?=[0-9])/, "")).join(".");
      const message = `\`${text}\` has leading zeros: some programs read such numbers as octal, others as decimal`;
      return fault("ambiguous", message, plain);
    }
    if (octets.length < 4) {
      if (octets.length === 1) return fault("invalid", `\`${text}\` is a number, not an address`, null);
      return fault(
        "ambiguous",
        `\`${text}\` can be read in several ways: an IPv4 address has four numbers`,
        null,
      );
    }
    const large = octets.find((octet) => Number(octet) > 255);
    if (large !== undefined)
      return fault(
        "invalid",
        `\`${large}\` in \`${text}\` is too large: the numbers of an address end at 255`,
        null,
      );
    return fault("invalid", `\`${text}\` has ${octets.length} numbers: an IPv4 address has four`, null);
  }
  const address = readable(text);
  if (address && isIpv4Mapped(address.value))
    return mapped(text, printAddress(4, address.value & 0xffff_ffffn));
  const wildcard = /^((?:[0-9]{1,3}\.){1,3})\*$/.exec(text);
  if (wildcard) {
    const parts = wildcard[1]!.split(".").length - 1;
    const meant = `${wildcard[1]}${Array(4 - parts)
      .fill("0")
      .join(".")}/${parts * 8}`;
    return fault("invalid", `\`${text}\`: addresses have no wildcards, but prefixes`, meant);
  }
  if (text.includes(":") && /^[0-9A-Fa-f:.]+$/.test(text)) return fault("invalid", ipv6Fault(text), null);
  if (text.includes(":")) return fault("invalid", `\`${text}\` is no IPv6 address`, null);
  if (/^(?=.*[A-Za-z])[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\.?$/.test(text))
    return fault(
      "invalid",
      `\`${text}\` is a host name: those are not looked up, because their answers change`,
      null,
    );
  return fault("invalid", `\`${text}\` is no address`, null);
}

function ipv6Fault(text: string): string {
  const groups = text.split(":").filter((group) => group !== "");
  if (text.split("::").length > 2 || text.includes(":::")) return `\`${text}\` has \`::\` more than once`;
  const long = groups.find((group) => group.length > 4 && !group.includes("."));
  if (long !== undefined) return `\`${long}\` in \`${text}\` is too long: a group has at most four digits`;
  const count = groups.length + (groups.at(-1)?.includes(".") ? 1 : 0);
  if (!text.includes("::") && count < 8)
    return `\`${text}\` has ${count} groups: an IPv6 address has eight, or a \`::\``;
  if (count > 7) return `\`${text}\` has too many groups: an IPv6 address has eight`;
  return `\`${text}\` is no IPv6 address`;
}

function mapped(text: string, suggestion: string | null): AddressFault {
  return fault(
    "invalid",
    `\`${text}\` is IPv4 inside IPv6, which no packet carries: write the IPv4 address`,
    suggestion,
  );
}

/** A suggestion that is itself wrong is none. */
function fault(reason: AddressFaultReason, message: string, suggestion: string | null): AddressFault {
  const isRight = suggestion !== null && readRange(suggestion.replace(/ port [0-9]+$/, "")) !== null;
  return { ok: false, reason, message, suggestion: isRight ? suggestion : null };
}

/** The address that a text is, of either family; null for anything else. */
function readable(text: string): { readonly family: Family; readonly value: bigint } | null {
  const quad = parseQuad(text, 0, text.length);
  if (quad >= 0) return { family: 4, value: BigInt(quad) };
  const value = text.includes(":") ? parseIpv6Address(text) : null;
  return value === null ? null : { family: 6, value };
}

/** `10.1` as `10.1.0.0`: what whoever writes `10.1/16` has in mind. */
function padShortForm(text: string): bigint | null {
  const octets = text.replace(/\.$/, "").split(".");
  const quad = [...octets, "0", "0", "0"].slice(0, 4).join(".");
  const number = parseQuad(quad, 0, quad.length);
  return number < 0 ? null : BigInt(number);
}

/** The leading ones of a netmask; −1 where zeros stand between ones. */
function maskLength(mask: number): number {
  for (let length = 0; length <= 32; length++) if (2 ** 32 - 2 ** (32 - length) === mask) return length;
  return -1;
}

function network(family: Family, address: bigint, length: number): string {
  const hostBits = lastAddress(family) >> BigInt(length);
  return printPrefix(family, { address: address & ~hostBits, length });
}

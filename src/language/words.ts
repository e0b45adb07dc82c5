import { parseAddress } from "../address/parse.ts";
import { LAST_PORT } from "../address/ranges.ts";
import type { Span } from "../source/source.ts";
import type { AddressNode, NameNode, PortRangeNode } from "./ast.ts";
import { type Advice, quoted, type Reporter } from "./checks.ts";
import { NAME_SHAPE, RESERVED_WORDS } from "./tokens.ts";

/*
 * What single words mean: addresses, ports, devices and names. They stand in sentences, in declarations and in address
 * files alike. A word that means nothing is reported, and null.
 */

/** An address, a CIDR, a range or a name. `any` and `self` are not for every place: see their keywords. */
export function readAddress(text: string, span: Span, report: Reporter): AddressNode | null {
  if (NAME_SHAPE.test(text)) return { kind: "name", name: text, span };
  const parsed = parseAddress(text);
  if (parsed.ok) {
    const { family, first, last } = parsed;
    return { kind: "literal", family, first, last, span };
  }
  const joined = /^([A-Za-z][A-Za-z0-9_-]*):([0-9]+(?:-[0-9]+)?)$/.exec(text);
  if (joined) {
    const message = `${quoted(text)} joins an address and a port`;
    report.error("bad-address", span, message, replace(span, `${joined[1]} port ${joined[2]}`));
    return null;
  }
  const check =
    parsed.reason === "host-bits"
      ? "host-bits"
      : parsed.reason === "ambiguous"
        ? "ambiguous-address"
        : "bad-address";
  report.error(
    check,
    span,
    parsed.message,
    parsed.suggestion === null ? lookalikes(text) : replace(span, parsed.suggestion),
  );
  return null;
}

/** A member of a declared list of addresses, where no keyword can stand. */
export function readMember(text: string, span: Span, report: Reporter): AddressNode | null {
  if (!RESERVED_WORDS.includes(text)) return readAddress(text, span, report);
  const help = text === "any" || text === "self" ? { help: `write \`${text}\` in the rules` } : {};
  report.error("bad-address", span, `${quoted(text)} cannot be a member of a list of addresses`, help);
  return null;
}

/** The advice to write something else in place of a word. Whoever wrote it must decide: no such fix is safe. */
export function replace(span: Span, text: string): Advice {
  return {
    help: `write ${quoted(text)}`,
    fix: { title: `replace by ${quoted(text)}`, edits: [{ span, text }], safe: false },
  };
}

/** A port, ports from the first to the last, or the name of a service. `lowest` is 1 where 0 means something else. */
export function readPort(text: string, span: Span, report: Reporter): PortRangeNode | NameNode | null {
  return NAME_SHAPE.test(text) ? { kind: "name", name: text, span } : readPortRange(text, span, 0, report);
}

/** A port or ports from the first to the last, none of them below `lowest`. */
export function readPortRange(
  text: string,
  span: Span,
  lowest: 0 | 1,
  report: Reporter,
): PortRangeNode | null {
  const match = /^(0|[1-9][0-9]{0,4})(?:-(0|[1-9][0-9]{0,4}))?$/.exec(text);
  if (!match) {
    report.error(
      "bad-port",
      span,
      `${quoted(text)} is no port and no range of ports`,
      portAdvice(text, span),
    );
    return null;
  }
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  if (last > LAST_PORT || first > LAST_PORT) {
    report.error("bad-port", span, `${quoted(text)} is too large: ports end at ${LAST_PORT}`);
    return null;
  }
  if (first > last) {
    const message = `the range ${quoted(text)} ends before it begins`;
    report.error("bad-port", span, message, replace(span, `${last}-${first}`));
    return null;
  }
  if (first < lowest) {
    report.error("bad-port", span, `${quoted(text)} begins with port 0, which nothing can be translated to`);
    return null;
  }
  return { kind: "range", first, last, span };
}

function portAdvice(text: string, span: Span): Advice {
  const range = /^([0-9]+)(?::|\.\.+|–|—)([0-9]+)$/.exec(text);
  if (range) return replace(span, `${range[1]}-${range[2]}`);
  const zeros = /^0+([1-9][0-9]*)$/.exec(text);
  if (zeros) return replace(span, zeros[1]!);
  return lookalikes(text);
}

/** The longest device name: the kernel's IFNAMSIZ is 16, of which one is the final zero. */
const DEVICE_LENGTH = 15;

/** A device name or, with a trailing `*`, the start of one. Returns whether it can be one. */
export function checkDevice(text: string, span: Span, report: Reporter): boolean {
  const advice = deviceAdvice(text, span);
  if (!advice) return true;
  report.error("bad-device", span, advice.message, advice.advice);
  return false;
}

function deviceAdvice(text: string, span: Span): { message: string; advice: Advice } | null {
  if (text === "*")
    return {
      message: "a lone `*` is every device",
      advice: { help: "leave the clause or the device out to match every device" },
    };
  if (/^[A-Za-z0-9_.:@-]+\+$/.test(text))
    return {
      message: `${quoted(text)}: every device that starts so is written with \`*\``,
      advice: replace(span, `${text.slice(0, -1)}*`),
    };
  if (!/^[A-Za-z0-9_.:@-]+\*?$/.test(text))
    return {
      message: `${quoted(text)} is no device name`,
      advice: {
        help: "device names are letters, digits and `_.:@-`, with `*` at the end for every device that starts so",
        ...lookalikes(text),
      },
    };
  // A pattern of 15 characters and its `*` would match what is one character longer than any device.
  if (text.length > DEVICE_LENGTH)
    return {
      message: `${quoted(text)} is too long: a device name has at most ${DEVICE_LENGTH} characters`,
      advice: {},
    };
  if (text === "." || text === "..") return { message: `${quoted(text)} is no device name`, advice: {} };
  return null;
}

/** Checks the name of a declaration. */
export function checkName(text: string, span: Span, report: Reporter): void {
  if (RESERVED_WORDS.includes(text)) {
    const message = `${quoted(text)} means something in rules, so nothing can be named so`;
    report.error("bad-name", span, message, { help: `choose another name, for example \`my-${text}\`` });
  } else if (!NAME_SHAPE.test(text)) {
    report.error("bad-name", span, `${quoted(text)} is no name`, {
      help: "a name is a letter and up to 62 letters, digits, `_` and `-`",
    });
  }
}

/** Advice on how lists are written elsewhere, and on characters that word processors put in the place of plain ones. */
export function lookalikes(text: string): Advice {
  if (/^[([{]|[)\]}]$/.test(text)) return { help: "a list has commas and no brackets" };
  if (/^!./.test(text)) return { help: "write `not` and a blank; it negates the whole list that follows" };
  const found = [...LOOKALIKES.keys()].find((character) => text.includes(character));
  return found === undefined ? {} : { help: `replace the ${LOOKALIKES.get(found)}` };
}

const LOOKALIKES: ReadonlyMap<string, string> = new Map([
  ["\u00a0", "no-break space by a plain one"],
  ["\u200b", "invisible zero-width space by nothing"],
  ["\ufeff", "invisible byte-order mark by nothing"],
  ["\u2013", "dash `–` by a plain `-`"],
  ["\u2014", "dash `—` by a plain `-`"],
  ["\u2212", "minus sign `−` by a plain `-`"],
  ["\u201c", "quotes `“` and `”` by plain ones"],
  ["\u201d", "quotes `“` and `”` by plain ones"],
  ["\u2192", "arrow `→` by `->`"],
  ["'", "single quotes by double quotes"],
]);

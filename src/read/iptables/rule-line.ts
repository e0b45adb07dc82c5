import type { Family } from "../../address/ranges.ts";
import type { Side } from "../../netfilter/ruleset.ts";
import { type Alternatives, icmpTest, unknownTest } from "../alternatives.ts";
import { ICMP, ICMPV6, PROTOCOLS_WITH_PORTS, protocolOf, TCP } from "../names.ts";
import { eitherPortTest, portRange, portTest } from "../ports.ts";
import { noteUnknown, type ReadLog, reportSyntax } from "../reading.ts";
import type { Plan, Step } from "../rule.ts";
import { icmpTypeOf } from "./icmp.ts";
import { type IpSets, setTest } from "./ipset.ts";
import { TARGET_OPTIONS, targetOf } from "./targets.ts";
import {
  addressRangeTest,
  addressTest,
  addressTypeTest,
  conntrackStateTest,
  interfaceTest,
  limitTest,
  portList,
  type Tested,
  tcpFlagsOptionTest,
} from "./tests.ts";
import { u32Test } from "./u32.ts";
import type { Word } from "./words.ts";

/** What a line is read against. */
export interface LineContext {
  readonly log: ReadLog;
  readonly family: Family;
  readonly table: string;
  readonly sets: IpSets;
  /** Whether the table has a chain of this name that rules may jump to. */
  isChain(name: string): boolean;
}

/** The options that every rule may have, by each of their spellings. */
const GENERAL: ReadonlyMap<string, string> = new Map([
  ["-p", "protocol"],
  ["--protocol", "protocol"],
  ["--proto", "protocol"],
  ["-s", "source"],
  ["--source", "source"],
  ["--src", "source"],
  ["-d", "destination"],
  ["--destination", "destination"],
  ["--dst", "destination"],
  ["-i", "in"],
  ["--in-interface", "in"],
  ["-o", "out"],
  ["--out-interface", "out"],
  ["-m", "match"],
  ["--match", "match"],
  ["-j", "jump"],
  ["--jump", "jump"],
  ["-g", "goto"],
  ["--goto", "goto"],
  ["-f", "fragment"],
  ["--fragment", "fragment"],
  ["-c", "counters"],
  ["--set-counters", "counters"],
  ["-4", "ipv4"],
  ["--ipv4", "ipv4"],
  ["-6", "ipv6"],
  ["--ipv6", "ipv6"],
]);

/** The options of the match extensions that are understood. */
const OF_MATCHES: ReadonlyMap<string, string> = new Map([
  ["--sport", "source-port"],
  ["--source-port", "source-port"],
  ["--dport", "destination-port"],
  ["--destination-port", "destination-port"],
  ["--sports", "source-ports"],
  ["--source-ports", "source-ports"],
  ["--dports", "destination-ports"],
  ["--destination-ports", "destination-ports"],
  ["--ports", "either-ports"],
  ["--tcp-flags", "tcp-flags"],
  ["--syn", "syn"],
  ["--icmp-type", "icmp-type"],
  ["--icmpv6-type", "icmp-type"],
  ["--src-range", "source-range"],
  ["--dst-range", "destination-range"],
  ["--src-type", "source-type"],
  ["--dst-type", "destination-type"],
  ["--ctstate", "state"],
  ["--state", "state"],
  ["--limit", "limit"],
  ["--limit-burst", "limit-burst"],
  ["--comment", "comment"],
  ["--match-set", "set"],
  ["--u32", "u32"],
]);

/** Match extensions that test nothing but what their options above say. */
const MATCHES: ReadonlySet<string> = new Set([
  "tcp",
  "udp",
  "udplite",
  "sctp",
  "dccp",
  "icmp",
  "icmp6",
  "icmpv6",
  "multiport",
  "iprange",
  "addrtype",
  "conntrack",
  "state",
  "comment",
  "limit",
  "set",
  "u32",
]);

/** A line while it is read. */
interface Line {
  readonly words: Word[];
  at: number;
  /** A `!` stands before the present option. */
  negated: boolean;
  /** The one protocol that the rule is about, where it names one. */
  protocol: number | null;
  /** An extension is loaded that is not understood, and may have options of any name. */
  strange: boolean;
  comment: string;
  readonly tests: Step[];
  rate: string | null;
  burst: string | null;
  target: {
    readonly name: Word;
    readonly goes: boolean;
    readonly options: Map<string, string>;
    end: number;
  } | null;
}

/**
 * The rule that the words from `start` on are; null where the tool would refuse them, which is then reported. Tests and
 * targets that are not understood become unknowns.
 */
export function readRule(words: readonly Word[], start: number, context: LineContext): Plan | null {
  const line: Line = {
    words: words.slice(),
    at: start,
    negated: false,
    protocol: null,
    strange: false,
    comment: "",
    tests: [],
    rate: null,
    burst: null,
    target: null,
  };
  while (line.at < line.words.length) {
    const word = line.words[line.at]!;
    const refusal = readOption(line, context);
    if (refusal !== null) {
      reportSyntax(context.log, spanOf(context, word, line.words[line.at - 1] ?? word), refusal);
      return null;
    }
  }
  return finish(line, context);
}

function spanOf({ log }: LineContext, first: Word, last: Word) {
  return { source: log.source, start: first.start, end: Math.max(first.end, last.end) };
}

/** Reads one option with its arguments; a sentence where the tool would refuse it. */
function readOption(line: Line, context: LineContext): string | null {
  const first = line.at;
  const word = split(line);
  if (word.text === "!" && !word.quoted) {
    line.at++;
    if (line.negated) return "`!` twice in a row";
    line.negated = true;
    return line.at < line.words.length ? null : "nothing stands behind `!`";
  }
  const general = isStrange(line, word) ? undefined : GENERAL.get(word.text);
  if (general !== undefined) return readGeneral(general, line, context);
  const ofMatch = OF_MATCHES.get(word.text);
  if (ofMatch !== undefined) {
    line.at++;
    return readMatchOption(ofMatch, line, context);
  }
  if (/^\[[0-9]+:[0-9]+\]$/.test(word.text)) {
    line.at++;
    return null;
  }
  if (line.target && !line.negated) {
    const known = TARGET_OPTIONS.get(line.target.name.text);
    const values = known?.get(word.text);
    if (values !== undefined) {
      line.at++;
      const value = values === 0 ? "" : argument(line);
      if (value === null) return `\`${word.text}\` lacks its argument`;
      line.target.options.set(word.text, value);
      line.target.end = line.words[line.at - 1]!.end;
      return null;
    }
    if (!known || line.target.name.text === "CT") {
      skipStranger(line);
      line.target.options.set(word.text, "");
      line.target.end = line.words[line.at - 1]!.end;
      return null;
    }
  }
  if (!line.strange || !word.text.startsWith("-")) {
    line.at++;
    return `\`${word.text}\` is no option that iptables has here`;
  }
  skipStranger(line);
  addUnknown(line, context, first);
  return null;
}

/** `--dport=80` and `-ptcp` are two words in one, as for every program that reads its options with getopt. */
function split(line: Line): Word {
  const word = line.words[line.at]!;
  if (word.quoted || word.text.length < 3 || word.text[0] !== "-") return word;
  const cut = word.text[1] === "-" ? word.text.indexOf("=") : 2;
  if (cut < 0) return word;
  const name = word.text.slice(0, cut);
  if (!GENERAL.has(name) && !OF_MATCHES.has(name)) return word;
  const value = word.text.slice(word.text[1] === "-" ? cut + 1 : cut);
  const words = [
    { ...word, text: name },
    { ...word, text: value, quoted: true },
  ];
  line.words.splice(line.at, 1, ...words);
  return words[0]!;
}

/** Another extension may have an option of this name: `-m policy` has a `--proto` of its own. */
function isStrange(line: Line, word: Word): boolean {
  return line.strange && word.text === "--proto";
}

/** The words up to the next option that is understood belong to what is not. */
function skipStranger(line: Line): void {
  const { words } = line;
  line.at++;
  while (line.at < words.length) {
    const word = words[line.at]!;
    const next = word.text === "!" && !word.quoted ? words[line.at + 1] : word;
    if (
      next &&
      !next.quoted &&
      (OF_MATCHES.has(next.text) || (GENERAL.has(next.text) && !isStrange(line, next)))
    )
      return;
    line.at++;
  }
}

function addUnknown(line: Line, context: LineContext, first: number): void {
  const start = line.negated ? first - 1 : first;
  const span = spanOf(context, line.words[start]!, line.words[line.at - 1]!);
  const text = noteUnknown(context.log, "test", span);
  line.negated = false;
  line.tests.push({ kind: "test", alternatives: unknownTest(text), text });
}

/** The argument of an option, before which older scripts have the `!`; null where the line ends. */
function argument(line: Line): string | null {
  let word = line.words[line.at];
  if (word?.text === "!" && !word.quoted && line.words[line.at + 1]) {
    line.negated = true;
    word = line.words[++line.at];
  }
  if (!word) return null;
  line.at++;
  return word.text;
}

function readGeneral(option: string, line: Line, context: LineContext): string | null {
  const first = line.at;
  const word = line.words[line.at++]!;
  switch (option) {
    case "fragment":
      addUnknown(line, context, first);
      return null;
    case "counters":
      line.at += 2;
      return line.at <= line.words.length ? null : "`-c` needs two numbers";
    case "ipv4":
    case "ipv6":
      return (option === "ipv4") === (context.family === 4)
        ? null
        : `\`${word.text}\` in rules of the other family`;
  }
  const text = argument(line);
  if (text === null) return `\`${word.text}\` lacks its argument`;
  switch (option) {
    case "protocol":
      return readProtocol(text, line);
    case "source":
    case "destination":
      return add(line, context, first, (negated) => addressTest(context.family, option, text, negated));
    case "in":
    case "out":
      return add(line, context, first, (negated) => interfaceTest(option, text, negated));
    case "match":
      if (MATCHES.has(text)) {
        // What else such an extension can ask for is not understood, but belongs to it.
        line.strange ||= !["tcp", "udp", "icmp", "icmp6", "comment", "limit"].includes(text);
        return line.negated ? "`!` cannot stand before `-m`" : null;
      }
      line.strange = true;
      line.at--;
      skipStranger(line);
      addUnknown(line, context, first);
      return null;
    default:
      if (line.target) return "a rule has one target";
      if (line.negated) return `\`!\` cannot stand before \`${word.text}\``;
      line.target = {
        name: line.words[line.at - 1]!,
        goes: option === "goto",
        options: new Map(),
        end: line.words[line.at - 1]!.end,
      };
      return null;
  }
}

/** Takes the negation of the present option and adds what it tests. */
function add(
  line: Line,
  context: LineContext,
  first: number,
  test: (negated: boolean) => Tested,
): string | null {
  const { negated } = line;
  const tested = test(negated);
  line.negated = false;
  if (typeof tested === "string") return tested;
  push(line, context, tested, negated ? first - 1 : first);
  return null;
}

/** Adds tests, and notes those among them that are unknown. */
function push(line: Line, context: LineContext, alternatives: Alternatives, first: number): void {
  const span = spanOf(context, line.words[Math.max(first, 0)]!, line.words[line.at - 1]!);
  const isUnknown = alternatives.some((tests) => tests.some(({ kind }) => kind === "unknown"));
  const text = isUnknown ? noteUnknown(context.log, "test", span) : "";
  line.tests.push({ kind: "test", alternatives, text });
}

function readProtocol(text: string, line: Line): string | null {
  const { negated } = line;
  line.negated = false;
  const protocol = text.toLowerCase() === "all" ? 0 : protocolOf(text);
  if (protocol === null) return `\`${text}\` is no protocol`;
  // For iptables 0 is every protocol.
  if (protocol === 0) return negated ? "`!` cannot stand before every protocol" : null;
  if (!negated) line.protocol = protocol;
  const match = { kind: "protocol", protocols: [protocol], negated } as const;
  line.tests.push({ kind: "test", alternatives: [[match]], text });
  return null;
}

function readMatchOption(option: string, line: Line, context: LineContext): string | null {
  const first = line.at - 1;
  const name = line.words[first]!.text;
  if (option === "syn")
    return add(line, context, first, (negated) => tcpTest(line, "FIN,SYN,RST,ACK", "SYN", negated));
  const text = argument(line);
  if (text === null) return `\`${name}\` lacks its argument`;
  const more = (test: (negated: boolean) => Tested) => add(line, context, first, test);
  switch (option) {
    case "source-port":
    case "destination-port":
      return more((negated) => {
        const range = portRange(text, ":");
        if (range === null) return `\`${text}\` is no port`;
        return portsOf(line, name) ?? portTest(sideOf(option), [range], negated);
      });
    case "source-ports":
    case "destination-ports":
    case "either-ports":
      return more((negated) => {
        const ranges = portList(text);
        if (ranges === null) return `\`${text}\` are no ports`;
        const refusal = portsOf(line, name);
        if (refusal !== null) return refusal;
        if (option === "either-ports") return eitherPortTest(ranges, negated);
        return portTest(sideOf(option), ranges, negated);
      });
    case "tcp-flags": {
      const set = argument(line);
      return set === null
        ? `\`${name}\` needs two lists of flags`
        : more((negated) => tcpTest(line, text, set, negated));
    }
    case "icmp-type":
      return more((negated) => {
        if (
          line.protocol !== (context.family === 4 ? ICMP : ICMPV6) ||
          (name === "--icmp-type") !== (context.family === 4)
        )
          return `\`${name}\` needs its protocol before it`;
        const block = icmpTypeOf(text, context.family);
        return block ? icmpTest(context.family, [block], negated) : `\`${text}\` is no ICMP type`;
      });
    case "source-range":
    case "destination-range":
      return more((negated) => addressRangeTest(context.family, sideOf(option), text, negated));
    case "source-type":
    case "destination-type":
      return more((negated) => addressTypeTest(sideOf(option), text, negated));
    case "state":
      return more((negated) => conntrackStateTest(text, negated));
    case "u32":
      return more((negated) => {
        const test = context.family === 4 ? u32Test(text, negated, line.protocol) : null;
        return test ?? unknownTest(text);
      });
    case "set": {
      const directions = argument(line);
      if (directions === null) return `\`${name}\` needs a set and its directions`;
      return more(
        (negated) =>
          setTest(context.sets.get(text), directions, context.family, negated) ?? unknownTest(text),
      );
    }
    case "limit":
      line.rate = text;
      break;
    case "limit-burst":
      line.burst = text;
      break;
    default:
      line.comment = text;
  }
  return line.negated ? `\`!\` cannot stand before \`${name}\`` : null;
}

function sideOf(option: string): Side {
  return option.startsWith("source") ? "source" : "destination";
}

/** Null where the rule's protocol has ports, as the tool demands of a rule that asks for them. */
function portsOf(line: Line, name: string): string | null {
  return line.protocol !== null && PROTOCOLS_WITH_PORTS.has(line.protocol)
    ? null
    : `\`${name}\` needs a protocol with ports before it`;
}

function tcpTest(line: Line, mask: string, set: string, negated: boolean): Tested {
  return line.protocol === TCP
    ? tcpFlagsOptionTest(mask, set, negated)
    : "TCP's flags need `-p tcp` before them";
}

/** Puts the parts of a line together once all of them are known. */
function finish(line: Line, context: LineContext): Plan | null {
  const { words, tests, target } = line;
  const span = spanOf(context, words[0]!, words.at(-1)!);
  const refuse = (message: string): null => {
    reportSyntax(context.log, span, message);
    return null;
  };
  const steps = [...tests];
  if (line.rate !== null || line.burst !== null) {
    const limit = limitTest(line.rate ?? "3/hour", line.burst);
    if (typeof limit === "string") return refuse(limit);
    steps.push({ kind: "test", alternatives: [[limit]], text: "limit" });
  }
  if (!target) return { steps, comment: line.comment, span };
  const { name, goes, options, end } = target;
  if (context.isChain(name.text)) {
    steps.push({ kind: "act", statement: { kind: goes ? "goto" : "jump", chain: name.text } });
    return { steps, comment: line.comment, span };
  }
  if (goes) return refuse(`there is no chain \`${name.text}\` in table \`${context.table}\``);
  const words_ = { source: context.log.source, start: name.start, end };
  const found = targetOf(name.text, options, context.family, context.log.source.text.slice(name.start, end));
  if (typeof found === "string") return refuse(found);
  const { statement, log } = found;
  if (statement?.kind === "mark-untracked" && context.table !== "raw")
    return refuse("connection tracking can be left out in table `raw` only");
  if (statement?.kind === "unknown") noteUnknown(context.log, "statement", words_);
  if (log !== null) steps.push({ kind: "log", prefix: log });
  if (statement) steps.push({ kind: "act", statement });
  return { steps, comment: line.comment, span };
}

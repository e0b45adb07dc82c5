import { protocolOf } from "../names.ts";
import { noteUnknown, reportSyntax } from "../reading.ts";
import type { Plan } from "../rule.ts";
import {
  add,
  addUnknown,
  argument,
  isStrange,
  type Line,
  type LineContext,
  skipStranger,
  spanOf,
} from "./line.ts";
import { readMatchOption } from "./match-options.ts";
import { GENERAL, MATCHES, OF_MATCHES } from "./options.ts";
import { TARGET_OPTIONS, targetOf } from "./targets.ts";
import { addressTest, interfaceTest, limitTest } from "./tests.ts";
import type { Word } from "./words.ts";

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

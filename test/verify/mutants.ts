/** A script with one small change. */
export interface Mutant {
  readonly kind: string;
  /** The line that was changed, as it was. */
  readonly line: string;
  readonly text: string;
}

type Change = (line: string) => string | null;

/** Flips the first occurrence of one word to another; null where the line has neither. */
function swap(a: string, b: string): Change {
  return (line) => (line.includes(a) ? line.replace(a, b) : line.includes(b) ? line.replace(b, a) : null);
}

function replace(pattern: RegExp, by: (...groups: string[]) => string): Change {
  return (line) => {
    const changed = line.replace(pattern, (...args) => by(...(args.slice(1, -2) as string[])));
    return changed === line ? null : changed;
  };
}

const plusOne = (text: string): string => String(Number(text) + 1);

/** Changes that one slip of a hand, or of a printer, could make to a line. */
const NFT_CHANGES: Readonly<Record<string, Change>> = {
  "port off by one": replace(/(port) (\d+)/, (word, port) => `${word} ${plusOne(port!)}`),
  "prefix one bit off": replace(/\/(\d+)(?=[ ,])/, (length) => `/${Number(length) - 1}`),
  "other address": replace(/(addr (?:\{ )?)(\d+)\./, (word, byte) => `${word}${Number(byte) ^ 1}.`),
  "no notrack": replace(/notrack (accept)/, (accept) => accept!),
  "no random": replace(/( fully-random)/, () => ""),
  "other verdict": (line) =>
    / notrack /.test(line)
      ? line.replace(" notrack accept", " drop")
      : (swap(" accept ", " drop ")(line) ?? swap(" accept\n", " drop\n")(line)),
  "negation lost": replace(/ (!=) /, () => " "),
  "negation gained": replace(/([io]ifname) (")/, (word, quote) => `${word} != ${quote}`),
  "other interface": replace(/ifname (?:!= )?(?:\{ )?("\w)/, (start) => `ifname ${start}x`),
  "other side": (line) => swap(" saddr ", " daddr ")(line) ?? swap(" sport ", " dport ")(line),
  "other protocol": replace(
    /\b(tcp|udp) (sport|dport)/,
    (protocol, port) => `${protocol === "tcp" ? "udp" : "tcp"} ${port}`,
  ),
  "state lost": replace(/ct state (\w+),(\w+)/, (first) => `ct state ${first}`),
  "other policy": swap("policy accept;", "policy drop;"),
  "other hook": swap("hook input", "hook forward"),
  "ICMP type off by one": replace(/(type \{) (\d+)/, (word, type) => `${word} ${plusOne(type!)}`),
  "limit off by one": replace(/limit rate (\d+)/, (rate) => `limit rate ${plusOne(rate!)}`),
  "limit lost": replace(/( limit rate \S+ burst \d+ packets)/, () => ""),
  "other flags": swap(" == syn", " != syn"),
  "jump becomes goto": replace(/ (jump) /, () => " goto "),
  "other translation": replace(/(to :?)(\d+)/, (word, first) => `${word}${plusOne(first!)}`),
  "no way here": replace(/( fib daddr type (?:!= )?\{[^}]*\})/, () => ""),
};

const IPTABLES_CHANGES: Readonly<Record<string, Change>> = {
  "port off by one": replace(/(--[ds]ports?) (\d+)/, (word, port) => `${word} ${plusOne(port!)}`),
  "prefix one bit off": replace(/\/(\d+) /, (length) => `/${Number(length) - 1} `),
  "other address": replace(/(-[sd]) (\d+)\./, (word, byte) => `${word} ${Number(byte) ^ 1}.`),
  "no notrack": replace(/(-j CT --notrack)/, () => "-j ACCEPT"),
  "no random": replace(/( --random-fully)/, () => ""),
  "other verdict": swap("-j ACCEPT", "-j DROP"),
  "negation lost": replace(/ (!) /, () => " "),
  "other interface": replace(/(-[io]) (\w)/, (word, first) => `${word} x${first}`),
  "other side": (line) => swap(" -s ", " -d ")(line) ?? swap(" --sport ", " --dport ")(line),
  "other protocol": replace(/-p (tcp|udp) -m (?:tcp|udp) (--[ds]port)/, (protocol, port) => {
    const other = protocol === "tcp" ? "udp" : "tcp";
    return `-p ${other} -m ${other} ${port}`;
  }),
  "state lost": replace(/--ctstate (\w+),(\w+)/, (first) => `--ctstate ${first}`),
  "other policy": (line) =>
    /^:(INPUT|FORWARD|OUTPUT) (ACCEPT|DROP)/.test(line) ? swap(" ACCEPT ", " DROP ")(line) : null,
  "ICMP type off by one": replace(/(--icmp(?:v6)?-type) (\d+)/, (word, type) => `${word} ${plusOne(type!)}`),
  "limit off by one": replace(/--limit (\d+)/, (rate) => `--limit ${plusOne(rate!)}`),
  "limit lost": replace(/( -m limit --limit \S+ --limit-burst \d+)/, () => ""),
  "jump becomes goto": (line) =>
    /-j [a-z][\w-]*$/.test(line) ? line.replace(/-j ([a-z][\w-]*)$/, "-g $1") : null,
  "set negated": swap(" -m set --match-set ", " -m set ! --match-set "),
  "other end of a set": (line) => swap(" src ", " dst ")(line) ?? swap(" src,dst ", " dst,src ")(line),
  "other translation": replace(
    /(--to-\S+) (\S*?)(\d+)$/,
    (word, rest, last) => `${word} ${rest}${plusOne(last!)}`,
  ),
  "no way here": replace(/( -m addrtype (?:! )?--dst-type \S+)/, () => ""),
};

/** Every script that one small change makes of this one. */
export function mutantsOf(script: string, format: "nft" | "iptables"): Mutant[] {
  const lines = script.split("\n");
  const isRule = (line: string | undefined): line is string =>
    line !== undefined &&
    (format === "nft" ? /^\t\t(?!#|type )\S/.test(line) && line.trim() !== "" : line.startsWith("-A "));
  const mutants: Mutant[] = [];
  const add = (kind: string, at: number, ...instead: readonly string[]): void => {
    const text = lines.toSpliced(at, instead.length === 2 ? 2 : 1, ...instead).join("\n");
    mutants.push({ kind, line: lines[at]!, text });
  };
  const changes = format === "nft" ? NFT_CHANGES : IPTABLES_CHANGES;
  lines.forEach((line, at) => {
    if (isRule(line)) {
      mutants.push({ kind: "line lost", line, text: lines.toSpliced(at, 1).join("\n") });
      const next = lines[at + 1];
      if (isRule(next) && chainOf(line, format) === chainOf(next, format))
        add("neighbours swapped", at, next, line);
    }
    // A comment says what a line was made of, and changes nothing.
    const [code, comment] = splitComment(line, format);
    for (const [kind, change] of Object.entries(changes)) {
      const isHead = kind === "other policy" || kind === "other hook";
      if (isHead ? line.startsWith("-A") : !isRule(line)) continue;
      const changed = change(code);
      if (changed !== null && changed !== code) add(kind, at, changed + comment);
    }
  });
  return mutants;
}

/** Changes to an element of a set. */
const ELEMENT_CHANGES: Readonly<Record<string, Change>> = {
  "port off by one": replace(/([a-z]:)(\d+)/, (word, port) => `${word}${plusOne(port!)}`),
  "end of a range off by one": replace(/(\d-)(\d+)/, (first, last) => `${first}${plusOne(last!)}`),
  "prefix one bit off": replace(/\/(\d+)/, (length) => `/${Number(length) - 1}`),
  "other protocol": swap("tcp:", "udp:"),
};

/** Every list of sets that one small change makes of this one. */
export function mutantsOfSets(ipsets: string): Mutant[] {
  const lines = ipsets.split("\n");
  return lines.flatMap((line, at) => {
    if (!line.startsWith("add ")) return [];
    const lost = { kind: "element lost", line, text: lines.toSpliced(at, 1).join("\n") };
    const changed = Object.entries(ELEMENT_CHANGES).flatMap(([kind, change]) => {
      const other = change(line);
      return other === null ? [] : [{ kind, line, text: lines.with(at, other).join("\n") }];
    });
    return [lost, ...changed];
  });
}

function splitComment(line: string, format: "nft" | "iptables"): [string, string] {
  const at = format === "nft" ? line.indexOf(' comment "') : -1;
  return at < 0 ? [`${line}`, ""] : [`${line.slice(0, at)} `, line.slice(at + 1)];
}

function chainOf(line: string, format: "nft" | "iptables"): string {
  return format === "nft" ? "" : line.split(" ")[1]!;
}

import type { GroupedMatch, GroupedRule } from "../../netfilter/grouped.ts";
import type { Statement } from "../../netfilter/ruleset.ts";
import type { Split, Tests } from "./split.ts";

/** So many lines of one rule stand side by side before a chain is made of them. */
const FLAT_LINES = 4;
/**
 * The same for a rule that would need a continuation. The kernel refuses to load chains that lead into each other more
 * than 16 deep under iptables-nft (NFT_JUMP_STACK_SIZE), and each continuation is one or two of them.
 */
const FLAT_LINES_OF_LEAVING = 64;

/** Makes chains. Both give the name of the chain. */
export interface ChainMaker {
  /** A new chain, named after what it is for. */
  chain(group: string, rules: () => readonly GroupedRule[]): string;
  /** The one chain that leaves packets untracked. */
  untracked(): string;
}

/** Lays a rule out as lines of one chain, and as many further chains as it needs. */
export function layOut(rule: GroupedRule, split: Split, chains: ChainMaker): readonly GroupedRule[] {
  // A chain that was jumped to cannot make the one that jumped return: it must be walked into by `goto`.
  const enter = leavesChain(rule.statement) ? "goto" : "jump";
  return lines(rule, split, target(rule, split, chains, enter), null, chains);
}

/**
 * Whether the statement of a rule acts on the chain that it stands in and the rule takes chains of its own. Then a
 * packet that fails within those cannot come back by itself: all that follows the rule must be a chain, too.
 */
export function needsContinuation({ statement }: GroupedRule, split: Split): boolean {
  if (!leavesChain(statement)) return false;
  return !isFlat(statement, split) || (split.limits.length > 0 && lineCount(split) > 1);
}

/** Lays out a rule that needs a continuation: every packet that does not match goes to the chain `onward`. */
export function layOutBefore(
  rule: GroupedRule,
  split: Split,
  onward: string,
  chains: ChainMaker,
): readonly GroupedRule[] {
  return lines(rule, split, target(rule, split, chains, "goto"), onward, chains);
}

function lines(
  rule: GroupedRule,
  split: Split,
  finish: Finish,
  onward: string | null,
  chains: ChainMaker,
): readonly GroupedRule[] {
  const enter = onward === null ? "jump" : "goto";
  const line = (matches: Tests, statement: Statement): GroupedRule => ({
    ...rule,
    matches,
    log: null,
    statement,
  });
  const closing = onward === null ? [] : [line([], { kind: "goto", chain: onward })];
  const into = (rules: () => readonly GroupedRule[]) => {
    let name: string | null = null;
    return (tests: Tests) => {
      name ??= chains.chain(rule.group, () => [...rules(), ...closing]);
      return [line(tests, { kind: enter, chain: name })];
    };
  };

  /** The last lines: the limit, if there is one, is asked in one place only. */
  const last = (choice: readonly Tests[]): readonly GroupedRule[] => {
    if (split.limits.length === 0) return choice.flatMap(finish);
    if (choice.length === 1) return finish([...choice[0]!, ...split.limits]);
    const limited = into(() => finish(split.limits));
    return choice.flatMap(limited);
  };

  /** Lines that test `choice` and, behind it, every stage that is left. */
  const stage = (choice: readonly Tests[], stages: readonly Stage[]): readonly GroupedRule[] => {
    if (stages.length === 0) return last(choice);
    const next = into(() => inside(stages));
    return choice.flatMap(next);
  };

  const inside = ([first, ...rest]: readonly Stage[]): readonly GroupedRule[] => {
    if (first === undefined) return last([[]]);
    if (first.kind === "choice") return stage(first.tests, rest);
    const away: Statement = onward === null ? { kind: "return" } : { kind: "goto", chain: onward };
    return [...first.tests.map((tests) => line(tests, away)), ...inside(rest)];
  };

  if (isFlat(rule.statement, split)) return [...last(product(split)), ...closing];
  const [first, ...rest] = stagesOf(split);
  if (first?.kind !== "choice") return [...stage([split.fixed], stagesOf(split)), ...closing];
  if (split.fixed.length > 0 && first.tests.length > FLAT_LINES) {
    return [...stage([split.fixed], stagesOf(split)), ...closing];
  }
  const choice = first.tests.map((tests) => join(split.fixed, tests));
  return [...stage(choice, rest), ...closing];
}

/** A choice or an exclusion, tested in a chain of its own. */
interface Stage {
  readonly kind: "choice" | "exclusion";
  readonly tests: readonly Tests[];
}

/** Short stages first: a packet that they turn away never meets the long ones. */
function stagesOf({ choices, exclusions }: Split): readonly Stage[] {
  return [
    ...choices.map((tests) => ({ kind: "choice" as const, tests })),
    ...exclusions.map((tests) => ({ kind: "exclusion" as const, tests })),
  ].toSorted((a, b) => a.tests.length - b.tests.length);
}

/** Whether a statement acts on the chain that it stands in. */
function leavesChain({ kind }: Statement): boolean {
  return kind === "goto" || kind === "return";
}

function isFlat(statement: Statement, split: Split): boolean {
  if (split.exclusions.length > 0) return false;
  const most = leavesChain(statement) ? FLAT_LINES_OF_LEAVING : FLAT_LINES;
  return lineCount(split) <= most || (split.choices.length === 1 && split.fixed.length === 0);
}

function lineCount({ choices }: Split): number {
  return choices.reduce((count, choice) => count * choice.length, 1);
}

/** Every way to pass the tests, each as one line. */
function product({ fixed, choices }: Split): readonly Tests[] {
  return choices.reduce<readonly Tests[]>(
    (sofar, choice) => sofar.flatMap((tests) => choice.map((more) => join(tests, more))),
    [fixed],
  );
}

/** Both tests in one line. Only the protocol can stand in both, and then it is the same one. */
function join(a: Tests, b: Tests): Tests {
  const known = a.some(isProtocol);
  return [...a, ...b.filter((match) => !known || !isProtocol(match))];
}

function isProtocol(match: GroupedMatch): boolean {
  return match.kind === "protocol";
}

function protocolTest(protocol: number): Tests {
  return [{ kind: "protocol", protocols: [protocol], negated: false }];
}

/** Makes the lines that act on the packets that pass some tests. */
type Finish = (tests: Tests) => readonly GroupedRule[];

/**
 * What a rule does, as the end of any line: its statement, or the way to a chain that does it where a line cannot. Logging
 * and untracking take two lines each, which must not test twice.
 */
function target(rule: GroupedRule, split: Split, chains: ChainMaker, enter: "jump" | "goto"): Finish {
  const { log, statement } = rule;
  const protocols = needsProtocol(statement) ? split.protocols.map(protocolTest) : [];
  const tail =
    protocols.length > 0 ? protocols.map((matches) => ({ ...rule, matches })) : [{ ...rule, matches: [] }];
  const direct = log === null && statement.kind !== "notrack";
  let chain: string | null = null;
  return (tests) => {
    if (direct && (protocols.length === 0 || tests.some(isProtocol))) return [{ ...rule, matches: tests }];
    if (direct && protocols.length === 1) return [{ ...rule, matches: join(protocols[0]!, tests) }];
    if (tests.length === 0) return tail;
    chain ??= direct || log !== null ? chains.chain(rule.group, () => tail) : chains.untracked();
    return [{ ...rule, matches: tests, log: null, statement: { kind: enter, chain } }];
  };
}

/** iptables takes ports to translate to, and a TCP reset, only beside `-p`. */
function needsProtocol(statement: Statement): boolean {
  switch (statement.kind) {
    case "reject":
      return statement.with === "tcp-reset";
    case "masquerade":
    case "snat":
    case "dnat":
      return statement.ports !== null;
    case "redirect":
      return true;
    default:
      return false;
  }
}

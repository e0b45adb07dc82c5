import type { Family } from "../address/ranges.ts";
import type { Devices } from "../meaning/devices.ts";
import { type Outcome, type Outcomes, UNDECIDED } from "../meaning/outcomes.ts";
import type { SeenSpace } from "../meaning/seen.ts";
import { joinMaps, type Sequence, sequenceOf } from "../meaning/sequence.ts";
import { describeTranslation } from "../meaning/translations.ts";
import type { Hook, TableName } from "../netfilter/ruleset.ts";
import type { ScriptChain, ScriptRule, ScriptRuleset, ScriptStatement } from "../netfilter/script.ts";
import { type Diagram, NONE, verdictOf } from "../packets/nodes.ts";
import { cubesMeet, meetCubes } from "../packets/rules.ts";
import type { RankedCube } from "../packets/space.ts";
import { type Asked, type HookView, testReader } from "./tests.ts";

/**
 * What the chains of a ruleset do with every packet. A map gives each packet one of these leaves, or a tree of them:
 *
 * - undecided: the packet came out at the end, or was accepted as far as these chains are concerned;
 * - `marked`: the same, and connection tracking will not see it;
 * - `drop`, `reject`, `translate`;
 * - `anything`: a statement that is not understood has it.
 */
export interface ChainMaps {
  /** All base chains of a kind at a hook, in the order in which the kernel calls them; of those only that `wanted` takes. */
  hook(table: TableName, hook: Hook, wanted?: (priority: number) => boolean): Diagram;
  /** How what comes later follows. */
  readonly sequence: Sequence;
}

/** Prepares the maps of a ruleset; each is made when it is asked for. */
export function chainMaps(
  { chains }: ScriptRuleset,
  family: Family,
  space: SeenSpace,
  devices: Devices,
  outcomes: Outcomes,
): ChainMaps {
  const read = testReader(space, devices, family);
  const byKey = new Map(chains.map((chain) => [keyOf(chain.table, chain.name), chain]));
  const callers = countCallers(chains, byKey);
  const made = new Map<string, Diagram>();
  const { engine } = space;
  const leaf = (kind: string): Outcome => outcomes.leaf(kind);
  const { sequence, jumped, gone, passed } = leavingsOf(outcomes);

  /** What a rule does by itself; null where the packet just walks on. Of jumps and gotos nobody asks. */
  function effectOf({ statement }: ScriptRule, chain: ScriptChain, placeOf: () => string): Outcome | null {
    const isRaw = chain.table === "raw";
    switch (statement.kind) {
      case "accept":
      case "drop":
      case "return":
        return leaf(statement.kind);
      case "reject":
        return outcomes.leaf("reject", statement.with === "other" ? statement.text : statement.with);
      case "notrack":
        return leaf(isRaw ? "accept-marked" : "accept");
      case "mark-untracked":
        return isRaw ? leaf("marked") : null;
      case "continue":
        return null;
      case "masquerade":
      case "redirect":
      case "snat":
      case "dnat": {
        const addresses = "addresses" in statement ? statement.addresses : null;
        const random = "random" in statement && statement.random;
        const { kind, ports } = statement;
        return outcomes.leaf("translate", describeTranslation({ kind, addresses, ports, random }, family));
      }
      case "unknown":
        // What surely walks on changed nothing that any rule could ask for.
        return statement.continues ? null : outcomes.leaf("anything", `${placeOf()}: ${statement.text}`);
      case "jump":
      case "goto":
        return null;
    }
  }

  function mapOf(chain: ScriptChain, view: HookView): Diagram {
    const key = keyIn(chain, view);
    const known = made.get(key);
    if (known !== undefined) return known;
    // A stack of our own: scripts may lead deeper than the one of this program.
    const open: ScriptChain[] = [chain];
    for (let top = open.at(-1); top; top = open.at(-1)) {
      const missing = calledBy(top, view).filter((called) => !made.has(keyIn(called, view)));
      if (missing.length > 0) {
        open.push(...missing);
        continue;
      }
      open.pop();
      const here = keyIn(top, view);
      if (!made.has(here)) made.set(here, build(top, view));
    }
    return made.get(key)!;
  }

  function targetOf({ table }: ScriptChain, { statement }: ScriptRule): ScriptChain | undefined {
    if (statement.kind !== "jump" && statement.kind !== "goto") return undefined;
    return byKey.get(keyOf(table, statement.chain));
  }

  /**
   * Whether the rules of a chain may as well stand where another rule leads to it, each for the packets of that rule alone:
   * nothing else leads there, and no packet comes back from the middle of it. Of a tree of chains then remains one list, and no
   * map of a branch is made only to be put into that of the next.
   */
  function standsIn(called: ScriptChain, { statement }: ScriptRule, asked: Asked, depth: number): boolean {
    if (depth === MOST_DEEP || callers.get(called) !== 1) return false;
    if (asked.questions.length > 0 || asked.cubes.length !== 1) return false;
    // From a chain that was gone to a packet comes back to where this one goes on anyway.
    return statement.kind === "goto" || called.rules.every(({ statement: { kind } }) => !RETURNS.has(kind));
  }

  /** The chains that must have maps before a chain can have one. */
  function calledBy(chain: ScriptChain, view: HookView, depth = 0): ScriptChain[] {
    return chain.rules.flatMap((rule) => {
      const called = targetOf(chain, rule);
      if (!called) return [];
      return standsIn(
        called,
        rule,
        read(rule, view, () => ""),
        depth,
      )
        ? calledBy(called, view, depth + 1)
        : [called];
    });
  }

  function build(chain: ScriptChain, view: HookView): Diagram {
    const maps: Diagram[] = [];
    let cubes: (readonly RankedCube[])[] = [];
    let verdicts: Outcome[] = [];
    const add = (match: readonly RankedCube[], verdict: Outcome): void => {
      cubes.push(match);
      verdicts.push(verdict);
    };
    const close = (): void => {
      if (verdicts.length > 0)
        maps.push(sequenceOf({ space, count: verdicts.length, cubes, verdicts }, sequence));
      cubes = [];
      verdicts = [];
    };
    /** Adds what the rules of a chain do to the packets of a cube. */
    const walk = (one: ScriptChain, within: RankedCube | null, depth: number): void => {
      const placeOf = (at: number) => (): string => `${one.table} ${one.name} ${at}`;
      const tests = one.rules.map((rule, at) => read(rule, view, placeOf(at)));
      one.rules.forEach((rule, at) => {
        const asked = tests[at]!;
        const match = within
          ? asked.cubes.map((cube) => meetCubes(cube, within)).filter((cube) => cube !== null)
          : asked.cubes;
        if (match.length === 0) return;
        const { statement } = rule;
        const asking = (outcome: Outcome): Outcome =>
          asked.questions.reduceRight((yes, question) => outcomes.ask(question, yes, UNDECIDED), outcome);
        let effect = effectOf(rule, one, placeOf(at));
        if (statement.kind === "jump" || statement.kind === "goto") {
          const target = targetOf(one, rule);
          // The tools refuse a script that leads nowhere, and the readers say so.
          if (!target) return;
          if (standsIn(target, rule, asked, depth)) {
            walk(target, match[0]!, depth + 1);
            if (statement.kind === "goto" && mayMeetLater(asked, tests, at)) add(match, leaf("return"));
            return;
          }
          const leaving = statement.kind === "jump" ? jumped : gone;
          const map = made.get(keyIn(target, view))!;
          if (map >= 0) {
            close();
            const called = space.map(map, (outcome) => asking(leaving(outcome)));
            let met = NONE;
            for (const cube of match) met = engine.operations.overlay(met, engine.cube(cube, 1));
            maps.push(space.restrict(called, met as Diagram));
            return;
          }
          // Whatever comes there, one thing becomes of it: as good as a statement.
          effect = leaving(verdictOf(map));
        }
        if (effect === null || effect === UNDECIDED) return;
        add(match, asking(effect));
      });
    };
    walk(chain, null, 0);
    close();
    return joinMaps(space, maps, sequence);
  }

  return {
    sequence,
    hook(table, hook, wanted = () => true) {
      const maps = chains.flatMap((chain) => {
        if (chain.table !== table || chain.base?.hook !== hook || !wanted(priorityOf(chain))) return [];
        const map = mapOf(chain, VIEWS[hook]);
        return [space.map(map, passed[chain.base.policy])];
      });
      return joinMaps(space, maps, sequence);
    },
  };
}

/** What becomes of outcomes where a chain ends: the same functions for every script of a table of outcomes. */
interface Leavings {
  readonly sequence: Sequence;
  /** What a called chain comes to where it was jumped to, and where it was gone to. */
  readonly jumped: (outcome: Outcome) => Outcome;
  readonly gone: (outcome: Outcome) => Outcome;
  /** What a base chain comes to, by its policy. */
  readonly passed: Readonly<Record<"accept" | "drop", (outcome: Outcome) => Outcome>>;
}

const known = new WeakMap<Outcomes, Leavings>();

function leavingsOf(outcomes: Outcomes): Leavings {
  const before = known.get(outcomes);
  if (before) return before;
  const leaf = (kind: string): Outcome => outcomes.leaf(kind);
  const marked = outcomes.rewriter(({ kind }, self) =>
    kind === "undecided" || kind === "return" || kind === "accept"
      ? leaf(`${kind === "undecided" ? "" : `${kind}-`}marked`)
      : self,
  );
  const join = outcomes.grafter(
    ({ kind }, self, next) => (kind === "undecided" ? next : kind === "marked" ? marked(next) : self),
    { once: "no" },
  );
  const settled = (outcome: Outcome): boolean => {
    const own = outcomes.leafOf(outcome);
    return own !== null && own.kind !== "undecided" && own.kind !== "marked";
  };
  const sequence: Sequence = { join, settled };
  const jumped = renamed({ return: "undecided", "return-marked": "marked" });
  const gone = renamed({ undecided: "return", marked: "return-marked" });
  const passed = {
    accept: renamed({
      return: "undecided",
      "return-marked": "marked",
      accept: "undecided",
      "accept-marked": "marked",
    }),
    drop: renamed({
      return: "drop",
      "return-marked": "drop",
      undecided: "drop",
      marked: "drop",
      accept: "undecided",
      "accept-marked": "marked",
    }),
  };

  function renamed(names: Readonly<Record<string, string>>): (outcome: Outcome) => Outcome {
    return outcomes.rewriter(({ kind }, self) => {
      const name = names[kind];
      return name === undefined ? self : name === "undecided" ? UNDECIDED : leaf(name);
    });
  }
  const leavings: Leavings = { sequence, jumped, gone, passed };
  known.set(outcomes, leavings);
  return leavings;
}

/** Chains of a tree that are put into one list: more than that a packet of a sensible script never walks through. */
const MOST_DEEP = 64;

/** What makes a packet leave a chain before its end, other than for good. */
const RETURNS: ReadonlySet<ScriptStatement["kind"]> = new Set(["return", "goto"]);

/** By chain, how many rules lead to it. */
function countCallers(
  chains: readonly ScriptChain[],
  byKey: ReadonlyMap<string, ScriptChain>,
): ReadonlyMap<ScriptChain, number> {
  const callers = new Map<ScriptChain, number>();
  for (const { table, rules } of chains)
    for (const { statement } of rules) {
      if (statement.kind !== "jump" && statement.kind !== "goto") continue;
      const called = byKey.get(keyOf(table, statement.chain));
      if (called) callers.set(called, (callers.get(called) ?? 0) + 1);
    }
  return callers;
}

/** Rules behind a `goto` that are looked at, whether they could take what comes back from there. */
const MOST_LATER = 64;

/** Whether some packet that the rule at `at` sends away could be taken by a later rule of its chain. Says yes when in doubt. */
function mayMeetLater(asked: Asked, tests: readonly Asked[], at: number): boolean {
  if (tests.length - at > MOST_LATER) return true;
  return tests
    .slice(at + 1)
    .some(({ cubes }) => cubes.some((later) => asked.cubes.some((cube) => cubesMeet(cube, later))));
}

/** Rules see the input device up to the routing decision and in forward, the output device from it on. */
const VIEWS: Readonly<Record<Hook, HookView>> = {
  prerouting: { in: true, out: false },
  input: { in: true, out: false },
  forward: { in: true, out: true },
  output: { in: false, out: true },
  postrouting: { in: false, out: true },
};

/** Where a ruleset does not say it, its tables have the priorities that every tool gives them. */
function priorityOf({ table, base }: ScriptChain): number {
  return (
    base?.priority ??
    { raw: -300, nat: base?.hook === "postrouting" || base?.hook === "input" ? 100 : -100, filter: 0 }[table]
  );
}

function keyOf(table: TableName, name: string): string {
  return `${table} ${name}`;
}

function keyIn(chain: ScriptChain, view: HookView): string {
  return `${view.in} ${view.out} ${keyOf(chain.table, chain.name)}`;
}

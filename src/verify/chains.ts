import type { Family } from "../address/ranges.ts";
import type { Devices } from "../meaning/devices.ts";
import { type Outcome, type Outcomes, UNDECIDED } from "../meaning/outcomes.ts";
import type { SeenSpace } from "../meaning/seen.ts";
import { joinMaps, type Sequence, sequenceOf } from "../meaning/sequence.ts";
import { describeTranslation } from "../meaning/translations.ts";
import type { Hook, TableName } from "../netfilter/ruleset.ts";
import type { ScriptChain, ScriptRule, ScriptRuleset } from "../netfilter/script.ts";
import { type Diagram, NONE, verdictOf } from "../packets/nodes.ts";
import type { RankedCube } from "../packets/space.ts";
import { type HookView, testReader } from "./tests.ts";

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
  const made = new Map<string, Diagram>();
  const { engine } = space;
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
  /** What a called chain comes to where it was jumped to, and where it was gone to. */
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

  /** What a rule does by itself; null where the packet just walks on. Of jumps and gotos nobody asks. */
  function effectOf({ statement }: ScriptRule, chain: ScriptChain, place: string): Outcome | null {
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
        return statement.continues ? null : outcomes.leaf("anything", `${place}: ${statement.text}`);
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
      const missing = calledBy(top).filter((called) => !made.has(keyIn(called, view)));
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

  function calledBy({ table, rules }: ScriptChain): ScriptChain[] {
    return rules.flatMap(({ statement }) => {
      if (statement.kind !== "jump" && statement.kind !== "goto") return [];
      const called = byKey.get(keyOf(table, statement.chain));
      return called ? [called] : [];
    });
  }

  function build(chain: ScriptChain, view: HookView): Diagram {
    const maps: Diagram[] = [];
    let cubes: (readonly RankedCube[])[] = [];
    let verdicts: Outcome[] = [];
    const close = (): void => {
      if (verdicts.length > 0)
        maps.push(sequenceOf({ space, count: verdicts.length, cubes, verdicts }, sequence));
      cubes = [];
      verdicts = [];
    };
    chain.rules.forEach((rule, at) => {
      const place = `${chain.table} ${chain.name} ${at}`;
      const asked = read(rule, view, place);
      if (asked.cubes.length === 0) return;
      const asking = (outcome: Outcome): Outcome =>
        asked.questions.reduceRight((yes, question) => outcomes.ask(question, yes, UNDECIDED), outcome);
      const { statement } = rule;
      let effect = effectOf(rule, chain, place);
      if (statement.kind === "jump" || statement.kind === "goto") {
        const target = byKey.get(keyOf(chain.table, statement.chain));
        // The tools refuse a script that leads nowhere, and the readers say so.
        if (!target) return;
        const leaving = statement.kind === "jump" ? jumped : gone;
        const map = made.get(keyIn(target, view))!;
        if (map >= 0) {
          close();
          const called = space.map(map, (outcome) => asking(leaving(outcome)));
          let match = NONE;
          for (const cube of asked.cubes) match = engine.operations.overlay(match, engine.cube(cube, 1));
          maps.push(space.restrict(called, match as Diagram));
          return;
        }
        // Whatever comes there, one thing becomes of it: as good as a statement.
        effect = leaving(verdictOf(map));
      }
      if (effect === null || effect === UNDECIDED) return;
      cubes.push(asked.cubes);
      verdicts.push(asking(effect));
    });
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

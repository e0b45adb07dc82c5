import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { analyse } from "../../src/compile.ts";
import { createOutcomes } from "../../src/meaning/outcomes.ts";
import { createSeenWorld } from "../../src/meaning/seen.ts";
import type { Policy } from "../../src/policy/policy.ts";
import type { Source } from "../../src/source/source.ts";
import { createAgreement } from "../../src/verify/agreement.ts";
import { comparer } from "../../src/verify/compare.ts";
import { extrasOf } from "../../src/verify/extras.ts";
import { type Format, readScript } from "../../src/verify/scripts.ts";
import type { Script } from "../../src/verify/verify.ts";
import { fatesOnBoundaries } from "./boundaries.ts";
import { type Mutant, mutantsOf, mutantsOfSets } from "./mutants.ts";

/**
 * Nearly four thousand scripts, or sets of one, with one small change each. Every run tries one in `SHARE` of each script, of every kind of
 * change some; `CTC_MUTANTS=all npx vitest run test/verify/mutation.test.ts` tries them all.
 */
const SHARE = process.env.CTC_MUTANTS === "all" ? 1 : 8;

/** The same for sets, whose elements are much alike. */
const SHARE_OF_ELEMENTS = 40;

const ROOT = join(import.meta.dirname, "../..");

/** Policies in which much hangs together: state, marks, NAT, limits, guards, both kinds of denies. */
const POLICIES: readonly (readonly [policy: string, scripts: string])[] = [
  ...["memcached", "router", "dns-server"].map(
    (name) => [`examples/${name}`, `golden/examples/${name}`] as const,
  ),
  ...[
    "host-addresses-nat",
    "ipset",
    "limit-in-raw",
    "snat",
    "tracked-verdicts",
    "untracked-deny-below-out",
    "untracked-deny-out",
    "untracked-with-dnat",
  ].map((name) => [`golden/cases/${name}`, `golden/cases/${name}`] as const),
];

const SCRIPTS: readonly (readonly [Format, string])[] = [
  ["nft", "ruleset.nft"],
  ["iptables", "rules.v4"],
  ["ip6tables", "rules.v6"],
];

function policyIn(folder: string): Policy {
  const read = (name: string) => ({
    name,
    text: readFileSync(join(ROOT, folder, name), "utf8"),
  });
  const { policy } = analyse(read("policy.yaml"), { read: (path) => ({ source: read(path) }) });
  return policy!;
}

/** The sets beside some scripts. */
function setsIn(folder: string): Source | null {
  const path = join(ROOT, folder, "ipsets");
  return existsSync(path) ? { name: "ipsets", text: readFileSync(path, "utf8") } : null;
}

interface ReadMutant {
  readonly mutant: Mutant;
  readonly script: Script;
}

/** The mutants that the tool would load and in which verify finds no difference. */
function undetected(policy: Policy, mutants: readonly ReadMutant[]): readonly ReadMutant[] {
  const loadable = mutants.filter(
    ({ script }) => !script.reading.findings.some(({ level }) => level === "error"),
  );
  // One world in which the tests of all of them are exact: what the policy means is worked out once.
  const rulesets = loadable.map(({ script: { reading, families } }) => ({
    ruleset: reading.ruleset,
    families,
  }));
  const world = createSeenWorld([policy], extrasOf(rulesets));
  const outcomes = createOutcomes();
  const compare = comparer(policy, world, outcomes);
  return loadable.filter(({ script: { reading, families } }) => {
    const agreement = createAgreement(outcomes);
    return (
      families.every((family) => compare(reading.ruleset, family, agreement).length === 0) &&
      agreement.misplaced().length === 0
    );
  });
}

describe("a small change to a script is found, unless it changes nothing", () => {
  const counts = { mutants: 0, equal: 0 };

  test.each(POLICIES)("%s", { timeout: 300_000 }, (folder, scripts) => {
    const policy = policyIn(folder);
    const survivors: string[] = [];
    const sets = setsIn(scripts);
    // Where there are sets, what is tried are they, and the script that asks most of them.
    for (const [format, name] of sets ? SCRIPTS.filter(([one]) => one === "iptables") : SCRIPTS) {
      const text = readFileSync(join(ROOT, scripts, name), "utf8");
      const original = readScript({ name, text }, format, sets).reading.ruleset;
      const share = (some: readonly Mutant[], of = SHARE) =>
        some.filter((_, at) => at % of === text.length % of);
      const ofScript = share(mutantsOf(text, format === "nft" ? "nft" : "iptables")).map((mutant) => ({
        mutant,
        script: readScript({ name: "mutant", text: mutant.text }, format, sets),
      }));
      const ofSets = sets ? share(mutantsOfSets(sets.text), SHARE === 1 ? 1 : SHARE_OF_ELEMENTS) : [];
      const mutants = [
        ...ofScript,
        ...ofSets.map((mutant) => {
          const ipsets = { name: "mutant", text: mutant.text };
          return { mutant, script: readScript({ name, text }, format, ipsets) };
        }),
      ];
      counts.mutants += mutants.length;
      for (const { mutant, script } of undetected(policy, mutants)) {
        // What is equal must be so for packets at every edge that either script knows.
        const { families, reading } = script;
        const difference = fatesOnBoundaries(original, reading.ruleset, families, policy);
        if (difference) survivors.push(`${name}: ${mutant.kind}: ${mutant.line.trim()}\n  ${difference}`);
        else counts.equal++;
      }
    }
    expect(survivors).toEqual([]);
  });

  test("hundreds of them, of which few change nothing", () => {
    expect(counts.mutants).toBeGreaterThan(2800 / SHARE);
    expect(counts.equal).toBeLessThan(counts.mutants / 4);
  });
});

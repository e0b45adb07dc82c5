import fc from "fast-check";
import type { Family } from "../../../src/address/ranges.ts";
import type { Match, Ruleset, RulesetRule, Statement, TableName } from "../../../src/netfilter/ruleset.ts";
import { base, called, devices, icmp, ip, ip6, limit, types } from "../../netfilter/build.ts";

// Long chains of rules of few shapes, in the world of `arbitraryPacket`, so that most of them come together.

/** Ranges whose sizes are powers of two, aligned as prefixes are, and some that are not. */
const block = fc.oneof(
  fc
    .tuple(fc.nat(39), fc.nat(4))
    .map(([at, bits]) => [(at >> bits) << bits, ((at >> bits) << bits) + (1 << bits) - 1] as const),
  fc.tuple(fc.nat(39), fc.nat(9)).map(([first, length]) => [first, first + length] as const),
);

function address(family: Family, side: "source" | "destination"): fc.Arbitrary<Match> {
  const value = (n: number): bigint => (family === 4 ? ip(10, 0, 0, n) : ip6(n));
  return block.map(([first, last]) => ({
    kind: "address",
    side,
    family,
    ranges: [{ first: value(first), last: value(last) }],
    name: null,
    negated: false,
  }));
}

const port = (side: "source" | "destination"): fc.Arbitrary<Match> =>
  fc
    .oneof(
      fc.constantFrom(1, 2, 3, 5).map((first) => ({ first, last: first })),
      fc.tuple(fc.nat(40), fc.nat(20)).map(([first, more]) => ({ first, last: first + more })),
    )
    .map((range) => ({ kind: "port", side, ports: [range], negated: false }));

const protocol = fc
  .constantFrom(6, 17)
  .map((number): Match => ({ kind: "protocol", protocols: [number], negated: false }));

const SHAPES: readonly fc.Arbitrary<readonly Match[]>[] = [
  fc.tuple(address(4, "source")),
  fc.tuple(address(6, "source"), protocol, port("destination")),
  fc.tuple(address(4, "source"), protocol, port("destination")),
  fc.tuple(address(4, "source"), address(4, "destination"), protocol, port("destination")),
  fc.tuple(protocol, port("destination")),
  fc.tuple(address(4, "destination"), protocol, port("source"), port("destination")),
  fc.tuple(address(4, "source"), fc.constant(icmp(4, 1, 2))),
  fc.tuple(address(4, "source"), fc.constant(types("destination", "local"))),
  fc.tuple(address(4, "source"), fc.constant({ ...types("destination", "local"), negated: true })),
  fc.tuple(address(4, "source"), fc.constant(devices("in", "eth0"))),
  fc
    .boolean()
    .chain((negated) =>
      fc.tuple(
        address(4, "source"),
        fc.constant<Match>({ kind: "protocol", protocols: [6], negated: false }),
        fc.constant<Match>({ kind: "opening", negated }),
      ),
    ),
];

const STATEMENTS: { readonly [table in "raw" | "filter"]: readonly Statement[] } = {
  raw: [{ kind: "accept" }, { kind: "drop" }, { kind: "notrack" }],
  filter: [{ kind: "accept" }, { kind: "drop" }, { kind: "reject", with: "port-unreachable" }],
};

function rulesOf(table: "raw" | "filter", most: number): fc.Arbitrary<readonly RulesetRule[]> {
  const statements = STATEMENTS[table];
  return fc
    .tuple(
      fc.uniqueArray(fc.nat(SHAPES.length - 1), { minLength: 1, maxLength: 3 }),
      fc.uniqueArray(fc.nat(statements.length - 1), { minLength: 1, maxLength: 3 }),
    )
    .chain(([shapes, effects]) => {
      const rule = fc
        .tuple(
          fc.oneof(...shapes.map((shape) => SHAPES[shape]!)),
          fc.constantFrom(...effects.map((effect) => statements[effect]!)),
          // A few rules that must keep their place.
          fc.oneof(
            { weight: 15, arbitrary: fc.constant(null) },
            { weight: 1, arbitrary: fc.constantFrom("limit", "jump", "return", "log") },
          ),
        )
        .map(([matches, statement, odd]) => ({ matches, statement, odd }));
      return fc.array(rule, { minLength: 8, maxLength: most, size: "max" });
    })
    .map((rules) =>
      rules.map(({ matches, statement, odd }, line): RulesetRule => {
        const plain = { matches, statement, log: null, origin: `policy.yaml:${line + 1} a`, group: "a" };
        switch (odd) {
          case "limit":
            return { ...plain, matches: [...matches, limit(line + 1, "second", line + 1)] };
          case "jump":
            return { ...plain, statement: { kind: "jump", chain: "called" } };
          case "return":
            return { ...plain, statement: { kind: "return" } };
          case "log":
            return { ...plain, log: { prefix: "logged" } };
          default:
            return plain;
        }
      }),
    );
}

/** Rulesets with long chains in the tables that rules of a policy come to. */
export function arbitraryLongRuleset(most = 50): fc.Arbitrary<Ruleset> {
  return fc
    .tuple(rulesOf("raw", most), rulesOf("filter", most), rulesOf("filter", most))
    .map(([raw, input, inner]) => {
      const jump = (table: TableName): RulesetRule[] =>
        table === "filter"
          ? [
              {
                matches: [limit(3, "hour", 3)],
                statement: { kind: "drop" },
                log: null,
                origin: "",
                group: "",
              },
            ]
          : [];
      return {
        chains: [
          base("raw", "prerouting", ...raw),
          base("filter", "input", ...input),
          base("filter", "forward", ...inner),
          called("raw", "called"),
          called("filter", "called", ...jump("filter")),
        ],
      };
    });
}

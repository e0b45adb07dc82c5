import fc from "fast-check";
import { type Family, mergeRanges, type Range } from "../../src/address/ranges.ts";
import { largestBurst } from "../../src/language/limit.ts";
import type {
  Chain,
  Hook,
  LimitMatch,
  Match,
  Ruleset,
  RulesetRule,
  State,
  Statement,
  TableName,
} from "../../src/netfilter/ruleset.ts";
import type { SimulatedPacket } from "../../src/netfilter/simulate.ts";

// Rulesets and packets over a small world, so that most rules meet some packets: addresses 10.0.0.0 to 10.0.0.39 and
// 2001:db8:: to 2001:db8::27, ports 0 to 63, a few devices and protocols.

const WORLD: { readonly [family in Family]: bigint } = { 4: 0x0a00_0000n, 6: 0x2001_0db8n << 96n };
const ADDRESSES = 40;
const PORTS = 64;
const DEVICES = ["eth0", "eth1", "eth10", "br-a", "lo"] as const;
const PATTERNS = [...DEVICES, "eth*", "eth1*", "br-*", "*"] as const;
const PORTED = [6, 17, 33, 132] as const;
const PROTOCOLS = [...PORTED, 1, 47, 50, 58] as const;
const STATES = ["new", "established", "related", "invalid"] as const;
const TYPES = ["local", "broadcast", "anycast", "multicast"] as const;

const family = fc.constantFrom<Family>(4, 6);
const side = fc.constantFrom("source" as const, "destination" as const);

function ranges<T extends bigint | number>(
  count: number,
  most: number,
  value: (n: number) => T,
): fc.Arbitrary<readonly Range<T>[]> {
  return fc.array(fc.tuple(fc.nat(count - 1), fc.nat(6)), { minLength: 1, maxLength: most }).map((pairs) =>
    mergeRanges(
      pairs.map(([first, length]) => ({
        first: value(first),
        last: value(Math.min(first + length, count - 1)),
      })),
    ),
  );
}

const portRanges = fc.oneof(
  ranges(PORTS, 3, (n) => n),
  ranges(PORTS, 3, (n) => n * 1000),
  // More than one multiport holds.
  fc.constant(Array.from({ length: 21 }, (_, n) => ({ first: 3 * n, last: 3 * n + (n % 2) }))),
);

const icmp = family.chain((of) =>
  fc.record({
    kind: fc.constant("icmp" as const),
    family: fc.constant(of),
    types: fc.array(fc.record({ type: fc.nat(4), code: fc.option(fc.nat(2)) }), {
      minLength: 1,
      maxLength: 6,
    }),
  }),
);

/** Limits as the language allows them: slower ones overflow in the kernel. */
const limit = fc
  .record({
    kind: fc.constant("limit" as const),
    count: fc.integer({ min: 1, max: 100 }),
    unit: fc.constantFrom("second" as const, "minute" as const, "hour" as const, "day" as const),
  })
  .chain((rate) =>
    fc
      .integer({ min: 1, max: Math.min(100, largestBurst(rate.count, rate.unit)) })
      .map((burst): LimitMatch => ({ ...rate, burst })),
  );

const plainMatch: fc.Arbitrary<Match> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("family" as const), family }) },
  {
    weight: 5,
    arbitrary: fc.tuple(family, side, fc.boolean()).chain(([of, end, negated]) =>
      ranges(ADDRESSES, 6, (n) => WORLD[of] + BigInt(n)).map((list) => ({
        kind: "address" as const,
        family: of,
        side: end,
        ranges: list,
        name: null,
        negated,
      })),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("interface" as const),
      side: fc.constantFrom("in" as const, "out" as const),
      devices: fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 3 }),
      negated: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("address-type" as const),
      side,
      types: fc.uniqueArray(fc.constantFrom(...TYPES), { minLength: 1, maxLength: 3 }),
      negated: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("state" as const),
      states: fc.uniqueArray(fc.constantFrom<State>(...STATES, "untracked"), { minLength: 1, maxLength: 3 }),
      negated: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("dnat-status" as const) }) },
);

/** Tests of the upper layers, which depend on each other. */
const transport: fc.Arbitrary<readonly Match[]> = fc.oneof(
  fc.constant([]),
  icmp.map((match) => [match]),
  fc
    .record({
      kind: fc.constant("protocol" as const),
      protocols: fc.uniqueArray(fc.constantFrom(...PROTOCOLS), { minLength: 1, maxLength: 3 }),
      negated: fc.boolean(),
    })
    .map((match) => [match]),
  fc
    .tuple(
      fc.uniqueArray(fc.constantFrom(...PORTED), { minLength: 1, maxLength: 2 }),
      fc.array(
        fc.record({ kind: fc.constant("port" as const), side, ports: portRanges, negated: fc.boolean() }),
        { maxLength: 3 },
      ),
      fc.option(fc.boolean()),
    )
    .map(([protocols, ports, opening]): readonly Match[] => [
      { kind: "protocol", protocols, negated: false },
      ...ports,
      ...(opening !== null && protocols.length === 1 && protocols[0] === 6
        ? [{ kind: "opening" as const, negated: opening }]
        : []),
    ]),
);

/** The tests of one rule: those of its upper layers, and at most `most` others. No limit. */
export function arbitraryTests(most: number): fc.Arbitrary<readonly Match[]> {
  return fc.tuple(fc.array(plainMatch, { maxLength: most }), transport).map((parts) => parts.flat());
}

const range = (of: Family): fc.Arbitrary<Range<bigint>> =>
  ranges(ADDRESSES, 1, (n) => WORLD[of] + BigInt(n)).map((list) => list[0]!);
const natPorts = ranges(PORTS, 1, (n) => n + 1).map((list) => list[0]!);

/** Statements that may stand behind some tests at a place. */
function statement(
  table: TableName,
  hooks: readonly Hook[],
  matches: readonly Match[],
  callable: readonly string[],
): fc.Arbitrary<Statement> {
  const protocols = matches.find((match) => match.kind === "protocol");
  const ported =
    protocols !== undefined &&
    !protocols.negated &&
    protocols.protocols.every((protocol) => (PORTED as readonly number[]).includes(protocol));
  const tcp = ported && protocols.protocols.length === 1 && protocols.protocols[0] === 6;
  const found: fc.Arbitrary<Statement>[] = [
    fc.constantFrom<Statement>({ kind: "accept" }, { kind: "return" }),
  ];
  if (callable.length > 0) {
    found.push(
      fc.record({
        kind: fc.constantFrom("jump" as const, "goto" as const),
        chain: fc.constantFrom(...callable),
      }),
    );
  }
  const ports = ported ? fc.option(natPorts) : fc.constant(null);
  if (table !== "nat") found.push(fc.constant({ kind: "drop" }));
  if (table === "raw") found.push(fc.constant({ kind: "notrack" }));
  if (table === "filter") {
    found.push(
      fc.constant({ kind: "reject", with: tcp ? ("tcp-reset" as const) : ("port-unreachable" as const) }),
    );
  }
  if (table === "nat" && hooks.every((hook) => hook === "prerouting" || hook === "output")) {
    found.push(
      family.chain((of) =>
        fc.record({
          kind: fc.constant("dnat" as const),
          family: fc.constant(of),
          addresses: range(of),
          ports,
        }),
      ),
    );
    if (ported) found.push(fc.record({ kind: fc.constant("redirect" as const), ports: natPorts }));
  }
  if (table === "nat" && hooks.every((hook) => hook === "postrouting")) {
    const random = fc.boolean();
    found.push(
      fc.record({ kind: fc.constant("masquerade" as const), ports, random }),
      family.chain((of) =>
        fc.record({
          kind: fc.constant("snat" as const),
          family: fc.constant(of),
          addresses: range(of),
          ports,
          random,
        }),
      ),
    );
  }
  return fc.oneof(...found);
}

/** Some rules for a place, with texts for their origins, groups and log prefixes. */
function rules(
  table: TableName,
  hooks: readonly Hook[],
  callable: readonly string[],
  texts: fc.Arbitrary<string>,
): fc.Arbitrary<readonly RulesetRule[]> {
  const rule = fc.tuple(arbitraryTests(3), fc.option(limit, { freq: 3 })).chain(([tests, token]) => {
    const matches = [...tests, ...(token ? [token] : [])];
    return fc.record<RulesetRule>({
      matches: fc.constant(matches),
      log: fc.option(fc.record({ prefix: texts }), { freq: 3 }),
      statement: statement(table, hooks, matches, callable),
      origin: texts,
      group: texts,
    });
  });
  return fc.array(rule, { maxLength: 4 });
}

const HOOKS: { readonly [table in TableName]: readonly Hook[] } = {
  raw: ["prerouting", "output"],
  nat: ["prerouting", "output", "postrouting"],
  filter: ["input", "forward", "output"],
};

/** Rulesets with every table, hook, match and statement; nothing but the strings is unlike what the lowering makes. */
export function arbitraryRuleset(texts: fc.Arbitrary<string>): fc.Arbitrary<Ruleset> {
  const called = ["early", "late"];
  const base = (table: TableName, hook: Hook): fc.Arbitrary<Chain> =>
    fc.record({
      table: fc.constant(table),
      name: fc.constant(hook),
      base: fc.record({
        hook: fc.constant(hook),
        policy: fc.constantFrom(
          ...(table === "filter" ? (["accept", "drop"] as const) : (["accept"] as const)),
        ),
      }),
      rules: rules(table, [hook], called, texts),
    });
  const user = (table: TableName, name: string, callable: readonly string[]): fc.Arbitrary<Chain> =>
    fc.record({
      table: fc.constant(table),
      name: fc.constant(name),
      base: fc.constant(null),
      rules: rules(table, HOOKS[table], callable, texts),
    });
  const tables = ["raw", "nat", "filter"] as const;
  return fc
    .tuple(
      ...tables.flatMap((table) => HOOKS[table].map((hook) => base(table, hook))),
      ...tables.flatMap((table) => [user(table, "early", ["late"]), user(table, "late", [])]),
    )
    .map((chains) => ({ chains }));
}

/** Packets of a family on every path, in every state. */
export function arbitraryPacket(of: Family): fc.Arbitrary<SimulatedPacket> {
  const address = fc.nat(ADDRESSES - 1).map((n) => WORLD[of] + BigInt(n));
  const type = fc.option(fc.constantFrom(...TYPES.filter((name) => of === 4 || name !== "broadcast")));
  const port = fc.oneof(
    fc.nat(PORTS - 1),
    fc.nat(PORTS - 1).map((n) => n * 1000),
  );
  const device = fc.constantFrom("eth0", "eth1", "eth10", "br-a", "br-b");
  return fc
    .record({
      path: fc.constantFrom("input" as const, "output" as const, "forward" as const, "loopback" as const),
      in: device,
      out: device,
      source: address,
      destination: address,
      sourceType: type,
      destinationType: type,
      protocol: fc.constantFrom(...PROTOCOLS),
      sourcePort: port,
      destinationPort: port,
      icmp: fc.record({ type: fc.nat(4), code: fc.nat(2) }),
      opening: fc.boolean(),
      state: fc.constantFrom(...STATES),
      destinationTranslated: fc.boolean(),
    })
    .map((packet) => {
      const loopback = packet.path === "loopback";
      const ported = (PORTED as readonly number[]).includes(packet.protocol);
      const isIcmp = packet.protocol === (of === 4 ? 1 : 58);
      return {
        ...packet,
        family: of,
        in: loopback ? "lo" : packet.path === "output" ? null : packet.in,
        out: loopback ? "lo" : packet.path === "input" ? null : packet.out,
        sourcePort: ported ? packet.sourcePort : null,
        destinationPort: ported ? packet.destinationPort : null,
        icmp: isIcmp ? packet.icmp : null,
        opening: packet.protocol === 6 && packet.opening,
      };
    });
}

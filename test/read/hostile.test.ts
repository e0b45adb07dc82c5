import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emitIptables } from "../../src/emit/iptables.ts";
import { emitNft } from "../../src/emit/nft.ts";
import { legalise } from "../../src/lower/legalise.ts";
import { readIptables } from "../../src/read/iptables.ts";
import { readNft } from "../../src/read/nft.ts";
import type { Reading } from "../../src/read/reading.ts";
import { arbitraryRuleset } from "../netfilter/arbitrary.ts";
import { chainOf, iptables, nft } from "./words.ts";

/** Whatever was read, each thing said of it stands somewhere in its text. */
function holdsTogether(reading: Reading): void {
  const spans = [...reading.unknowns, ...reading.findings].map(({ span }) => span);
  const astray = spans.filter(
    ({ source, start, end }) => start < 0 || end < start || end > source.text.length,
  );
  expect(astray).toEqual([]);
}

function readAll(text: string): void {
  holdsTogether(readNft({ name: "ruleset.nft", text }));
  for (const family of [4, 6] as const) {
    holdsTogether(readIptables({ name: "rules", text }, family));
    holdsTogether(readIptables({ name: "rules", text: "" }, family, { name: "ipsets", text }));
  }
}

/** The words of both languages, which random letters would hardly ever make. */
const word = fc.constantFrom(
  ...'table chain inet ip ip6 type filter nat hook input prerouting priority policy accept drop set map elements = { } ; , \n . : - / @s $x ( ) & | == != ! "a" "'.split(
    " ",
  ),
  ..."define include add rule element tcp dport saddr daddr 80 22-25 10.0.0.1 10.0.0.0/8 2001:db8::1 ::/0 meta l4proto mark ct state new".split(
    " ",
  ),
  ..."vmap jump c goto return log prefix counter limit rate over 10/second burst packets notrack masquerade to dnat reject with reset icmp * \\".split(
    " ",
  ),
  ..."*filter *raw COMMIT :INPUT :u -A -I -D INPUT u -s -d -i -o -p tcp udp icmp -m multiport set --dport --dports --match-set".split(
    " ",
  ),
  ..."--tcp-flags SYN,ACK --ctstate -j -g ACCEPT LOG --log-prefix SNAT --to-source [0:0] create add hash:ip,port eth+ 0x1 # \r".split(
    " ",
  ),
);

describe("nothing that is read makes a reader throw", () => {
  test("random characters", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), readAll), { numRuns: 300 });
  });

  test("random words of both languages", () => {
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 80 }).map((words) => words.join(" ")),
        readAll,
      ),
      { numRuns: 1500 },
    );
  });

  test("scripts of our own with a piece missing, doubled or changed", () => {
    fc.assert(
      fc.property(
        arbitraryRuleset(fc.string({ maxLength: 5 })),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 0.2, noNaN: true }),
        fc.oneof(fc.constant(""), word),
        (ruleset, place, share, instead) => {
          const header = { source: "policy.yaml" };
          for (const text of [emitNft(ruleset, header), emitIptables(legalise(ruleset, 4), 4, header)]) {
            const start = Math.floor(place * text.length);
            const end = start + Math.floor(share * text.length);
            readAll(text.slice(0, start) + instead + text.slice(end));
          }
        },
      ),
      { numRuns: 100 },
    );
  }, 60_000);

  test.each([
    ["open brackets", "{".repeat(50_000)],
    ["tables in tables", "table inet t {\n".repeat(50_000)],
    ["open parentheses", `table inet t {\nchain c {\ntcp flags ${"(".repeat(50_000)}`],
    ["masks of masks", `table inet t {\nchain c {\ntcp flags ${"syn / ".repeat(50_000)}`],
    ["chains that lead ever deeper", deepChains(20_000)],
    ["a rule of many tests", `table inet t {\nchain c {\n${"tcp dport 1 ".repeat(20_000)}\n}\n}`],
    [
      "a rule of many logs",
      `table inet t {\nchain c {\n${'log prefix "x" tcp dport 1 '.repeat(20_000)}\n}\n}`,
    ],
    ["quotes", '"'.repeat(50_000)],
    ["words of iptables", `*filter\n-A INPUT ${"! -s 10.0.0.1 ".repeat(20_000)}\nCOMMIT\n`],
  ])("%s", (_, text) => {
    readAll(text);
  });
});

function deepChains(depth: number): string {
  const chains = Array.from({ length: depth }, (_, at) => `chain c${at} { jump c${at + 1}; }`);
  return ["table inet t {", ...chains, `chain c${depth} { type filter hook input priority 0; }`, "}"].join(
    "\n",
  );
}

describe("texts of others stay texts", () => {
  const hostile = [
    'x" -j ACCEPT -m comment --comment "y',
    'x" accept comment "y',
    "a\\",
    "'; drop; '",
    "}\n}\nchain x { accept; }",
    "$(reboot) `reboot` $HOME",
    "# nothing",
    "\u202e\u0000\r\n COMMIT",
  ];

  test.each(hostile)("%j in what we print", (text) => {
    const rule = {
      matches: [],
      log: { prefix: text },
      statement: { kind: "drop" },
      origin: text,
      group: text,
    } as const;
    const base = { hook: "input", policy: "accept" } as const;
    const ruleset = { chains: [{ table: "filter", name: "input", base, rules: [rule] }] } as const;
    const header = { source: text };
    const readings = [
      [readNft({ name: "nft", text: emitNft(ruleset, header) }), "input"],
      [readIptables({ name: "v4", text: emitIptables(legalise(ruleset, 4), 4, header) }, 4), "INPUT"],
    ] as const;
    for (const [reading, name] of readings) {
      expect([reading.findings, reading.unknowns]).toEqual([[], []]);
      expect(chainOf(reading, name).every(({ matches }) => matches.length === 0)).toBe(true);
      expect(chainOf(reading, name).at(-1)?.statement.kind).toMatch(/drop|jump/);
      const { chains } = reading.ruleset;
      expect(chains.filter(({ table, base: at }) => table === "filter" && at?.hook === "input")).toHaveLength(
        1,
      );
    }
  });

  test("quotes that iptables escapes belong to the text", () => {
    const reading = iptables("filter", [
      '-A INPUT -m comment --comment "x\\" -j ACCEPT -m comment --comment \\"y" -j DROP',
    ]);
    const [rule] = chainOf(reading, "INPUT");
    expect([rule?.origin, rule?.statement]).toEqual([
      'x" -j ACCEPT -m comment --comment "y',
      { kind: "drop" },
    ]);
  });

  test("a quote that nft leaves open swallows no rule without a word", () => {
    // What nft 1.0.6 prints of a log prefix with a quote in it.
    const reading = nft(['log prefix "x "y" level err', "tcp dport 22 drop", 'log prefix "z "y" level err']);
    expect(reading.findings.map(({ level }) => level)).toContain("error");
    expect(chainOf(reading, "input").map(({ statement }) => statement.kind)).toEqual([
      "unknown",
      "drop",
      "unknown",
    ]);
  });
});

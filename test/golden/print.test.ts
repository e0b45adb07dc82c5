import { describe, expect, test } from "vitest";
import type { Discrepancy, Stale } from "../../src/golden/compare.ts";
import { findingsOf } from "../../src/golden/findings.ts";
import { judge, type Meaning } from "../../src/golden/judge.ts";
import { printDiscrepancies, printMended } from "../../src/golden/print.ts";
import { FORMATS } from "../../src/report/formats.ts";

const MEND = "ctc golden --update";
const EQUAL: Meaning = { kind: "equal" };
const POLICY = { name: "a/policy.yaml", text: "allow tcp from any to self port 80\n" };
const DIFFERENT: Meaning = {
  kind: "different",
  differences: [
    {
      check: "script-differs",
      level: "error",
      message: "the policy lets them pass, the script drops them",
      span: { source: POLICY, start: 0, end: POLICY.text.length - 1 },
      notes: ["packets (IPv4):\n  tcp from any to self port 80"],
    },
  ],
};

const stale: Stale = {
  kind: "stale",
  path: "a/rules.v4",
  policy: "a/policy.yaml",
  target: "iptables",
  found: "one\ntwo\nthree\n",
  foundBeside: {},
  wanted: "one\n2\nthree\n",
  wantedBeside: {},
};
const missing: Discrepancy = {
  kind: "missing",
  path: "a/rules.v6",
  policy: "a/policy.yaml",
  target: "ip6tables",
  wanted: "x\n",
  wantedBeside: {},
};
const orphaned: Discrepancy = { kind: "orphaned", path: "b/rules.v4" };
const stray: Discrepancy = { kind: "stray", path: "golden/notes.txt" };
const foreign: Discrepancy = { kind: "foreign", path: "c/rules.v4" };
const contested: Discrepancy = {
  kind: "contested",
  path: "web.policy.yaml",
  other: "web/policy.yaml",
  folder: "web",
};

function printed(discrepancies: readonly Discrepancy[], meaning: Meaning = EQUAL): string {
  return printDiscrepancies(
    judge(discrepancies, () => meaning),
    MEND,
  );
}

describe("printDiscrepancies", () => {
  test("is empty where there are none", () => {
    expect(printed([])).toBe("");
  });

  test("shows what must change, what that matters, and the command that does it", () => {
    expect(printed([stale])).toBe(`stale: a/rules.v4
--- a/rules.v4 as it is
+++ a/rules.v4 as it should be
@@ -1,3 +1,3 @@
 one
-two
+2
 three
1 line differs, no packet is treated differently.

1 stale. Run \`ctc golden --update\` to bring it up to date.
`);
  });

  test("shows which packets are treated differently", () => {
    expect(printed([stale], DIFFERENT)).toContain(` three
1 line differs, and packets are treated differently:

error[script-differs]: the policy lets them pass, the script drops them
 --> a/policy.yaml:1:1
  |
1 | allow tcp from any to self port 80
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  |
  = note: packets (IPv4):
  |         tcp from any to self port 80

1 stale.`);
  });

  test("says once what holds for several scripts of a policy", () => {
    const text = printed([stale, { ...stale, path: "a/ruleset.nft" }], DIFFERENT);
    expect(text.match(/error\[script-differs\]/g)).toHaveLength(1);
    expect(text).toContain("\n1 line differs, and packets are treated differently, as said above.\n");
    const other = printed([stale, { ...stale, policy: "b/policy.yaml" }], DIFFERENT);
    expect(other.match(/error\[script-differs\]/g)).toHaveLength(2);
  });

  test("says why nobody knows", () => {
    expect(printed([stale], { kind: "unknown", reason: "nft would refuse it" })).toContain(
      "1 line differs, and whether packets are treated differently cannot be told: nft would refuse it.\n",
    );
  });

  test("has a paragraph for everything, and advice for what no command mends", () => {
    expect(
      printed([missing, orphaned, stray, foreign, contested]),
    ).toBe(`missing: a/rules.v6 (a script of a/policy.yaml)

orphaned: b/rules.v4 (no policy has its scripts here)

stray: golden/notes.txt (no policy reads it)

foreign: c/rules.v4 (ctc did not write it, and leaves it as it is)

contested: web.policy.yaml (web/policy.yaml has its scripts in the same folder, web)

1 missing, 1 orphaned, 1 stray, 1 foreign, 1 contested. Run \`ctc golden --update\` to bring them up to date. Remove stray files, or name them in a policy. Move files that ctc did not write out of the way of its scripts. Give each policy a name or a folder of its own.
`);
  });

  test("does not offer the command where it would not help", () => {
    expect(printed([stray, foreign, contested])).not.toContain(MEND);
  });

  test("tells a change of line endings from others", () => {
    const text = printed([{ ...stale, found: stale.wanted.replaceAll("\n", "\r\n") }], DIFFERENT);
    expect(text).toContain("stale: a/rules.v4\nonly its line endings differ.\n");
    expect(text).toContain("text eol=lf");
  });

  test("does not print without end", () => {
    const text = (line: string): string => `${line}\n`.repeat(900);
    expect(printed([{ ...stale, found: text("a"), wanted: text("b") }])).toContain(
      "\n… and 1601 more rows\n900 lines differ,",
    );
    const all = (prefix: string) =>
      Array.from({ length: 9000 }, (_, index) => `${prefix}${index}\n`).join("");
    expect(printed([{ ...stale, found: all("a"), wanted: all("b") }])).toContain(
      "stale: a/rules.v4\nnearly every line differs,",
    );
  });

  test("lets nothing of a script or a name act on a terminal, or on a CI service", () => {
    const text = printed([
      {
        ...stale,
        path: "a\n::error::/rules.v4",
        found: "\u001b[2J\n::stop-commands::x\n",
        wanted: "\r::x\n",
      },
      { ...orphaned, path: "\u202eb" },
    ]);
    expect(text).not.toMatch(/[\u001b\r\u202e]|^::/m);
  });
});

test("what an update did is a line for each file", () => {
  expect(printMended(judge([stale, missing, orphaned, stray, foreign, contested], () => EQUAL))).toBe(
    "wrote a/rules.v4 (1 line differs, no packet is treated differently)\nwrote a/rules.v6\nremoved b/rules.v4\n",
  );
});

describe("findingsOf", () => {
  const all = findingsOf(
    judge([stale, missing, orphaned, stray, foreign, contested], () => DIFFERENT),
    MEND,
  );

  test("has one for each, in the file where a service can show it", () => {
    expect(FORMATS.concise({ findings: all, files: [], version: "" })).toBe(
      `a/rules.v4:2:1: error[stale-script] the script is not what \`a/policy.yaml\` compiles to: 1 line differs, and packets are treated differently
a/policy.yaml:1:1: error[missing-script] the script \`a/rules.v6\` is missing
b/rules.v4:1:1: error[orphaned-script] no policy has its scripts here
golden/notes.txt:1:1: error[stray-file] no policy reads this file
c/rules.v4:1:1: error[foreign-script] ctc did not write this file, and it stands in the place of a script
web.policy.yaml:1:1: error[contested-folder] \`web/policy.yaml\` has its scripts in the same folder
`,
    );
  });

  test("each says what to do", () => {
    expect(all.map(({ help }) => help)).toEqual([
      "Run `ctc golden --update` to bring it up to date",
      "Run `ctc golden --update` to bring it up to date",
      "Run `ctc golden --update` to bring it up to date",
      "Remove stray files, or name them in a policy",
      "Move files that ctc did not write out of the way of its scripts",
      "Give each policy a name or a folder of its own",
    ]);
  });

  test("a stale script underlines the first line that differs, and tells which packets", () => {
    const { span, notes } = all[0]!;
    expect(span.source.text.slice(span.start, span.end)).toBe("two");
    expect(notes).toEqual([
      "the policy lets them pass, the script drops them\nnote: packets (IPv4):\n|   tcp from any to self port 80",
    ]);
  });
});

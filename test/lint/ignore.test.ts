import { describe, expect, test } from "vitest";
import { expectClean, expectFinding, expectFindings, host, lintText, tracked, untracked } from "./support.ts";

const DENY = "deny from 10.0.0.0/8 to any";
const SILENT = "allow tcp from 10.1.0.0/16 to self port 80";
const SHADOWED = host(tracked(DENY, SILENT));
const IGNORE = "# ctc-ignore shadowed-rule: kept for the auditors";

/** The policy with a comment on the line of the silent rule. */
const onItsLine = (comment: string): string => SHADOWED.replace(SILENT, `${SILENT} ${comment}`);
/** The policy with a comment on a line of its own above it. */
const above = (comment: string): string =>
  SHADOWED.replace(`      - ${SILENT}`, `      ${comment}\n      - ${SILENT}`);
/** The rules as one block. */
const inBlock = (...lines: string[]): string =>
  [
    "version: 1",
    "policies:",
    "  - name: one",
    "    rules: |",
    ...lines.map((line) => `      ${line}`),
    "      allow tcp from any to self port 22",
    "",
  ].join("\n");

test("without an ignore there is a warning", () => {
  expectFinding(SHADOWED, "shadowed-rule");
  expectFinding(inBlock(DENY, SILENT), "shadowed-rule");
});

describe("an ignore takes the warning away", () => {
  test.each([
    ["on its line", onItsLine(IGNORE)],
    ["on a line of its own above", above(IGNORE)],
    ["with other comments and blank lines between", above(`${IGNORE}\n\n      # and\n      # so on`)],
    ["in a block, on its line", inBlock(DENY, `${SILENT}  ${IGNORE}`)],
    ["in a block, above", inBlock(DENY, IGNORE, SILENT)],
    [
      "in flow style",
      `version: 1\npolicies: [{ name: a, rules: [${DENY},\n  ${SILENT}, ${IGNORE}\n  allow tcp from any to self port 22] }]\n`,
    ],
    ["with Windows line endings", above(IGNORE).replaceAll("\n", "\r\n")],
    ["in a block with Windows line endings", inBlock(DENY, IGNORE, SILENT).replaceAll("\n", "\r\n")],
    ["tightly written", onItsLine("#ctc-ignore shadowed-rule:why")],
    ["behind a log prefix with a hash", inBlock(DENY, `${SILENT.replace("80", "81")} log "# x"  ${IGNORE}`)],
  ])("%s", (_, text) => expectClean(text));
});

test("two ignores can share a line", () => {
  const [unused] = expectFindings(onItsLine(`${IGNORE} # ctc-ignore redundant-rule: no`), ["unused-ignore"]);
  unused!.underlines("# ctc-ignore redundant-rule: no").fixedBy(`${SILENT} ${IGNORE}\n`);
});

test("stacked ignores speak of the same line", () => {
  const rule = "allow from 10.0.0.0/8 to self";
  const text = host(tracked("deny udp from any to self", rule, SILENT));
  const silenced = text.replace(
    `      - ${SILENT}`,
    `      # ctc-ignore redundant-rule: a\n      # ctc-ignore shadowed-rule: b\n      - ${SILENT}`,
  );
  expectFindings(silenced, ["unused-ignore"]);
});

describe("text is no comment", () => {
  test.each([
    [
      "in double quotes",
      `${SHADOWED}# x\n`.replace("name: policy 1", `name: "a # ctc-ignore shadowed-rule: b"`),
    ],
    ["in single quotes", SHADOWED.replace("name: policy 1", `name: 'a # ctc-ignore shadowed-rule: b'`)],
    ["in a log prefix", inBlock(DENY, `${SILENT} log " #ctc-ignore shadowed-rule:b"`)],
    [
      "glued to a word",
      inBlock(DENY.replace("any", "any"), SILENT, 'allow udp from any to self port 5 log "x#ctc-ignore"'),
    ],
  ])("%s", (_, text) => {
    expectFinding(text, "shadowed-rule");
  });
});

describe("an ignore that does not work is an error", () => {
  test("no name", () => {
    const [bad] = expectFindings(onItsLine("# ctc-ignore"), ["shadowed-rule", "bad-ignore"]).slice(1);
    bad!.underlines("# ctc-ignore").helps(/NAME: reason/);
  });
  test("no reason, or an empty one", () => {
    for (const comment of [
      "# ctc-ignore shadowed-rule",
      "# ctc-ignore shadowed-rule:",
      "# ctc-ignore shadowed-rule:   ",
    ]) {
      const findings = expectFindings(onItsLine(comment), ["shadowed-rule", "bad-ignore"]);
      findings[1]!.underlines(comment.trim()).helps(/say why/);
    }
  });
  test("a name that there is not, with a suggestion", () => {
    const findings = expectFindings(onItsLine("# ctc-ignore shadowd-rule: x"), [
      "shadowed-rule",
      "bad-ignore",
    ]);
    findings[1]!
      .underlines("shadowd-rule")
      .helps(/did you mean `shadowed-rule`/)
      .fixedBy(IGNORE.slice(0, 26));
    expectFindings(onItsLine("# ctc-ignore everything: x"), ["shadowed-rule", "bad-ignore"])[1]!.helps(
      /in the brackets/,
    );
  });
  test.each(["half-tracked-flow", "unknown-name", "host-bits"])("%s is an error", (name) => {
    const [, bad] = expectFindings(onItsLine(`# ctc-ignore ${name}: x`), ["shadowed-rule", "bad-ignore"]);
    bad!.underlines(name).helps(/mend/);
  });
});

test("errors stay", () => {
  const rule = "allow tcp from any to self port 80";
  const text = host(untracked(rule)).replace(rule, `${rule} # ctc-ignore half-tracked-flow: we like it so`);
  expect(lintText(text).map(({ check }) => check)).toEqual(["half-tracked-flow", "bad-ignore"]);
});

describe("an ignore without effect", () => {
  const CLEAN = host(tracked("allow udp from any to self port 53"));
  test("is told", () => {
    expectFinding(CLEAN.replace("port 53", "port 53 # ctc-ignore shadowed-rule: old"), "unused-ignore")
      .underlines("# ctc-ignore shadowed-rule: old")
      .fixedBy("      - allow udp from any to self port 53\n");
  });
  test("and taken out with its line", () => {
    const text = CLEAN.replace(
      "      - allow udp",
      "      # ctc-ignore shadowed-rule: old\n      - allow udp",
    );
    expectFinding(text, "unused-ignore").fixedBy("    rules:\n      - allow udp");
    expectFinding(text.replaceAll("\n", "\r\n"), "unused-ignore").fixedBy("    rules:\r\n      - allow udp");
  });
  test("on another line than the warning", () => {
    const text = SHADOWED.replace(DENY, `${DENY} ${IGNORE}`);
    expectFindings(text, ["unused-ignore", "shadowed-rule"]);
  });
  test("is not told while errors hide what would be found", () => {
    const text = CLEAN.replace("port 53", "port 53 # ctc-ignore shadowed-rule: old").replace(
      "from any to self port 22",
      "from nobody to self port 22",
    );
    expect(lintText(text).map(({ check }) => check)).toEqual(["unknown-name"]);
  });
  test("at the end of the file", () => {
    expectFinding(`${CLEAN}# ctc-ignore keep-ports: x`, "unused-ignore");
  });
});

import { describe, expect, test } from "vitest";
import { expectedOf, expectFileFinding, read } from "./support.ts";

const policy = (rest: string) => `version: 1\npolicies:\n  - name: x\n    ${rest}\n`;

describe("keys", () => {
  test("unknown ones", () => {
    expectFileFinding("version: 1\nadresses: {}\n", "unknown-key")
      .underlines("adresses")
      .helps("did you mean `addresses`?")
      .fixes("version: 1\naddresses: {}");
    expectFileFinding("version: 1\ncolour: red\n", "unknown-key")
      .underlines("colour")
      .helps("`interfaces`, `addresses`");
    expectFileFinding(policy("rules: []\n    doNottrack: true"), "unknown-key")
      .underlines("doNottrack")
      .helps("`doNotTrack`");
    expectFileFinding("version: 1\ndefaults: {inputs: deny}\n", "unknown-key").helps("`input`");
    expectFileFinding(
      "version: 1\nhost: {address: 10.0.0.1, addresses: 10.0.0.1}\n",
      "unknown-key",
    ).underlines("address");
    expectFileFinding("version: 1\naddresses: {x: {file: f, mode: r}}\n", "unknown-key", {
      f: "",
    }).underlines("mode");
  });

  test("missing ones", () => {
    expectFileFinding("nat: []\n", "missing-key").underlines("nat").says("`version` is missing");
    expectFileFinding("version: 1\npolicies:\n  - name: x\n", "missing-key")
      .underlines("name")
      .says("`rules` is missing");
    expectFileFinding("version: 1\npolicies:\n  - rules: []\n", "missing-key")
      .underlines("rules")
      .says("`name` is missing");
    expectFileFinding("version: 1\naddresses: {x: {}}\n", "missing-key").underlines("{}").says("`file`");
    expectFileFinding("", "missing-key").says("empty").helps("`version: 1`");
    expectFileFinding("# only a comment\n", "missing-key").says("empty");
  });

  test("missing ones that are there under a wrong name are told once", () => {
    expectFileFinding("version: 1\npolicies:\n  - nmae: x\n    rules: []\n", "unknown-key").helps("`name`");
    expectFileFinding("vresion: 1\nnat: []\n", "unknown-key").helps("`version`");
    expectFileFinding("version: 1\naddresses: {x: {fiel: f}}\n", "unknown-key").helps("`file`");
    const { findings } = read("version: 1\npolicies:\n  - nmae: x\n  - colour: red\n    rules: []\n");
    expect(findings.map(({ message }) => message)).toEqual([
      "there is no `nmae` here",
      "`rules` is missing here",
      "there is no `colour` here",
      "`name` is missing here",
    ]);
  });

  test("repeated ones", () => {
    expectFileFinding("version: 1\nnat: []\nnat: []\n", "duplicate-key").underlines("nat").relates("nat");
    expectFileFinding(
      "version: 1\naddresses:\n  web: 10.0.0.1\n  web: 10.0.0.2\n",
      "duplicate-key",
    ).underlines("web");
  });

  test("repeated ones, of which the first one counts", () => {
    const { findings, document } = read("version: 1\ndefaults: {input: drop}\ndefaults: {input: allow}\n");
    expect(findings.map((finding) => finding.check)).toEqual(["bad-value", "duplicate-key"]);
    expectedOf(findings[0]!).underlines("drop");
    expect(document?.defaults.input).toBe("deny");
  });

  test("that are no text", () => {
    const { findings } = read("version: 1\n? [a, b]\n: c\n");
    expectedOf(findings[0]!).underlines("[a, b]").says("no text");
  });

  test("of YAML 1.1, for merging", () => {
    expectFileFinding("version: 1\n<<: {nat: []}\n", "unknown-key").underlines("<<");
  });
});

describe("values", () => {
  test.each([
    ["version: 2\n", "2", "`version` must be 1"],
    ['version: "1"\n', '"1"', "`version` must be 1"],
    ["version: 1\nessentials: yes\n", "yes", "`essentials` must be `true` or `false`"],
    ["version: 1\ndefaults: {input: drop}\n", "drop", "`input` must be `allow` or `deny`"],
    [
      "version: 1\ndefaults: deny\n",
      "deny",
      "`defaults` must be a mapping with `input`, `forward` and `output`",
    ],
    ["version: 1\npolicies: {name: x}\n", "name", "`policies` must be a list"],
    ["version: 1\npolicies: [x]\n", "x", "an item of `policies` must be a mapping with `name` and `rules`"],
    [
      "version: 1\naddresses: [10.0.0.1]\n",
      "[10.0.0.1]",
      "`addresses` must be a mapping from names to addresses",
    ],
    ["version: 1\naddresses: {x: [[10.0.0.1]]}\n", "[10.0.0.1]", "an item of `x` must be an address"],
    ["version: 1\ninterfaces: {wan: {dev: eth0}}\n", "dev", "`wan` must be a device or a list of devices"],
    ["version: 1\ninterfaces: {wan: []}\n", "[]", "`wan` must be a device or a list of devices"],
    [policy("rules: {a: b}"), "a", "`rules` must be a list of sentences"],
    [policy("rules: [[allow]]"), "[allow]", "an item of `rules` must be a sentence"],
    [policy("rules: []\n    doNotTrack: 1"), "1", "`doNotTrack` must be `true` or `false`"],
    [
      policy("rules: []\n    symmetricAllow: replies"),
      "replies",
      "`symmetricAllow` must be `true`, `false` or `both`",
    ],
    ["- version: 1\n", "- version: 1", "a policy file must be a mapping that begins with `version: 1`"],
    ["just text\n", "just text", "a policy file must be a mapping"],
  ])("%j", (text, wrong, message) => {
    expectFileFinding(text, "bad-value").underlines(wrong).says(message);
  });

  test.each([
    ["version: 1\nessentials: yes\n", "true"],
    ["version: 1\nessentials: Off\n", "false"],
    [policy("rules: []\n    doNotTrack: ture"), "true"],
    [policy("rules: []\n    symmetricAllow: bth"), "both"],
    [policy("rules: []\n    symmetricAllow: no"), "false"],
    ["version: 1\ndefaults: {input: drop}\n", "deny"],
    ["version: 1\ndefaults: {input: Accept}\n", "allow"],
    ["version: 1\ndefaults: {input: ALLOW}\n", "allow"],
  ])("in other words: %j", (text, meant) => {
    const wrong = /\S+?(?=\}?\n$)/.exec(text)![0];
    expectFileFinding(text, "bad-value")
      .underlines(wrong)
      .helps(`did you mean \`${meant}\`?`)
      .fixes(text.replace(wrong, meant));
  });

  test.each([
    ["version: 1\nnat:\n", "nat", "`nat` has no value"],
    ["version: 1\naddresses:\n  web:\n", "web", "`web` has no value"],
    [policy("rules:"), "rules", "`rules` has no value"],
    [policy("rules: [~]"), "~", "an item of `rules` has no value"],
  ])("nothing: %j", (text, wrong, message) => {
    expectFileFinding(text, "bad-value").underlines(wrong).says(message);
  });

  test("lines that YAML folds into one", () => {
    const block = "\n      allow from any to self\n      deny from any to any";
    expectFileFinding(policy(`rules: >${block}`), "bad-value")
      .underlines(">")
      .helps("`|`");
    expectFileFinding(policy(`rules:${block}`), "bad-value")
      .underlines("allow from any to self")
      .helps("`|`");
  });

  test("a file without entries is not refused for its kind", () => {
    expect(read("version: 1\npolicies: []\nnat: []\naddresses: {}\n").findings).toEqual([]);
  });
});

describe("sentences that YAML does not take for text", () => {
  test("a colon makes a mapping", () => {
    expectFileFinding(policy("rules:\n      - allow tcp from any to self port: 80"), "quote-sentence")
      .underlines("allow tcp from any to self port: 80")
      .helps("leave the `:` out");
    expectFileFinding(policy('rules:\n      - deny from any to self log "a: b"'), "quote-sentence")
      .underlines('deny from any to self log "a: b"')
      .helps("quote this sentence")
      .fixes(`- 'deny from any to self log "a: b"'`);
  });

  test("a blank and # make a comment", () => {
    expectFileFinding(policy('rules:\n      - deny from any to self log "a #b"'), "sentence-syntax")
      .underlines('"a')
      .helps("quote this sentence");
    expectFileFinding(policy("rules:\n      - deny from any to #b"), "sentence-syntax")
      .says("too soon")
      .helps("quote this sentence");
  });

  test("braces make a mapping", () => {
    expectFileFinding("version: 1\nservices: {x: [{tcp: 80}]}\n", "quote-sentence").underlines("{tcp: 80}");
  });
});

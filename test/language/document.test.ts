import { describe, expect, test } from "vitest";
import { textOf } from "../../src/source/source.ts";
import { expectFileFinding, inWords, read, readClean } from "./support.ts";

const RULES = "    rules: [allow tcp from any to self]\n";

describe("a policy file", () => {
  test("needs no more than its version", () => {
    const { source, ...rest } = readClean("version: 1\n");
    expect(source.name).toBe("policy.yaml");
    expect(rest).toEqual({
      interfaces: [],
      addresses: [],
      services: [],
      hostAddresses: null,
      defaults: { input: "deny", forward: "deny", output: "allow" },
      essentials: true,
      policies: [],
      nat: [],
    });
  });

  test("may be JSON", () => {
    const document = readClean(
      JSON.stringify({
        version: 1,
        addresses: { web: ["10.0.0.1"] },
        policies: [{ name: "web", rules: "allow tcp from web to self\ndeny from any to self" }],
      }),
    );
    expect(inWords(document.policies[0]!.rules)).toMatchObject([
      { span: "allow tcp from web to self", from: { span: "web" } },
      { span: "deny from any to self", action: "deny" },
    ]);
  });

  test("declares interfaces", () => {
    const { interfaces } = readClean('version: 1\ninterfaces:\n  wan: eth0\n  pods: [docker0, "br-*"]\n');
    expect(inWords(interfaces)).toEqual([
      { name: { text: "wan", span: "wan" }, devices: [{ text: "eth0", span: "eth0" }] },
      {
        name: { text: "pods", span: "pods" },
        devices: [
          { text: "docker0", span: "docker0" },
          { text: "br-*", span: '"br-*"' },
        ],
      },
    ]);
  });

  test("declares addresses", () => {
    const { addresses } = readClean(
      'version: 1\naddresses:\n  one: 10.0.0.1\n  all: [one, 10.8.0.0/14, "2001:db8::/32", 192.0.2.1-192.0.2.9]\n',
    );
    expect(inWords(addresses)).toMatchObject([
      { name: { text: "one" }, members: [{ kind: "literal", span: "10.0.0.1" }] },
      {
        name: { text: "all" },
        members: [
          { kind: "name", name: "one" },
          { kind: "literal", family: 4 },
          { kind: "literal", family: 6, span: '"2001:db8::/32"' },
          { kind: "literal", span: "192.0.2.1-192.0.2.9" },
        ],
      },
    ]);
  });

  test("may use one name in several sections", () => {
    const document = readClean(
      "version: 1\ninterfaces: {web: eth0}\naddresses: {web: 10.0.0.1}\nservices: {web: tcp 80}\n",
    );
    expect(document.services[0]!.name.text).toBe("web");
  });

  test("says what self is", () => {
    expect(
      inWords(readClean("version: 1\nhost: {addresses: [192.0.2.1, lan]}\n").hostAddresses),
    ).toMatchObject([
      { kind: "literal", span: "192.0.2.1" },
      { kind: "name", name: "lan" },
    ]);
    expect(readClean("version: 1\nhost: {addresses: 192.0.2.1}\n").hostAddresses).toHaveLength(1);
  });

  test("has defaults of which some may be left out", () => {
    expect(readClean("version: 1\ndefaults: {input: allow}\n").defaults).toEqual({
      input: "allow",
      forward: "deny",
      output: "allow",
    });
  });

  test("may do without the essentials", () => {
    expect(readClean("version: 1\nessentials: false\n").essentials).toBe(false);
  });

  test.each([
    ["true", "replies"],
    ["both", "both"],
    ["false", false],
  ])("has policies with symmetricAllow: %s", (written, symmetricAllow) => {
    const text = `version: 1\npolicies:\n  - name: web\n    doNotTrack: true\n    symmetricAllow: ${written}\n${RULES}`;
    const [policy] = readClean(text).policies;
    expect(policy).toMatchObject({ doNotTrack: true, symmetricAllow });
    expect(textOf(policy!.doNotTrackSpan!)).toBe("doNotTrack: true");
    expect(textOf(policy!.symmetricAllowSpan!)).toBe(`symmetricAllow: ${written}`);
    expect(textOf(policy!.span)).toBe(text.slice(text.indexOf("name:")).trimEnd());
  });

  test("keeps rules in their order, whatever holds them", () => {
    const sentences = ["allow tcp from any to self port 80", "deny udp from 10.0.0.0/8 to any"];
    const list = `version: 1\npolicies:\n  - name: x\n    rules:\n${sentences.map((rule) => `      - ${rule}\n`).join("")}`;
    const block = `version: 1\npolicies:\n  - name: x\n    rules: |\n      # both of them\n\n      ${sentences[0]} # first\n\n        ${sentences[1]}\n`;
    for (const text of [
      list,
      block,
      list.replaceAll("\n", "\r\n"),
      block.replaceAll("\n", "\r\n"),
      `\ufeff${block}`,
    ])
      expect(readClean(text).policies[0]!.rules.map((rule) => textOf(rule.span))).toEqual(sentences);
  });

  test("may fold a rule over several lines", () => {
    const text =
      "version: 1\npolicies:\n  - name: x\n    rules:\n      - >-\n        allow tcp\n        from any\n        to self port\n        80\n      - allow udp\n          from any to self\n";
    const { rules } = readClean(text).policies[0]!;
    expect(inWords(rules)).toMatchObject([
      { to: { ports: { ports: [{ first: 80, span: "80" }] } }, from: { span: "any" } },
      { traffic: { span: "udp" }, to: { span: "self" } },
    ]);
  });

  test("may quote a rule", () => {
    const text = `version: 1\npolicies:\n  - name: x\n    rules:\n      - 'deny from any to self log "it''s: in"'\n      - "deny from web to self log \\"x\\" in wan"\n`;
    expect(inWords(readClean(text).policies[0]!.rules)).toMatchObject([
      { log: { prefix: "it's: in", span: `log "it''s: in"` } },
      { from: { span: "web" }, log: { prefix: "x" }, in: { names: [{ text: "wan", span: "wan" }] } },
    ]);
  });
});

describe("address files", () => {
  const text = "version: 1\naddresses:\n  blocked: {file: blocked.txt}\n";

  test("hold one on each line", () => {
    for (const line of ["10.0.0.1 10.0.0.2", "10.0.0.1, 10.0.0.2", "10.0.0.1,10.0.0.2"])
      expectFileFinding(text, "bad-address", { "blocked.txt": `${line}\n` })
        .underlines(line)
        .helps("a line of its own");
  });

  test("hold an address on each line", () => {
    const file =
      "\ufeff# blocked\r\n10.0.0.1\r\n\r\n  10.8.0.0/14  # office\r\nweb\n2001:db8::/32\n192.0.2.1-192.0.2.9";
    const { members } = readClean(text, { "blocked.txt": file }).addresses[0]!;
    expect(inWords(members)).toMatchObject([
      { span: "10.0.0.1" },
      { span: "10.8.0.0/14" },
      { kind: "name", name: "web" },
      { family: 6 },
      { span: "192.0.2.1-192.0.2.9" },
    ]);
    expect(members[0]!.span.source.name).toBe("blocked.txt");
  });

  test("are looked at closely", () => {
    expectFileFinding(text, "host-bits", { "blocked.txt": "10.0.0.1\n10.1.0.0/8 # x\n" })
      .underlines("10.1.0.0/8")
      .fixes("10.0.0.1\n10.0.0.0/8 # x");
    expectFileFinding(text, "bad-address", { "blocked.txt": "10.0.0.1 10.0.0.2" }).underlines(
      "10.0.0.1 10.0.0.2",
    );
    expectFileFinding(text, "bad-address", { "blocked.txt": "any" }).underlines("any");
  });

  test("must exist", () => {
    expectFileFinding(text, "unreadable-file").underlines("blocked.txt").says("there is no such file");
  });
});

describe("findings", () => {
  test("are all told, from the top to the bottom", () => {
    const { findings } = read(
      "version: 1\naddresses: {a: 10.1}\npolicies:\n  - name: x\n    rules:\n      - alow tcp from any to self\n      - allow tcp from any to self port 80\n      - allow tcp from any to self limit 1\nnat: [masquerade in lan]\ncolour: red\n",
    );
    expect(findings.map((finding) => finding.check)).toEqual([
      "ambiguous-address",
      "sentence-syntax",
      "bad-limit",
      "misplaced-clause",
      "unknown-key",
    ]);
  });

  test("leave the rest of the document in place", () => {
    const { document } = read(
      "version: 1\naddresses: {web: [10.1, 10.0.0.1]}\npolicies:\n  - name: x\n    rules: [allow, allow from web to self]\n",
    );
    expect(document?.addresses[0]).toMatchObject({ name: { text: "web" }, members: [{ kind: "literal" }] });
    expect(document?.policies[0]?.rules).toHaveLength(1);
  });

  test("drop a sentence that would say more without what cannot be read", () => {
    const { document } = read(
      "version: 1\npolicies:\n  - name: x\n    rules: [allow from any to self in a/b]\nnat: [dnat to self in a/b -> 10.0.0.1]\n",
    );
    expect(document?.policies[0]?.rules).toEqual([]);
    expect(document?.nat).toEqual([]);
  });

  test("are counted after the two hundredth", () => {
    const rules = "      - alow tcp from any to self\n".repeat(250);
    const { findings } = read(`version: 1\npolicies:\n  - name: x\n    rules:\n${rules}`);
    expect(findings).toHaveLength(201);
    expect(findings.at(-1)).toMatchObject({ check: "too-many-findings", message: "and 50 more findings" });
  });

  test.each([
    ["wan: eth0+", "eth0+"],
    ['wan: ["*"]', '"*"'],
    ["wan: [eth0, sixteen-letters0]", "sixteen-letters0"],
  ])("interfaces: %s", (entry, wrong) => {
    expectFileFinding(`version: 1\ninterfaces:\n  ${entry}\n`, "bad-device").underlines(wrong);
  });

  test.each(["from", "tcp", "any", "1st", "a.b", `"${"x".repeat(64)}"`, '""', "__proto__"])(
    "nothing is named %s",
    (name) => {
      expectFileFinding(`version: 1\naddresses:\n  ${name}: 10.0.0.1\n`, "bad-name").underlines(name);
    },
  );

  test.each(["constructor", "toString", "null", "true", "x".repeat(63)])(
    "something may be named %s",
    (name) => {
      expect(readClean(`version: 1\naddresses:\n  ${name}: 10.0.0.1\n`).addresses[0]!.name.text).toBe(name);
    },
  );

  test("any and self are for rules", () => {
    expectFileFinding("version: 1\naddresses: {web: [self]}\n", "bad-address")
      .underlines("self")
      .helps("in the rules");
  });

  test("addresses are listed one by one", () => {
    expectFileFinding('version: 1\naddresses: {web: "10.0.0.1, 10.0.0.2"}\n', "bad-address").helps("a list");
  });

  test("numbers are read as they were written", () => {
    expectFileFinding("version: 1\naddresses: {web: [10.10]}\n", "ambiguous-address")
      .underlines("10.10")
      .says("`10.10`");
  });
});

describe("names of policies", () => {
  const named = (...names: string[]) =>
    `version: 1\npolicies:\n${names.map((name) => `  - name: ${name}\n${RULES}`).join("")}`;

  test.each(["administration", "DNS & NTP (büro)", '"$(reboot)"', "'; drop'", "x".repeat(64), "10"])(
    "%s",
    (name) => {
      readClean(named(name));
    },
  );

  test("are short and plain", () => {
    expectFileFinding(named("x".repeat(65)), "bad-name").says("at most 64");
    expectFileFinding(named('"a\\nb"'), "bad-name").underlines('"a\\nb"');
    expectFileFinding(named('"a\\u202eb"'), "bad-name").underlines('"a\\u202eb"');
    expectFileFinding(named('" "'), "bad-name").says("empty");
    expectFileFinding(named('""'), "bad-name").says("empty");
  });

  test("are unique", () => {
    expectFileFinding(named("web", "dns", "web"), "duplicate-policy")
      .underlines("web")
      .relates("web");
  });
});

import { describe, expect, test } from "vitest";
import { isInScope, layoutOf, POLICY_PATH, scriptPaths } from "../../src/golden/layout.ts";

/** Where the scripts of each policy are. */
function foldersOf(files: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(layoutOf(files).places.map(({ policy, folder }) => [policy, folder]));
}

describe("a policy is known by its name", () => {
  test.each([
    "policy.yaml",
    "policy.yml",
    "web.policy.yaml",
    "hosts/a b/eu.web.policy.yml",
    "golden/x/policy.yaml",
  ])("%s", (path) => expect(path).toMatch(POLICY_PATH));

  test.each([
    "my-policy.yaml",
    "policy.yaml.orig",
    "policies.yaml",
    ".policy.yaml",
    "policy.yaml/notes.txt",
    "POLICY.YAML",
  ])("not %s", (path) => expect(path).not.toMatch(POLICY_PATH));
});

describe("the folder of a policy's scripts", () => {
  test("is its own", () => {
    expect(foldersOf(["hosts/web/rules.v4", "hosts/web/policy.yaml", "policy.yml", "README.md"])).toEqual({
      "hosts/web/policy.yaml": "hosts/web",
      "policy.yml": "",
    });
  });

  test("has the name of a policy that has one", () => {
    expect(foldersOf(["hosts/web.policy.yaml", "a.b.policy.yml"])).toEqual({
      "hosts/web.policy.yaml": "hosts/web",
      "a.b.policy.yml": "a.b",
    });
  });

  test("is in the mirror where there is one", () => {
    expect(
      foldersOf(["golden/README.md", "hosts/web/policy.yaml", "hosts/db.policy.yaml", "policy.yaml"]),
    ).toEqual({
      "hosts/db.policy.yaml": "golden/hosts/db",
      "hosts/web/policy.yaml": "golden/hosts/web",
      "policy.yaml": "golden",
    });
  });

  test("is in the nearest mirror", () => {
    const files = ["golden/x/rules.v4", "sites/berlin/golden/.gitkeep"];
    expect(foldersOf([...files, "sites/berlin/hosts/web/policy.yaml", "sites/paris/policy.yaml"])).toEqual({
      "sites/berlin/hosts/web/policy.yaml": "sites/berlin/golden/hosts/web",
      "sites/paris/policy.yaml": "golden/sites/paris",
    });
  });

  test("is its own for a policy inside the mirror", () => {
    expect(
      foldersOf(["golden/README.md", "golden/cases/limit/policy.yaml", "golden/cases/limit/rules.v4"]),
    ).toEqual({
      "golden/cases/limit/policy.yaml": "golden/cases/limit",
    });
  });

  test("is not in the golden files of other programs", () => {
    const files = ["golden/parser/empty.json", "policy.yaml"];
    expect(layoutOf(files)).toMatchObject({ mirrors: [], places: [{ folder: "" }] });
  });
});

describe("the kinds of script that are kept", () => {
  const ALL = ["nft", "iptables", "ip6tables"];
  const kindsOf = (files: readonly string[]) =>
    Object.fromEntries(layoutOf(files).places.map(({ policy, targets }) => [policy, targets]));

  test("are all where there is none yet", () => {
    expect(kindsOf(["policy.yaml"])).toEqual({ "policy.yaml": ALL });
  });

  test("are those that some policy has", () => {
    const files = ["a/policy.yaml", "a/ruleset.nft", "b/policy.yaml", "elsewhere/rules.v4"];
    expect(kindsOf(files)).toEqual({ "a/policy.yaml": ["nft"], "b/policy.yaml": ["nft"] });
  });

  test("are each mirror's own affair", () => {
    const files = [
      "a/golden/rules.v6",
      "a/policy.yaml",
      "b/golden/ruleset.nft",
      "b/policy.yaml",
      "c/policy.yaml",
    ];
    expect(kindsOf(files)).toEqual({
      "a/policy.yaml": ["ip6tables"],
      "b/policy.yaml": ["nft"],
      "c/policy.yaml": ALL,
    });
  });
});

test("the scripts of the repository's own folder have no folder in their paths", () => {
  expect(scriptPaths("")).toEqual({
    nft: "ruleset.nft",
    iptables: "rules.v4",
    ip6tables: "rules.v6",
    ipset: "ipsets",
  });
});

describe("the scope of some folders", () => {
  test.each([
    ["examples/web/policy.yaml", ["examples"], true],
    ["golden/examples/web/rules.v4", ["examples"], true],
    ["examples/web/policy.yaml", ["golden"], false],
    ["golden/examples/web/rules.v4", ["golden"], true],
    ["golden/cases/limit/policy.yaml", ["examples"], false],
    ["sites/berlin/golden/hosts/rules.v4", ["sites/berlin/hosts"], true],
    ["sites/berlin/golden/hosts/rules.v4", ["hosts"], false],
    ["examples-of-others/policy.yaml", ["examples"], false],
    ["examples/web/policy.yaml", ["examples/web", "golden/cases"], true],
    ["examples/dns/policy.yaml", ["examples/web", "golden/cases"], false],
    ["anything", [""], true],
  ])("%s in %j: %s", (path, folders, expected) => {
    expect(isInScope(path, folders, ["golden", "sites/berlin/golden"])).toBe(expected);
  });
});

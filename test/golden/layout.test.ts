import { describe, expect, test } from "vitest";
import { isInScope, placesOf, scriptPaths } from "../../src/golden/layout.ts";

describe("the folder of a policy's scripts", () => {
  test("is its own in a repository without a mirror", () => {
    expect(placesOf(["hosts/web/policy.yaml", "hosts/web/rules.v4", "policy.yaml", "README.md"])).toEqual([
      { policy: "hosts/web/policy.yaml", folder: "hosts/web" },
      { policy: "policy.yaml", folder: "" },
    ]);
  });

  test("is the mirror in a repository that has one", () => {
    expect(placesOf(["golden/README.md", "hosts/web/policy.yaml", "policy.yaml"])).toEqual([
      { policy: "hosts/web/policy.yaml", folder: "golden/hosts/web" },
      { policy: "policy.yaml", folder: "golden" },
    ]);
  });

  test("is its own for a policy inside the mirror", () => {
    expect(placesOf(["golden/cases/limit/policy.yaml"])).toEqual([
      { policy: "golden/cases/limit/policy.yaml", folder: "golden/cases/limit" },
    ]);
  });

  test("is not found for other YAML files", () => {
    expect(placesOf(["compose.yaml", "policy.yml", "my-policy.yaml", "policy.yaml.orig"])).toEqual([]);
  });
});

test("the scripts of the repository's own folder have no folder in their paths", () => {
  expect(scriptPaths("")).toEqual({ nft: "ruleset.nft", iptables: "rules.v4", ip6tables: "rules.v6" });
});

describe("the scope of some folders", () => {
  test.each([
    ["examples/web/policy.yaml", ["examples"], true],
    ["golden/examples/web/rules.v4", ["examples"], true],
    ["examples/web/policy.yaml", ["golden"], false],
    ["golden/examples/web/rules.v4", ["golden"], true],
    ["golden/cases/limit/policy.yaml", ["examples"], false],
    ["examples-of-others/policy.yaml", ["examples"], false],
    ["examples/web/policy.yaml", ["examples/web", "golden/cases"], true],
    ["examples/dns/policy.yaml", ["examples/web", "golden/cases"], false],
    ["anything", [""], true],
  ])("%s in %j: %s", (path, folders, expected) => {
    expect(isInScope(path, folders)).toBe(expected);
  });
});

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Family } from "../../src/address/ranges.ts";
import type { Ruleset } from "../../src/netfilter/ruleset.ts";
import { readIptables } from "../../src/read/iptables.ts";
import { arbitraryLongRuleset } from "../lower/group/arbitrary.ts";
import { SETS_EVERYWHERE } from "../lower/ipset/costs.ts";
import { arbitraryPacket } from "../netfilter/arbitrary.ts";
import { addresses, base, drop, ip, rule, ruleset } from "../netfilter/build.ts";
import { expectSameFates, strict, understood } from "../read/model.ts";
import { printed } from "./compile.ts";
import { addNamespace, deleteNamespace, freshName, sweepNamespaces } from "./namespaces.ts";
import { describeKernel } from "./requirements.ts";
import { attempt, run } from "./shell.ts";

const netns = freshName();
const inside = ["ip", "netns", "exec", netns];

const inNamespace = (command: readonly string[], input = "") => run([...inside, ...command], input);

/** A list of single addresses that asks one set. */
const listOf = (...numbers: readonly number[]): Ruleset =>
  ruleset(
    base("filter", "input", rule([addresses("source", 4, ...numbers.map((n) => ip(192, 0, 2, n)))], drop)),
  );

const OLD = printed(listOf(1, 3, 5, 7), SETS_EVERYWHERE);
const NEW = printed(listOf(1, 3, 5, 9), SETS_EVERYWHERE);

/** The line of the page that takes sets away. */
const SWEEP = /^for set in .*$/m.exec(
  readFileSync(new URL("../../docs/ipset.md", import.meta.url), "utf8"),
)![0];

describeKernel("sets in the kernel", () => {
  beforeAll(sweepNamespaces);
  beforeEach(() => addNamespace(netns));
  afterEach(() => deleteNamespace(netns));
  afterAll(() => deleteNamespace(netns));

  const sets = async () => (await inNamespace(["ipset", "list", "-n"])).split("\n").filter(Boolean);

  for (const backend of ["legacy", "nft"] as const) {
    const toolOf = (family: Family) => `${family === 4 ? "ip" : "ip6"}tables-${backend}`;
    const wait = backend === "legacy" ? ["--wait", "20"] : [];
    const restore = (script: string, family: Family = 4) =>
      inNamespace([`${toolOf(family)}-restore`, ...wait], script);

    test(`what ipset and iptables-${backend} save says of every packet what the rules said`, async () => {
      const packets = (family: Family) => fc.array(arbitraryPacket(family), { minLength: 40, maxLength: 40 });
      await fc.assert(
        fc.asyncProperty(arbitraryLongRuleset(120), packets(4), packets(6), async (given, v4, v6) => {
          const scripts = printed(given, SETS_EVERYWHERE);
          await inNamespace(["ipset", "restore"], scripts.sets!);
          const ipsets = { name: "ipsets", text: await inNamespace(["ipset", "save"]) };
          for (const [family, script, some] of [
            [4, scripts.v4, v4],
            [6, scripts.v6, v6],
          ] as const) {
            await restore(script, family);
            const text = await inNamespace([`${toolOf(family)}-save`]);
            const read = readIptables({ name: "saved", text }, family, ipsets);
            expectSameFates(strict(understood(read)), given, some);
          }
        }),
        { numRuns: 8, endOnFailure: true },
      );
    }, 120_000);

    test(`a changed list is loaded beside the old one, and iptables-${backend} goes from one to the other`, async () => {
      await inNamespace(["ipset", "restore"], OLD.sets!);
      await restore(OLD.v4);
      const [old] = await sets();
      await inNamespace(["ipset", "restore"], NEW.sets!);
      // The rules that are loaded still ask the old set, which holds what it held.
      expect(await inNamespace(["ipset", "save", old!])).toContain("192.0.2.7\n");
      expect(await inNamespace([`${toolOf(4)}-save`])).toContain(`--match-set ${old} `);
      await restore(NEW.v4);
      const fresh = (await sets()).find((name) => name !== old);
      expect(await inNamespace([`${toolOf(4)}-save`])).toContain(`--match-set ${fresh} `);

      // What nothing asks any more can go; what rules ask, the kernel keeps.
      await inNamespace(["ipset", "create", "somebody-elses", "hash:ip"]);
      await inNamespace(["sh", "-c", SWEEP]);
      expect((await sets()).sort()).toEqual([fresh, "somebody-elses"].sort());
    });
  }

  test("loading sets twice changes nothing, and mends what a load that was cut off left out", async () => {
    const lines = OLD.sets!.split("\n");
    await inNamespace(["ipset", "restore"], lines.slice(0, 4).join("\n").concat("\n"));
    const save = async () => (await inNamespace(["ipset", "save"])).split("\n").sort();
    const half = await save();
    await inNamespace(["ipset", "restore"], OLD.sets!);
    const whole = await save();
    expect(whole.length).toBeGreaterThan(half.length);
    await inNamespace(["ipset", "restore"], OLD.sets!);
    expect(await save()).toEqual(whole);
  });

  test("rules are not loaded without their sets", async () => {
    for (const tool of ["iptables-legacy-restore", "iptables-nft-restore"]) {
      const { code } = await attempt(
        [...inside, tool, ...(tool.includes("legacy") ? ["--wait", "20"] : [])],
        OLD.v4,
      );
      expect(code, tool).not.toBe(0);
    }
  });

  test("rules whose lists are all short have no sets to load", async () => {
    const { sets: none } = printed(ruleset(), SETS_EVERYWHERE);
    await inNamespace(["ipset", "restore"], none!);
    expect(await sets()).toEqual([]);
  });
});

import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, test } from "vitest";
import { emitNft } from "../../src/emit/nft.ts";
import { group } from "../../src/lower/group.ts";
import { readNft } from "../../src/read/nft.ts";
import { arbitraryLongRuleset } from "../lower/group/arbitrary.ts";
import { arbitraryPacket } from "../netfilter/arbitrary.ts";
import { expectSameFates, strict, understood } from "../read/model.ts";
import { addNamespace, deleteNamespace, freshName, sweepNamespaces } from "./namespaces.ts";
import { describeKernel } from "./requirements.ts";
import { run } from "./shell.ts";

const netns = freshName();

const inNamespace = (command: readonly string[], input = "") =>
  run(["ip", "netns", "exec", netns, ...command], input);

const packets = (family: 4 | 6) => fc.array(arbitraryPacket(family), { minLength: 40, maxLength: 40 });

describeKernel("grouped rules in the kernel", () => {
  beforeAll(sweepNamespaces);
  beforeEach(() => addNamespace(netns));
  afterEach(() => deleteNamespace(netns));
  afterAll(() => deleteNamespace(netns));

  test("what nft lists of the sets says of every packet what the rules said", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryLongRuleset(), packets(4), packets(6), async (ruleset, four, six) => {
        await inNamespace(["nft", "-f", "-"], emitNft(group(ruleset, 8), { source: "policy.yaml" }));
        const text = await inNamespace(["nft", "list", "ruleset"]);
        expectSameFates(strict(understood(readNft({ name: "listing", text }))), ruleset, [...four, ...six]);
      }),
      { numRuns: 15, endOnFailure: true },
    );
  }, 300_000);
});

import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { BACKENDS, load } from "./backends.ts";
import { readScripts } from "./compile.ts";
import { createLab, type Host, type Lab } from "./lab.ts";
import { describeKernel } from "./requirements.ts";

const GOLDEN = fileURLToPath(new URL("../../golden", import.meta.url));
const cases = (await readdir(GOLDEN, { recursive: true }))
  .filter((path) => basename(path) === "ruleset.nft")
  .map((path) => dirname(path))
  .sort();

/** A table of somebody else's, as `nft list` prints it. */
const BYSTANDER = `table inet bystander {
	chain input {
		type filter hook input priority filter; policy accept;
		tcp dport 9 counter packets 0 bytes 0 accept
	}
}
`;

test("there are goldens to load", () => {
  expect(cases.length).toBeGreaterThan(0);
});

// Goldens are loaded one after the other into one host, which is also how a policy that changes is loaded.
for (const backend of BACKENDS) {
  describeKernel(`${backend} loads`, () => {
    let lab: Lab;
    let host: Host;

    beforeAll(async () => {
      lab = await createLab();
      host = await lab.host();
      if (backend === "nft") await host.run(["nft", "-f", "-"], BYSTANDER);
      return lab.destroy;
    });

    test.each(cases)("golden/%s", async (name) => {
      const scripts = await readScripts(join(GOLDEN, name));
      await load(host, backend, scripts);
      if (backend !== "nft") return;
      const once = await host.run(["nft", "-n", "list", "table", "inet", "ctc"]);
      await load(host, backend, scripts);
      expect(await host.run(["nft", "-n", "list", "table", "inet", "ctc"])).toBe(once);
      expect(await host.run(["nft", "list", "tables"])).toBe("table inet bystander\ntable inet ctc\n");
      expect(await host.run(["nft", "list", "table", "inet", "bystander"])).toBe(BYSTANDER);
    });
  });
}

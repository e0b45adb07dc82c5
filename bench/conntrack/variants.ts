import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Backend, load, type Scripts } from "../../test/kernel/backends.ts";
import { compileExample } from "../../test/kernel/compile.ts";
import type { Host } from "../../test/kernel/lab.ts";

/** One thing to measure: what stands between memcached and its clients. */
export interface Variant {
  readonly name: string;
  /** What `--only` says, and what the chart has for a legend. */
  readonly key: string;
  readonly load: (host: Host) => Promise<void>;
}

const EMPTY = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";

/** Everything that is compared, in the order in which it is shown. The first is what all others are compared with. */
export async function variants(backends: readonly Backend[]): Promise<readonly Variant[]> {
  const untracked = await compileExample("memcached");
  const tracked = await compileExample("memcached", {
    "policy.yaml": (text) => text.replace(/^ +(?:doNotTrack|symmetricAllow): true\n/gm, ""),
  });
  const forwarding = await compileExample("memcached", {
    "policy.yaml": (text) => `${text}      - allow tcp from any to 192.0.2.80 port 80\n`,
  });
  const naive = await byHand("naive");
  const least = await byHand("least");
  const compared = [
    { what: "tracked", says: "tracked, a table that never fills", scripts: tracked },
    { what: "naive", says: "untracked by hand, carefully", scripts: naive },
    { what: "least", says: "untracked by hand, the least that works", scripts: least },
    { what: "ctc", says: "untracked, by ctc", scripts: untracked },
    { what: "forwarding", says: "the same, on a host that forwards", scripts: forwarding },
  ];
  return [
    { name: "no policy", key: "none", load: async () => {} },
    ...backends.flatMap((backend) =>
      compared.map(({ what, says, scripts }) => ({
        name: `${backend}: ${says}`,
        key: `${backend}/${what}`,
        load: (host: Host) => load(host, backend, scripts),
      })),
    ),
  ];
}

async function byHand(name: string): Promise<Scripts> {
  const read = (ending: string) => readFile(join(import.meta.dirname, `by-hand/${name}.${ending}`), "utf8");
  return { nft: await read("nft"), v4: await read("v4"), v6: EMPTY };
}
